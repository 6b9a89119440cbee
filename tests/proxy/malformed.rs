//! Requests that are wrong: refused, and nothing of them reaches the origin.

use crate::support::{Origin, Proxy, Raw, block_on};

async fn status_of(proxy: &Proxy, request: &[u8]) -> u16 {
    let mut raw = Raw::h1(proxy).await;
    raw.write(request).await;
    let head = raw.read_until(b"\r\n").await;
    std::str::from_utf8(&head[9..12]).unwrap().parse().unwrap()
}

#[test]
fn malformed_requests_are_refused_and_not_forwarded() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "reached").await;
        let proxy = Proxy::to(origin.address).await;
        for (request, status) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: shop.example\r\nHost: shop.example\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: shop.example, evil.example\r\n\r\n", 400),
            ("GET https://evil.example/ HTTP/1.1\r\nHost: shop.example\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: shop.example\r\nBad Header: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: shop.example\r\n folded: x\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: -5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: +5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length:\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.0\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (
                "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400,
            ),
            (
                "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                400,
            ),
            ("CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n", 405),
            ("TRACE / HTTP/1.1\r\nHost: shop.example\r\n\r\n", 405),
            ("GARBAGE\r\n\r\n", 400),
        ] {
            assert_eq!(status_of(&proxy, request.as_bytes()).await, status, "{request:?}");
        }
        assert!(origin.seen().is_empty(), "{:?}", origin.seen());
    });
}

#[test]
fn heads_beyond_the_limits_are_refused() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::builder()
            .top("limits: { head_bytes: 16 KiB, head_fields: 50 }")
            .site(crate::support::HOST, origin.address, "")
            .start();
        let field = |n: usize| format!("X-{n}: {}\r\n", "v".repeat(10));
        let many: String = (0..60).map(field).collect();
        let large = format!("X: {}\r\n", "v".repeat(20_000));
        for headers in [many, large] {
            let request = format!("GET / HTTP/1.1\r\nHost: shop.example\r\n{headers}\r\n");
            assert_eq!(status_of(&proxy, request.as_bytes()).await, 431);
        }
        assert!(origin.seen().is_empty());
    });
}

#[test]
fn fields_named_by_connection_do_not_change_what_was_judged() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let request = "GET / HTTP/1.1\r\nHost: shop.example\r\nCookie: SHOPSID=1\r\nX-Hop: 1\r\nSec-GPC: 1\r\n\
                       Keep-Alive: timeout=5\r\nProxy-Authorization: secret\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\
                       Connection: cookie, x-hop, consent, host, upgrade, http2-settings\r\n\r\n";
        assert_eq!(status_of(&proxy, request.as_bytes()).await, 200);
        let seen = origin.last();
        assert_eq!(seen.header("cookie"), Some("SHOPSID=1"));
        assert_eq!(seen.header("consent"), Some("necessary"));
        assert_eq!(seen.header("host"), Some("shop.example"));
        for gone in ["x-hop", "keep-alive", "proxy-authorization", "upgrade", "http2-settings"] {
            assert_eq!(seen.header(gone), None, "{gone}");
        }
    });
}
