//! The banner in the page: for whom, where, and what it does to caches; and what follows from going on without an answer.

use http::Method;

use crate::support::proxy::POLICY;
use crate::support::{Client, HOST, Origin, Proxy, block_on};

const PAGE: &str = "<!doctype html><html><head><title>Tea</title></head><body><main>Tea</main>\
<footer>Since 1999</footer></body></html>";
const HTML: [(&str, &str); 3] =
    [("content-type", "text/html"), ("etag", "\"v1\""), ("cache-control", "public, max-age=60")];
const ON: &str = "banner: true\nsettings_link: true";
const REGION: &str = "<section id=\"consentry\" role=\"region\"";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const ORIGIN: (&str, &str) = ("origin", "https://shop.example");

async fn page(extra: &str) -> (Proxy, Client, Origin) {
    let origin = Origin::fixed(200, &HTML, PAGE).await;
    let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
    let client = Client::h2(&proxy).await;
    (proxy, client, origin)
}

#[test]
fn who_has_not_chosen_is_asked_first_in_the_body() {
    block_on(async {
        let (_proxy, mut client, _origin) = page(ON).await;
        let reply = client.navigate("/tea?a=1&b=2", &[]).await;
        let text = reply.text();
        assert!(text.contains(&format!("<body>{REGION}")), "{text}");
        for part in ["Functional", "Analytics and Marketing", "value=\"/tea?a=1&amp;b=2\"", "accept-all", "reject-all"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("Since 1999 <a class=\"consentry-settings\" href=\"/_consent/?return_to="), "{text}");
        assert!(text.is_ascii() && reply.set_cookies().is_empty(), "no cookie before the choice");
        assert_eq!(reply.header("cache-control"), Some("max-age=60, private"));
        assert!(reply.headers.get_all("vary").iter().any(|value| value == "Cookie"));
        let asked = reply.header("etag").unwrap().to_owned();
        // Gone after the choice, whatever it is; the way back stays.
        for choice in ["decision=reject-all", "decision=accept-all", "decision=save"] {
            let cookie = client.choose(choice).await;
            let reply = client.navigate("/", &[("cookie", &cookie)]).await;
            assert!(!reply.text().contains(REGION) && reply.text().contains("consentry-settings"), "{choice}");
            assert_ne!(reply.header("etag"), Some(&*asked), "{choice}");
            // The page of before does not come back by its validator.
            let again = client.navigate("/", &[("cookie", &cookie), ("if-none-match", &asked)]).await;
            assert_eq!(again.status, 200);
        }
    });
}

