//! What depends on the grant must not be kept for anybody with another one.

use http::Method;

use crate::support::client::Reply;
use crate::support::{Client, HOST, Origin, Proxy, block_on, origin::respond};

const HTML: [(&str, &str); 6] = [
    ("content-type", "text/html"),
    ("etag", "\"v1\""),
    ("cache-control", "public, max-age=60, s-maxage=600"),
    ("cdn-cache-control", "max-age=600"),
    ("accept-ranges", "bytes"),
    ("alt-svc", "h3=\":443\""),
];

fn asking(origin: std::net::SocketAddr) -> Proxy {
    Proxy::builder().site(HOST, origin, "banner: true").start()
}

#[test]
fn a_filtered_page_says_so_to_caches() {
    block_on(async {
        let origin = Origin::fixed(200, &HTML, "<p>tea").await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h2(&proxy).await.navigate("/", &[]).await;
        let cache_control = reply.header("cache-control").unwrap();
        assert!(cache_control.contains("private") && cache_control.contains("max-age=60"), "{cache_control}");
        assert!(!cache_control.contains("public") && !cache_control.contains("s-maxage"), "{cache_control}");
        let vary: Vec<_> = reply.headers.get_all("vary").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(vary.join(", "), "Cookie, Sec-GPC, DNT");
        for gone in ["cdn-cache-control", "accept-ranges", "alt-svc", "content-length"] {
            assert_eq!(reply.header(gone), None, "{gone}");
        }
        let etag = reply.header("etag").unwrap();
        assert!(etag.starts_with("W/\"v1~") && etag.ends_with('"'), "{etag}");
    });
}

