//! The published policy and the law as they differ by the visitor's language and country.

use crate::support::countries::database;
use crate::support::{Client, HOST, Origin, Proxy, block_on};

const POLICY: &str = "
version: 1
law: { EEA: opt-in, US: opt-out, elsewhere: opt-in }
categories:
  necessary: { required: true }
  ads:
    label: { en: Advertising, de: Werbung, pt-BR: Publicidade }
    opt_out: { US: 'https://us.example/out', EU: 'https://eu.example/out', elsewhere: 'https://all.example/out' }
cookies: { promo: { category: ads } }
";

#[test]
fn policy_is_published_in_the_language_that_the_visitor_reads() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let url = format!("http://{}", origin.address);
        let proxy = Proxy::builder().site_with(HOST, &url, POLICY, "").start();
        let mut client = Client::h2(&proxy).await;
        for (asked, language, label) in [
            ("de-AT, en;q=0.8", "de", "Werbung"),
            ("ja, pt;q=0.5", "pt-br", "Publicidade"),
            // Our part of the page; the policy's own texts stay in its own language.
            ("fr", "fr", "Advertising"),
            ("de;q=0, en", "en", "Advertising"),
            ("\"><script>", "en", "Advertising"),
        ] {
            let page = client.get("/_consent/policy", &[("accept-language", asked)]).await;
            assert_eq!(page.header("content-language"), Some(language), "{asked}");
            assert_eq!(page.header("vary"), Some("Accept-Language"));
            let text = page.text();
            assert!(text.contains(&format!("<html lang=\"{language}\" dir=\"ltr\">")), "{asked}\n{text}");
            assert!(text.contains(&format!("<h2>{label}")), "{asked}\n{text}");
        }
        assert_eq!(client.get("/_consent/policy", &[]).await.header("content-language"), Some("en"));
        assert!(origin.seen().is_empty());
    });
}

#[test]
fn links_and_law_go_by_country_if_who_tells_it_is_trusted() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "promo=1; Path=/")], "").await;
        let url = format!("http://{}", origin.address);
        let builder = || Proxy::builder().site_with(HOST, &url, POLICY, "");
        let trusting = builder().top("trusted_proxies: [127.0.0.1/32]").start();
        let wary = builder().top("trusted_proxies: [192.0.2.0/24]").start();
        let (mut trusted, mut untrusted) = (Client::h1(&trusting).await, Client::h1(&wary).await);
        let all: &[&str] = &["us", "eu", "all"];
        for (believed, countries, links, passes) in [
            (true, &["US"][..], &["us"][..], true),
            (true, &["de"], &["eu"], false),
            (true, &["JP"], &["all"], false),
            (true, &["XX"], all, false),
            (true, &["US", "US"], all, false),
            (true, &[], all, false),
            // Anybody can write the header: the strictest law holds.
            (false, &["US"], all, false),
        ] {
            let client = if believed { &mut trusted } else { &mut untrusted };
            let headers: Vec<(&str, &str)> = countries.iter().map(|country| ("cf-ipcountry", *country)).collect();
            let text = client.get("/_consent/policy", &headers).await.text();
            for link in all {
                let shown = text.contains(&format!("https://{link}.example/out"));
                assert_eq!(shown, links.contains(link), "{countries:?} {link}\n{text}");
            }
            assert_eq!(text.contains("You can object to everything"), passes, "{countries:?}\n{text}");
            let answer = client.navigate("/", &headers).await;
            assert_eq!(
                !answer.set_cookies().is_empty(),
                passes,
                "{believed} {countries:?}: {:?}",
                answer.set_cookies()
            );
        }
    });
}

/// Where nobody in front says where a visitor is.
#[test]
fn a_database_tells_where_visitors_are() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "promo=1; Path=/")], "").await;
        let file = database(&[
            ("127.0.0.0".parse().unwrap(), 8, "DE"),
            ("192.0.2.0".parse().unwrap(), 24, "US"),
            ("198.51.100.0".parse().unwrap(), 25, "JP"),
        ]);
        let builder = || {
            let url = format!("http://{}", origin.address);
            Proxy::builder()
                .site_with(HOST, &url, POLICY, "")
                .top("geoip: countries.mmdb")
                .file("countries.mmdb", &file)
        };
        let (direct, behind) = (builder().start(), builder().top("trusted_proxies: [127.0.0.1/32]").start());
        for (proxy, headers, passes) in [
            (&direct, &[][..], false),
            // It is no word of a stranger's.
            (&direct, &[("x-forwarded-for", "192.0.2.1")], false),
            (&direct, &[("cf-ipcountry", "US")], false),
            (&behind, &[("x-forwarded-for", "192.0.2.1")], true),
            (&behind, &[("x-forwarded-for", "198.51.100.1")], false),
            (&behind, &[("x-forwarded-for", "203.0.113.1")], false),
            (&behind, &[("x-forwarded-for", "2001:db8::1")], false),
            (&behind, &[("x-forwarded-for", "::ffff:192.0.2.1")], true),
            (&behind, &[("x-forwarded-for", "192.0.2.1"), ("cf-ipcountry", "DE")], false),
            (&behind, &[("x-forwarded-for", "192.0.2.1"), ("cf-ipcountry", "XX")], false),
        ] {
            let answer = Client::h1(proxy).await.navigate("/", headers).await;
            assert_eq!(!answer.set_cookies().is_empty(), passes, "{headers:?}");
        }
    });
}

/// Where a proxy in front of us is says nothing of its clients.
#[test]
fn who_cannot_be_found_behind_a_proxy_has_the_strictest_law() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "promo=1; Path=/")], "").await;
        let file = database(&[
            ("10.0.0.0".parse().unwrap(), 8, "US"),
            ("127.0.0.0".parse().unwrap(), 8, "US"),
            ("192.0.2.0".parse().unwrap(), 24, "US"),
            ("193.0.0.0".parse().unwrap(), 8, "DE"),
        ]);
        let proxy = Proxy::builder()
            .site_with(HOST, &format!("http://{}", origin.address), POLICY, "")
            .top("geoip: countries.mmdb")
            .top("trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]")
            .file("countries.mmdb", &file)
            .start();
        for (headers, passes) in [
            (&[][..], false),
            (&[("x-forwarded-for", "unknown")], false),
            (&[("x-forwarded-for", "192.0.2.1, unknown")], false),
            (&[("x-forwarded-for", "10.0.0.1")], false),
            (&[("x-forwarded-for", "193.0.0.1")], false),
            (&[("x-forwarded-for", "192.0.2.1, 10.0.0.1")], true),
            (&[("forwarded", "for=192.0.2.1")], true),
            (&[("forwarded", "proto=https;for=\"192.0.2.1:4711\", for=10.0.0.1")], true),
            (&[("forwarded", "for=193.0.0.1")], false),
            (&[("forwarded", "for=192.0.2.1, for=_hidden")], false),
            (&[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "193.0.0.1")], false),
        ] {
            let answer = Client::h1(&proxy).await.navigate("/", headers).await;
            assert_eq!(!answer.set_cookies().is_empty(), passes, "{headers:?}");
        }
    });
}