#[test]
fn only_pages_that_are_shown_ask() {
    block_on(async {
        let (_proxy, mut client, _origin) = page(ON).await;
        for (headers, asked) in [
            (&[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")][..], true),
            (&[], true),
            (&[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")], false),
            (&[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")], false),
            (&[("x-requested-with", "XMLHttpRequest")], false),
            (&[("accept", "application/json")], false),
            // An app shows it in a web view of its own.
            (&[("x-requested-with", "com.facebook.katana")], true),
            (
                &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate"), ("x-requested-with", "org.example")],
                true,
            ),
            // A service worker asks for what the visitor navigates to; a page has another fetched ahead.
            (&[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "navigate")], true),
            (&[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "no-cors"), ("sec-purpose", "prefetch")], true),
        ] {
            let text = client.get("/", headers).await.text();
            assert_eq!(text.contains(REGION), asked, "{headers:?}");
            assert_eq!(text != PAGE, asked, "{headers:?}");
        }
        for (status, headers, body) in [
            (404, &[("content-type", "text/html")][..], PAGE),
            (200, &[("content-type", "text/html"), ("content-disposition", "attachment; filename=a.html")], PAGE),
            (200, &[("content-type", "text/plain")], PAGE),
            (200, &[("content-type", "application/json")], "{\"html\":\"<body>\"}"),
            (200, &[("content-type", "text/html")], "<html><frameset><frame src=/a></frameset></html>"),
        ] {
            let origin = Origin::fixed(status, headers, body).await;
            let proxy = Proxy::builder().site(HOST, origin.address, ON).start();
            let text = Client::h1(&proxy).await.navigate("/", &[]).await.text();
            assert!(!text.contains(REGION), "{headers:?} {text}");
        }
        for extra in
            ["mode: observe\nbanner: true\nsettings_link: true", "mode: off\nbanner: true\nsettings_link: true", ""]
        {
            let (_proxy, mut client, _origin) = page(extra).await;
            assert_eq!(client.navigate("/", &[]).await.text(), PAGE, "{extra}");
        }
    });
}

#[test]
fn m13_only_what_is_new_is_asked_and_old_answers_stand() {
    block_on(async {
        let cookies = [("content-type", "text/html"), ("set-cookie", "_ga=1"), ("set-cookie", "_fbp=1")];
        let origin = Origin::fixed(200, &cookies, PAGE).await;
        let old: String = POLICY
            .lines()
            .filter(|l| !l.contains("adnet:") && !l.contains("marketing:"))
            .collect::<Vec<_>>()
            .join("\n");
        let new = POLICY.replace("version: 1", "version: 2\nchanges: [{ version: 2, text: Adnet now shows you tea. }]");
        let before = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &old, ON).start();
        let after = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &new, ON);
        // The same keys, as after a reload.
        let keys = std::fs::read(before.folder.path().join("state/consent.keys")).unwrap();
        let after = after.keys(&keys).start();
        let choice = Client::h2(&before).await.choose("decision=accept-all").await;
        let mut client = Client::h2(&after).await;
        let reply = client.navigate("/", &[("cookie", &choice)]).await;
        let text = reply.text();
        for part in [REGION, "Something new", "Marketing", "Adnet now shows you tea.", "accept-new", "reject-new"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("Functional"), "{text}");
        assert_eq!(reply.set_cookies(), ["_ga=1"], "the old answer stands, the new service waits");
        for (decision, left) in [("accept-new", &["_ga=1", "_fbp=1"][..]), ("reject-new", &["_ga=1"])] {
            let headers = [FORM, ORIGIN, ("cookie", &*choice)];
            let reply = client.send(Method::POST, "/_consent/choice", &headers, &format!("decision={decision}")).await;
            // "All" was said of what is new; as the record of all that holds it is that only if the rest agrees.
            let how = if decision == "accept-new" { "accept-all" } else { "custom" };
            let cookie = reply.set_cookies().remove(0).split(';').next().unwrap().to_owned();
            let reply = client.navigate("/", &[("cookie", &cookie)]).await;
            assert_eq!(reply.set_cookies(), left, "{decision}");
            assert!(!reply.text().contains(REGION), "{decision}");
            let record = client.get("/_consent/receipt?format=json", &[("cookie", &cookie)]).await.text();
            let last = record.lines().last().unwrap();
            assert!(last.contains(&format!("\"method\":\"{how}\"")), "{decision}: {record}");
        }
    });
}

#[test]
fn what_a_signal_keeps_off_anyway_is_no_question() {
    block_on(async {
        let (_proxy, mut client, _origin) = page(ON).await;
        let text = client.navigate("/", &[("sec-gpc", "1")]).await.text();
        assert!(text.contains("for: Functional.") && text.contains("We honour that."), "{text}");
        let policy = POLICY.replace("{ gpc: false }", "{ gpc: true }");
        let origin = Origin::fixed(200, &HTML, PAGE).await;
        let proxy = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &policy, ON).start();
        let text = Client::h2(&proxy).await.navigate("/", &[("sec-gpc", "1")]).await.text();
        assert!(!text.contains(REGION) && text.contains("consentry-settings"), "{text}");
    });
}

#[test]
fn nothing_is_added_that_the_pages_policy_forbids() {
    block_on(async {
        for (csp, style, script, form) in [
            ("default-src 'self'", true, true, true),
            ("default-src 'none'", false, false, true),
            ("default-src 'none'; form-action 'none'", false, false, false),
            ("style-src 'nonce-abc'; script-src 'nonce-xyz' 'strict-dynamic'", true, true, true),
            ("script-src 'sha256-AAAA'; style-src 'unsafe-inline'", false, false, true),
            ("sandbox allow-scripts", true, false, false),
        ] {
            let origin = Origin::fixed(200, &[HTML[0], ("content-security-policy", csp)], PAGE).await;
            let proxy = Proxy::builder().site(HOST, origin.address, ON).start();
            let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
            assert_eq!(reply.header("content-security-policy"), Some(csp), "never weakened");
            let text = reply.text();
            assert_eq!(text.contains("banner.css"), style, "{csp}: {text}");
            assert_eq!(text.contains("consent.js"), script, "{csp}: {text}");
            assert_eq!(text.contains("<form"), form, "{csp}: {text}");
            assert!(
                text.contains(REGION) && text.contains(">Choose</a>") && !text.contains(" style="),
                "{csp}: {text}"
            );
            let nonces = csp.contains("nonce");
            assert_eq!(text.contains("nonce=\"abc\"/>") && text.contains("nonce=\"xyz\""), nonces, "{csp}: {text}");
        }
    });
}

#[test]
fn assets_are_ours_small_and_kept_for_good() {
    block_on(async {
        let (_proxy, mut client, origin) = page(ON).await;
        let text = client.navigate("/", &[]).await.text();
        let mut sent = text.as_bytes()[text.find("<section id").unwrap()..text.find("</section>").unwrap()].to_vec();
        for (start, kind) in [("href=\"", "text/css; charset=utf-8"), ("src=\"", "text/javascript; charset=utf-8")] {
            let address = text.split(start).nth(1).unwrap().split('"').next().unwrap();
            assert!(address.starts_with("/_consent/"), "{address}");
            let reply = client.get(address, &[]).await;
            assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some(kind)));
            assert!(reply.header("cache-control").unwrap().contains("immutable"));
            // The address that another version has, or none.
            let path = address.split('?').next().unwrap();
            for other in [path, &format!("{path}?old")] {
                assert_eq!(client.get(other, &[]).await.header("cache-control"), Some("no-store"), "{other}");
            }
            sent.extend_from_slice(reply.text().as_bytes());
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packed, &sent).unwrap();
        let size = packed.finish().unwrap().len();
        assert!(size < 10_000, "{size} bytes compressed");
        assert_eq!(origin.seen().len(), 1, "the origin never sees these paths");
    });
}

