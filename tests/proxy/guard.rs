//! The guard's tag, its script, and where it tells what it has stopped.

use http::Method;

use crate::support::client::Reply;
use crate::support::{Client, HOST, Origin, Proxy, block_on};

const PAGE: &str = "<!doctype html><html><head><title>Tea</title></head><body>\
    <script src=https://px.adnet.example/a.js></script></body></html>";

const HTML: [(&str, &str); 2] = [("content-type", "text/html"), ("etag", "\"e\"")];

async fn page(extra: &str, headers: &[(&str, &str)], csp: Option<&str>) -> Reply {
    let mut all = HTML.to_vec();
    all.extend(csp.map(|csp| ("content-security-policy", csp)));
    let origin = Origin::fixed(200, &all, PAGE).await;
    let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
    Client::h2(&proxy).await.navigate("/", headers).await
}

fn src(text: &str) -> &str {
    let start = text.find("/_consent/guard.js?").unwrap_or_else(|| panic!("no guard in {text}"));
    text[start..].split('"').next().unwrap()
}

#[test]
fn the_guard_stands_first_and_says_what_this_visitor_may_have() {
    block_on(async {
        let reply = page("guard: true\nbanner: true", &[], None).await;
        let text = reply.text();
        let tag = format!("<head><script src=\"{}\" data-granted=\"necessary\" data-report=\"\"></script>", src(&text));
        assert!(text.contains(&tag), "{text}");
        let shared = page("guard: true\ngating: client", &[], None).await.text();
        let tag = format!("<head><script src=\"{}\" data-report=\"\"></script>", src(&shared));
        assert!(shared.contains(&tag), "{shared}");
        // In a frame there is nothing to ask, and scripts run all the same.
        let frame = page("guard: true\nbanner: true", &[("sec-fetch-dest", "iframe")], None).await;
        let tag = format!(
            "<head><script src=\"{}\" data-granted=\"necessary\" data-report=\"\"></script><title>",
            src(&text)
        );
        assert!(frame.text().contains(&tag) && !frame.text().contains("banner"), "{}", frame.text());
        assert_ne!(frame.header("etag"), reply.header("etag"));
        // What a script fetches is no page.
        for dest in ["empty", "script"] {
            let part = page("guard: true", &[("sec-fetch-dest", dest), ("sec-fetch-mode", "cors")], None).await;
            assert!(!part.text().contains("guard"), "{}", part.text());
        }
    });
}

/// A site's "not found" carries the tags of all its pages; to ask, it is the wrong place.
#[test]
fn errors_get_the_guard_and_nothing_else() {
    block_on(async {
        for (status, headers, guarded) in [
            (404, &[HTML[0]][..], true),
            (401, &[HTML[0]], true),
            (503, &[HTML[0]], true),
            (404, &[("content-type", "text/plain")], false),
            (404, &[HTML[0], ("content-disposition", "attachment")], false),
            (302, &[HTML[0], ("location", "/")], false),
        ] {
            let origin = Origin::fixed(status, headers, PAGE).await;
            let of = |extra| Proxy::builder().site(HOST, origin.address, extra).start();
            let proxy = of("guard: true\nbanner: true\nsettings_link: true");
            let text = Client::h1(&proxy).await.navigate("/", &[]).await.text();
            assert_eq!(
                text.contains("<head><script src=\"/_consent/guard.js?"),
                guarded,
                "{status} {headers:?}: {text}"
            );
            assert!(!text.contains("banner") && !text.contains("settings"), "{text}");
            let text = Client::h1(&of("guard: false\nbanner: true")).await.navigate("/", &[]).await.text();
            assert!(!text.contains("<head><script"), "{text}");
        }
    });
}

#[test]
fn what_changes_nothing_gets_no_guard_unless_it_is_asked_to_report() {
    block_on(async {
        for extra in ["mode: observe\nguard: true", "mode: off\nguard: report", "mode: observe\nguard: false"] {
            let reply = page(extra, &[], None).await;
            assert_eq!((&*reply.text(), reply.header("etag")), (PAGE, Some("\"e\"")), "{extra}");
        }
        let reply = page("mode: observe\nguard: report\nbanner: true\nconsent_tool: osano", &[], None).await;
        let text = reply.text();
        let tag = format!(
            "<script src=\"{}\" data-granted=\"necessary\" data-report=\"\" data-observe=\"\"></script>",
            src(&text)
        );
        assert_eq!(text.replace(&tag, ""), PAGE);
        assert_eq!((reply.header("etag"), reply.header("content-length")), (Some("W/\"e\""), None));
        let text = page("guard: report", &[], None).await.text();
        assert!(text.contains("data-observe=\"\"></script><title>") && !text.contains("adnet"), "{text}");
        let text = page("guard: false", &[], None).await.text();
        assert!(!text.contains("guard"), "{text}");
    });
}

