//! What the origin is told of the client, and requests with a body that wait for leave.

use crate::support::{Client, HOST, Origin, Proxy, Raw, block_on};

#[test]
fn forwarded_fields_of_strangers_are_overwritten() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let lies = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "for=1.2.3.4"),
        ];
        Client::h2(&proxy).await.get("/", &lies).await;
        let seen = origin.last();
        assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
        assert_eq!(seen.header("x-forwarded-host"), Some(HOST));
        let forwarded = seen.header("forwarded").unwrap();
        assert!(forwarded.contains("for=127.0.0.1") && forwarded.contains("proto=https"), "{forwarded}");
        assert!(!forwarded.contains("1.2.3.4"), "{forwarded}");
    });
}

#[test]
fn forwarded_fields_of_a_trusted_proxy_are_appended_to() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::builder().top("trusted_proxies: [127.0.0.0/8]").site(HOST, origin.address, "").start();
        Client::h1(&proxy).await.get("/", &[("x-forwarded-for", "192.0.2.9")]).await;
        assert_eq!(origin.last().header("x-forwarded-for"), Some("192.0.2.9, 127.0.0.1"));
    });
}

#[test]
fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    block_on(async {
        let origin = Origin::start(|seen| crate::support::origin::respond(200, &[], seen.body.clone())).await;
        let proxy = Proxy::to(origin.address).await;
        let mut raw = Raw::h1(&proxy).await;
        raw.write(b"POST / HTTP/1.1\r\nHost: shop.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n").await;
        raw.read_until(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        raw.write(b"hello").await;
        let answer = String::from_utf8(raw.read_to_end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("hello"), "{answer}");

        let mut raw = Raw::h1(&proxy).await;
        raw.write(b"POST / HTTP/1.1\r\nHost: unknown.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            .await;
        let answer = raw.read_until(b"\r\n\r\n").await;
        assert!(answer.starts_with(b"HTTP/1.1 421 "), "refused before the body was sent");
    });
}

#[test]
fn connections_to_the_origin_are_kept() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html")], "<p>hi").await;
        let proxy = Proxy::to(origin.address).await;
        for _ in 0..5 {
            let mut client = Client::h1(&proxy).await;
            for _ in 0..5 {
                assert_eq!(client.navigate("/", &[]).await.text(), "<p>hi");
            }
        }
        assert_eq!(origin.connections(), 1);
    });
}