#[test]
fn shared_pages_are_the_same_for_everybody_and_the_script_brings_the_banner() {
    block_on(async {
        let (_proxy, mut client, _origin) = page(&format!("{ON}\ngating: client")).await;
        let choice = client.choose("decision=reject-all").await;
        let first = client.navigate("/", &[]).await;
        let second = client.navigate("/", &[("cookie", &choice)]).await;
        assert_eq!(first.text(), second.text());
        assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
        assert!(!first.text().contains(REGION) && first.text().contains("/_consent/consent.js"));
        let banner = client.get("/_consent/banner?return_to=%2Ftea", &[]).await;
        assert!(banner.text().contains(REGION) && banner.text().contains("value=\"/tea\""));
        let none = client.get("/_consent/banner?return_to=%2Ftea", &[("cookie", &choice)]).await;
        assert_eq!((none.status.as_u16(), none.text().len()), (204, 0));
    });
}

#[test]
fn settings_link_goes_where_the_site_says() {
    block_on(async {
        for (extra, part) in [
            (
                "banner: false\nsettings_link: { selector: main, text: 'Cookies, \u{e0} vous' }",
                "<main>Tea <a class=\"consentry-settings\" href=\"/_consent/?return_to=%2F\">Cookies, &#224; vous</a> </main>",
            ),
            (
                "banner: false\nsettings_link: { selector: .none }",
                "<div id=\"consentry-settings\" role=\"navigation\" aria-label=\"Cookie settings\"><a href=\"/_consent/?return_to=%2F\">Cookie settings</a></div></body>",
            ),
        ] {
            let (_proxy, mut client, _origin) = page(extra).await;
            let text = client.navigate("/", &[]).await.text();
            assert!(text.contains(part), "{text}");
            assert!(!text.contains("consent.js") && !text.contains(REGION), "{text}");
        }
    });
}

#[test]
fn consent_mode_stands_before_all_scripts_and_advanced_lets_googles_tags_pass() {
    block_on(async {
        let body = "<head><script async src=https://www.googletagmanager.com/gtag/js?id=G-1></script>\
                    <script async src=https://js.counter.example/c.js></script></head><body>x</body>";
        let policy = POLICY.replace("services:", "services:\n  ga: { uses: google-analytics, category: analytics }");
        for (mode, gtag) in [("basic", false), ("advanced", true)] {
            let origin = Origin::fixed(200, &[HTML[0], ("set-cookie", "_ga=1")], body).await;
            let extra = format!(
                "banner: false\nsettings_link: false\nconsent_mode: {mode}\nconsent_types: {{ ad_storage: analytics }}"
            );
            let proxy =
                Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &policy, &extra).start();
            let mut client = Client::h2(&proxy).await;
            let reply = client.navigate("/", &[]).await;
            let text = reply.text();
            assert!(text.starts_with("<head><script src=\"/_consent/consent.js?"), "{text}");
            assert!(text.contains(" data-granted=\"necessary\" data-fetch=\"\"></script>"), "{text}");
            assert_eq!(text.contains("googletagmanager"), gtag, "{mode}: {text}");
            assert!(!text.contains("js.counter") && reply.set_cookies().is_empty(), "{mode}: {text}");
            let script = client.get("/_consent/consent.js", &[]).await.text();
            for part in [
                "\"ad_storage\":[\"analytics\"]",
                "\"ad_user_data\":[\"marketing\"]",
                "\"security_storage\":[\"necessary\"]",
            ] {
                assert!(script.contains(part), "{part} in {script}");
            }
        }
    });
}