/// What a script has fetched has no banner and no guard, and the browser may keep it.
#[test]
fn a_copy_for_another_use_does_not_stand_in_for_a_page() {
    block_on(async {
        let origin = Origin::fixed(200, &HTML, "<p>tea").await;
        let vary = |reply: &Reply| {
            reply.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(", ")
        };
        for extra in ["banner: true", "guard: true", "settings_link: true"] {
            let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
            let mut client = Client::h2(&proxy).await;
            let fetched = client.get("/", &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")]).await;
            assert_eq!(vary(&fetched), "Cookie, Sec-GPC, DNT, Sec-Fetch-Dest, Sec-Fetch-Mode", "{extra}");
            let ahead = client.get("/", &[("sec-fetch-dest", "empty"), ("sec-purpose", "prefetch")]).await;
            assert_eq!(vary(&ahead), "Cookie, Sec-GPC, DNT", "it is the page, and may stand in for it");
            let old = client.get("/", &[("x-requested-with", "XMLHttpRequest")]).await;
            assert!(vary(&old).ends_with("Sec-Fetch-Mode, Accept, X-Requested-With"), "{}", vary(&old));
        }
        let shared = Proxy::builder().site(HOST, origin.address, "banner: true\ngating: client").start();
        assert_eq!(vary(&Client::h2(&shared).await.navigate("/", &[]).await), "Accept-Encoding");
    });
}

#[test]
fn validators_of_another_mind_are_not_sent_to_the_origin() {
    block_on(async {
        let origin = Origin::start(|seen| {
            if seen.header("if-none-match") == Some("\"v1\"") {
                respond(304, &[HTML[1]], "")
            } else {
                respond(200, &HTML, "<p>tea")
            }
        })
        .await;
        // With a banner the tag stands for what is asked, too.
        for proxy in [Proxy::to(origin.address).await, asking(origin.address)] {
            let mut client = Client::h1(&proxy).await;
            let etag = client.navigate("/", &[]).await.header("etag").unwrap().to_owned();
            let modified = ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT");

            let same = client.navigate("/", &[("if-none-match", &etag), modified]).await;
            assert_eq!(same.status, 304, "the same mind may keep its page");
            assert_eq!(same.header("etag"), Some(&*etag), "and keeps the tag that it knows");

            let choice = client.choose("decision=save&category=analytics&service=counter").await;
            let other = client.navigate("/", &[("if-none-match", &etag), modified, ("cookie", &choice)]).await;
            assert_eq!(other.status, 200, "another mind gets a new page");
            assert_eq!(origin.last().header("if-none-match"), None);
            assert_eq!(origin.last().header("if-modified-since"), None);
            assert_ne!(other.header("etag"), Some(&*etag));
        }
    });
}

#[test]
fn a_page_with_only_last_modified_is_not_revived_for_another_mind() {
    block_on(async {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let origin = Origin::start(move |seen| {
            if seen.header("if-modified-since").is_some() {
                respond(304, &[("last-modified", date)], "")
            } else {
                respond(200, &[("content-type", "text/html"), ("last-modified", date)], "<p>tea")
            }
        })
        .await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        let first = client.navigate("/", &[]).await;
        // What a browser would send back: every validator that it was given.
        let etag = first.header("etag").map(str::to_owned);
        let modified = first.header("last-modified").map(str::to_owned);
        let choice = client.choose("decision=accept-all").await;
        let mut headers = vec![("cookie", &*choice)];
        headers.extend(etag.as_deref().map(|e| ("if-none-match", e)));
        headers.extend(modified.as_deref().map(|m| ("if-modified-since", m)));
        assert_eq!(client.navigate("/", &headers).await.status, 200);
    });
}

#[test]
fn a_response_whose_cookies_were_filtered_is_private() {
    block_on(async {
        let headers = [("content-type", "image/png"), ("cache-control", "public, max-age=9"), ("set-cookie", "_ga=1")];
        let origin = Origin::fixed(200, &headers, "png").await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h2(&proxy).await.get("/a.png", &[]).await;
        let cache_control = reply.header("cache-control").unwrap();
        assert!(cache_control.contains("private") && !cache_control.contains("public"), "{cache_control}");
    });
}

#[test]
fn digests_of_a_changed_body_go() {
    block_on(async {
        let headers = [
            ("content-type", "text/html"),
            ("content-md5", "x"),
            ("digest", "sha-256=x"),
            ("repr-digest", "sha-256=:x:"),
            ("content-digest", "sha-256=:x:"),
        ];
        let origin = Origin::fixed(200, &headers, "<p>tea").await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
        for (name, _) in &headers[1..] {
            assert_eq!(reply.header(name), None, "{name}");
        }
    });
}

#[test]
fn a_part_of_a_page_cannot_be_filtered() {
    block_on(async {
        let origin = Origin::start(|seen| {
            if seen.headers.contains_key("range") {
                respond(206, &[("content-type", "text/html"), ("content-range", "bytes 0-2/9")], "<p>")
            } else {
                respond(200, &[("content-type", "text/html")], "<p>whole")
            }
        })
        .await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        let whole = client.navigate("/", &[("range", "bytes=0-2")]).await;
        assert_eq!((whole.status.as_u16(), &*whole.text()), (200, "<p>whole"));
        // A crawler, or a download that goes on: nothing says beforehand that it is for a page.
        for accept in ["*/*", "application/octet-stream"] {
            let asked =
                [("range", "bytes=0-2"), ("if-range", "\"e\""), ("sec-fetch-dest", "empty"), ("accept", accept)];
            let whole = client.get("/", &asked).await;
            assert_eq!((whole.status.as_u16(), &*whole.text()), (200, "<p>whole"));
            assert_eq!(origin.last().header("if-range"), None);
        }
        let ranged = [("range", "bytes=0-2"), ("accept", "*/*")];
        let empty = [ranged[0], ranged[1], ("content-length", "0")];
        assert_eq!(client.get("/", &empty).await.status, 200, "it says that it has no body");
        assert_eq!(client.send(Method::GET, "/", &ranged, "x").await.status, 502, "its body is gone");
    });
}

#[test]
fn a_part_of_what_is_no_page_stays_one() {
    block_on(async {
        let headers = [("content-type", "video/mp4"), ("content-range", "bytes 0-2/9")];
        let origin = Origin::fixed(206, &headers, "abc").await;
        let proxy = Proxy::to(origin.address).await;
        let part = Client::h1(&proxy).await.get("/", &[("range", "bytes=0-2"), ("accept", "*/*")]).await;
        assert_eq!((part.status.as_u16(), &*part.text(), origin.seen().len()), (206, "abc", 1));
    });
}

#[test]
fn link_headers_to_blocked_services_go() {
    block_on(async {
        let link = "</own.css>; rel=preload, <https://cdn.adnet.example/a.js>; rel=preload; as=script, \
                    <https://fine.example/>; rel=\"preconnect, x\"";
        let origin = Origin::fixed(200, &[("content-type", "text/html"), ("link", link)], "<p>tea").await;
        let proxy = Proxy::builder().site(HOST, origin.address, "").start();
        let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
        let left = reply.header("link").unwrap();
        assert!(left.contains("</own.css>; rel=preload") && left.contains("rel=\"preconnect, x\""), "{left}");
        assert!(!left.contains("adnet"), "{left}");
    });
}
