//! `gating: client`: one page for everybody, which any cache may keep, and the script that frees what is in it.

use crate::support::{Client, HOST, Origin, Proxy, block_on};

const PAGE: &str = "<!doctype html><html><head><title>Shop</title>\
<script async src=\"https://js.counter.example/c.js\"></script><script>adnet('go')</script></head>\
<body><iframe src=https://v.adnet.example/film width=560 height=315></iframe></body></html>";

const HTML: [(&str, &str); 3] =
    [("content-type", "text/html"), ("cache-control", "public, max-age=60"), ("etag", "\"v1\"")];

#[test]
fn everybody_gets_the_same_page_and_caches_may_keep_it() {
    block_on(async {
        let origin = Origin::fixed(200, &HTML, PAGE).await;
        let proxy = Proxy::builder().site(HOST, origin.address, "gating: client").start();
        let mut client = Client::h2(&proxy).await;
        let all = client.choose("decision=accept-all").await;
        let none = client.choose("decision=reject-all").await;
        let first = client.navigate("/", &[]).await;
        assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
        assert_eq!(first.header("vary"), Some("Accept-Encoding"));
        let text = first.text();
        for part in [
            "<head><script async=\"\" src=\"/_consent/free.js\"></script><title>",
            "<script data-consentry-needs=\"service:counter\" type=\"text/plain\" async data-consentry-src=",
            "<script data-consentry-needs=\"service:adnet\" type=\"text/plain\">adnet('go')</script>",
            " data-consentry-src=https://v.adnet.example/film",
            "Allow Adnet",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        for cookie in [&*all, &*none, "__Host-consentry=1"] {
            let other = client.navigate("/", &[("cookie", cookie), ("sec-gpc", "1")]).await;
            assert_eq!(other.text(), text);
            for name in ["etag", "vary", "cache-control"] {
                assert_eq!(other.header(name), first.header(name), "{name}");
            }
        }
    });
}

#[test]
fn the_page_of_a_cache_is_revalidated_whoever_asks() {
    block_on(async {
        let origin = Origin::start(|seen| {
            let fresh = seen.header("if-none-match") == Some("\"v1\"");
            crate::support::origin::respond(if fresh { 304 } else { 200 }, &HTML, if fresh { "" } else { PAGE })
        })
        .await;
        let proxy = Proxy::builder().site(HOST, origin.address, "gating: client").start();
        let mut client = Client::h1(&proxy).await;
        let etag = client.navigate("/", &[]).await.header("etag").unwrap().to_owned();
        let all = client.choose("decision=accept-all").await;
        let again = client.navigate("/", &[("if-none-match", &etag), ("cookie", &all)]).await;
        assert_eq!((again.status.as_u16(), again.header("etag")), (304, Some(&*etag)));
        assert_eq!(again.header("vary"), Some("Accept-Encoding"));
    });
}

#[test]
fn the_script_stands_only_where_the_page_lets_it_run() {
    block_on(async {
        for (csp, tag) in [
            ("default-src 'self'", Some("src=\"/_consent/free.js\"></script>")),
            ("script-src 'nonce-abc' 'strict-dynamic'", Some("src=\"/_consent/free.js\" nonce=\"abc\"></script>")),
            ("script-src 'sha256-AAAA'", None),
            ("default-src 'none'; img-src 'self'", None),
            ("script-src 'self'; connect-src 'none'", None),
        ] {
            let headers = [("content-type", "text/html"), ("content-security-policy", csp)];
            let origin = Origin::fixed(200, &headers, PAGE).await;
            let proxy = Proxy::builder().site(HOST, origin.address, "gating: client").start();
            let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
            assert_eq!(reply.header("content-security-policy"), Some(csp), "never weakened");
            let text = reply.text();
            assert_eq!(text.contains("free.js"), tag.is_some(), "{csp}: {text}");
            assert!(text.contains(tag.unwrap_or_default()), "{csp}: {text}");
        }
    });
}

#[test]
fn the_script_is_ours_and_may_be_kept() {
    block_on(async {
        let origin = Origin::fixed(404, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h1(&proxy).await.get("/_consent/free.js", &[]).await;
        assert_eq!(reply.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=3600"));
        assert!(reply.set_cookies().is_empty() && reply.text().contains("data-consentry-needs"));
        assert!(origin.seen().is_empty());
    });
}