#[test]
fn shared_pages_count_by_the_banner_that_the_script_brings() {
    block_on(async {
        let origin = shop().await;
        let extra = format!("{ON}\ngating: client");
        let proxy = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &implied(), &extra).start();
        let mut client = Client::h2(&proxy).await;
        assert!(client.navigate("/", &[]).await.set_cookies().is_empty());
        let seen = client.get("/_consent/banner?return_to=%2F", &[]).await.set_cookies().remove(0);
        let seen = seen.split(';').next().unwrap();
        assert!(client.navigate("/", &[("cookie", seen)]).await.set_cookies().is_empty());
        let reply = client.navigate("/b", &[("cookie", seen)]).await;
        assert_eq!(reply.header("cache-control"), Some("private"), "a page that sets a choice is one visitor's own");
        assert!(reply.set_cookies().iter().any(|line| line.starts_with("__Host-consentry=")));
    });
}

/// Opens pages in turn, as a browser that keeps its cookies, and says of each what it set and whether it asked.
struct Walk {
    client: Client,
    jar: Vec<(String, String)>,
}

impl Walk {
    async fn go(&mut self, path: &str, headers: &[(&str, &str)]) -> (bool, bool) {
        let jar = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let mut all = headers.to_vec();
        if !jar.is_empty() {
            all.push(("cookie", &jar));
        }
        let reply = self.client.navigate(path, &all).await;
        let lines = reply.set_cookies();
        for line in &lines {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        (reply.text().contains(REGION), lines.iter().any(|line| line.starts_with("_ga=")))
    }
}

fn implied() -> String {
    POLICY.replace("version: 1", "version: 1\nlaw: implied")
}

async fn walk(origin: &Origin, policy: &str) -> (Proxy, Walk) {
    let extra = format!("{ON}\npolicy_page: /cookies");
    let proxy = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), policy, &extra).start();
    let client = Client::h2(&proxy).await;
    (proxy, Walk { client, jar: Vec::new() })
}

async fn shop() -> Origin {
    Origin::start(|seen| {
        let kind = if seen.target.ends_with(".pdf") { "application/pdf" } else { "text/html" };
        let status = if seen.target == "/gone" { 404 } else { 200 };
        crate::support::origin::respond(status, &[("content-type", kind), ("set-cookie", "_ga=1; Path=/")], PAGE)
    })
    .await
}

#[test]
fn mailjet_j2_a_second_page_is_consent_where_the_policy_says_so() {
    block_on(async {
        let origin = shop().await;
        let (_proxy, mut walk) = walk(&origin, &implied()).await;
        assert_eq!(walk.go("/", &[]).await, (true, false));
        assert_eq!(walk.jar.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["__Host-consentry-seen"]);
        assert_eq!(walk.go("/second", &[]).await, (false, true));
        // The choice is remembered as any other, and what counted to two is gone.
        let names: Vec<_> = walk.jar.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["_ga", "__Host-consentry"]);
        assert_eq!(walk.go("/", &[]).await, (false, true));
        let seen = origin.seen();
        assert!(seen.iter().all(|seen| !seen.header("cookie").unwrap_or_default().contains("consentry")));
        assert_eq!(seen[1].header("consent"), Some("necessary"), "the second page's request is of before");
    });
}