#[test]
fn the_policy_of_the_page_decides_whether_it_runs_and_tells() {
    block_on(async {
        for (csp, expected) in [
            ("default-src 'self'", Some(" data-granted=\"necessary\" data-report=\"\">")),
            (
                "script-src 'nonce-abc' 'strict-dynamic'",
                Some(" nonce=\"abc\" data-granted=\"necessary\" data-report=\"\">"),
            ),
            ("connect-src 'none'", Some(" data-granted=\"necessary\"></script>")),
            ("script-src 'sha256-AAAA'", None),
            ("default-src 'none'", None),
        ] {
            let reply = page("guard: true", &[], Some(csp)).await;
            assert_eq!(reply.header("content-security-policy"), Some(csp), "never weakened");
            let text = reply.text();
            assert_eq!(text.contains("guard.js"), expected.is_some(), "{csp}: {text}");
            assert!(text.contains(expected.unwrap_or_default()), "{csp}: {text}");
        }
    });
}

#[test]
fn the_script_may_be_kept_under_its_own_address_alone() {
    block_on(async {
        let origin = Origin::fixed(200, &HTML, PAGE).await;
        let proxy = Proxy::builder()
            .site(HOST, origin.address, "guard: true")
            .site("other.example", origin.address, "")
            .start();
        let mut client = Client::h2(&proxy).await;
        let text = client.navigate("/", &[]).await.text();
        let kept = client.get(src(&text), &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(kept.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(kept.header("content-encoding"), Some("gzip"));
        assert_eq!(kept.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert!(kept.set_cookies().is_empty());
        let plain = client.get("/_consent/guard.js?old", &[]).await;
        assert_eq!((plain.header("content-encoding"), plain.header("cache-control")), (None, Some("no-store")));
        assert!(plain.text().contains("\"required\":\"necessary\""));
        let mut other = Client::h2_to(&proxy, "other.example").await;
        assert_eq!(other.get("/_consent/guard.js", &[]).await.status, 404);
        assert_eq!(other.send(Method::POST, "/_consent/guard", &[], "").await.status, 404);
    });
}

#[test]
fn only_the_sites_own_pages_tell_and_neither_much_nor_often() {
    block_on(async {
        let origin = Origin::fixed(200, &HTML, PAGE).await;
        let proxy = Proxy::builder().site(HOST, origin.address, "guard: true").start();
        let mut client = Client::h2(&proxy).await;
        let form = ("content-type", "application/x-www-form-urlencoded");
        let own = ("sec-fetch-site", "same-origin");
        for (headers, body, status) in [
            (&[form, own][..], "cookie=_ga&tag=px.adnet.example/", 204),
            (&[form, own], "\0%%%&=&cookie", 204),
            (&[form, ("sec-fetch-site", "cross-site")], "cookie=_ga", 403),
            (&[form, own, ("origin", "https://elsewhere.example")], "cookie=_ga", 403),
            (&[form], "cookie=_ga", 403),
            (&[own, ("content-type", "text/plain")], "cookie=_ga", 415),
            (&[form, own], &"a".repeat(20_000), 413),
        ] {
            let reply = client.send(Method::POST, "/_consent/guard", headers, body).await;
            assert_eq!(reply.status, status, "{headers:?} {}", &body[..body.len().min(40)]);
        }
        assert_eq!(client.get("/_consent/guard", &[]).await.status, 405);
        for _ in 0..60 {
            client.send(Method::POST, "/_consent/guard", &[form, own], "cookie=_ga").await;
        }
        assert_eq!(client.send(Method::POST, "/_consent/guard", &[form, own], "").await.status, 429);
        // Whoever has told too much may still refuse.
        client.choose("decision=reject-all").await;
        assert!(origin.seen().is_empty());
    });
}