#[test]
fn mailjet_j2_only_real_navigations_to_another_page_count() {
    block_on(async {
        let origin = shop().await;
        let (_proxy, mut walk) = walk(&origin, &implied()).await;
        assert_eq!(walk.go("/", &[]).await, (true, false));
        for (path, headers) in [
            ("/", &[][..]),
            ("/b", &[("cache-control", "max-age=0")]),
            ("/b", &[("sec-purpose", "prefetch;prerender")]),
            ("/b", &[("purpose", "prefetch")]),
            ("/b", &[("x-moz", "prefetch")]),
            ("/b", &[("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")]),
            ("/b", &[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")]),
            ("/b", &[("sec-fetch-dest", "iframe")]),
            ("/b", &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")]),
            ("/cookies", &[]),
            ("/_consent/", &[]),
            ("/_consent/policy", &[]),
            ("/a.pdf", &[]),
            ("/gone", &[]),
        ] {
            let (_, granted) = walk.go(path, headers).await;
            assert!(!granted && walk.jar.len() == 1, "{path} {headers:?} {:?}", walk.jar);
        }
        assert_eq!(walk.go("/b", &[]).await, (false, true));
    });
}

#[test]
fn mailjet_j2_nothing_but_an_undecided_visitor_under_that_law_is_taken_to_agree() {
    block_on(async {
        let origin = shop().await;
        // Another law.
        for law in
            [POLICY.to_owned(), POLICY.replace("version: 1", "version: 1\nlaw: { GB: implied, elsewhere: opt-in }")]
        {
            let (_proxy, mut walk) = walk(&origin, &law).await;
            for page in ["/", "/b", "/c"] {
                assert_eq!(walk.go(page, &[]).await, (true, false));
            }
            assert!(walk.jar.is_empty());
        }
        let (_proxy, mut walk) = walk(&origin, &implied()).await;
        // A page that is fetched ahead shows nobody a banner.
        walk.go("/", &[("sec-purpose", "prefetch")]).await;
        assert!(walk.jar.is_empty());
        // Who refused has decided.
        assert_eq!(walk.go("/", &[]).await, (true, false));
        let refusal = walk.client.choose("decision=reject-all").await;
        let (name, value) = refusal.split_once('=').unwrap();
        walk.jar.push((name.to_owned(), value.to_owned()));
        assert_eq!(walk.go("/b", &[]).await, (false, false));
        // A forged counter counts nothing.
        walk.jar = vec![("__Host-consentry-seen".to_owned(), "s.1.1.AAAAAAAAAAAAAAAAAAAAAA".to_owned())];
        assert_eq!(walk.go("/b", &[]).await, (true, false));
        // Going on is no act that could beat the browser's signal.
        walk.jar.clear();
        let gpc = [("sec-gpc", "1")];
        assert_eq!(walk.go("/", &gpc).await, (true, false));
        assert_eq!(walk.go("/b", &gpc).await, (false, false));
    });
}

/// The page's own language comes before the browser's, and the record says in which language was asked.
#[test]
fn visitors_are_asked_in_the_language_of_the_page() {
    block_on(async {
        let answer = |seen: &crate::support::origin::Seen| {
            let lang = seen.target.trim_start_matches('/');
            let frame = "<iframe src=https://x.adnet.example/1 width=300 height=200></iframe>";
            let page = format!("<!doctype html><html lang=\"{lang}\"><body>{frame}<footer></footer></body></html>");
            crate::support::origin::respond(200, &HTML, page)
        };
        let origin = Origin::start(answer).await;
        let proxy = Proxy::builder().site(HOST, origin.address, ON).start();
        let mut client = Client::h2(&proxy).await;
        let words = |language: &str| match language {
            "de" => ["Alle ablehnen", "Statistik", "Cookie-Einstellungen</a>", "Adnet erlauben"],
            "fr" => ["Tout refuser", "Mesure d&#8217;audience", "Param&#232;tres des cookies</a>", "Autoriser Adnet"],
            _ => ["Reject all", "Analytics", "Cookie settings</a>", "Allow Adnet"],
        };
        for (page, browser, language) in [
            ("/de", "fr", "de"),
            ("/de-CH", "fr", "de"),
            ("/", "fr", "fr"),
            ("/ja", "fr-CA, en;q=0.5", "fr"),
            ("/ja", "ko", "en"),
        ] {
            let text = client.navigate(page, &[("accept-language", browser)]).await.text();
            for part in words(language) {
                assert!(text.contains(part), "{page} {browser}: {part} in {text}");
            }
            // What comes next goes on in the same language, whatever the browser asks for.
            let named = page.starts_with("/de");
            assert_eq!(text.contains("name=\"language\" value=\"de\""), named, "{page}: {text}");
            assert_eq!(text.contains("&amp;language=de\">"), named, "{page}: {text}");
        }
        for (path, part) in
            [("/_consent/?language=de", "Auswahl speichern"), ("/_consent/policy?language=ar", "dir=\"rtl\"")]
        {
            let text = client.navigate(path, &[("accept-language", "fr")]).await.text();
            assert!(text.contains(part), "{path}: {part} in {text}");
        }
        for (form, language) in [("decision=reject-all&language=de", "de"), ("decision=reject-all&language=xx", "fr")] {
            let headers = [FORM, ORIGIN, ("accept-language", "fr")];
            let reply = client.send(Method::POST, "/_consent/choice", &headers, form).await;
            let cookie = reply.set_cookies().remove(0).split(';').next().unwrap().to_owned();
            let record = client.get("/_consent/receipt?format=json", &[("cookie", &cookie)]).await.text();
            assert!(record.contains(&format!("\"language\":\"{language}\"")), "{form}: {record}");
        }
    });
}
