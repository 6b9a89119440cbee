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

/// To CGI and its kin they are the fields that we write.
#[test]
fn fields_that_an_application_takes_for_ours_do_not_reach_it() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        for extra in ["", "mode: off"] {
            let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
            let lies = [("x_forwarded_for", "6.6.6.6"), ("consent_", "marketing"), ("x-own", "1")];
            Client::h1(&proxy).await.get("/", &lies).await;
            let names: Vec<_> = origin.last().headers.keys().map(|name| name.as_str().to_owned()).collect();
            assert!(names.iter().any(|name| name == "x-own"), "{names:?}");
            assert!(!names.iter().any(|name| name.contains('_')), "{extra} {names:?}");
        }
    });
}

/// Of a site that is set up under its own address, which visitors cannot reach.
#[test]
fn redirects_to_the_origin_lead_to_the_site() {
    block_on(async {
        let own = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
        let of = std::sync::Arc::clone(&own);
        let origin = Origin::start(move |seen| {
            let to = format!("http://{}{}", of.get().unwrap(), seen.target);
            crate::support::origin::respond(302, &[("location", &to)], "")
        })
        .await;
        own.set(origin.address.to_string()).unwrap();
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h2(&proxy).await.get("/cart?a=1", &[]).await;
        assert_eq!(reply.header("location"), Some(&*format!("https://{HOST}/cart?a=1")));
        let off = Proxy::builder().site(HOST, origin.address, "mode: off").start();
        let reply = Client::h2(&off).await.get("/", &[]).await;
        assert_eq!(reply.header("location"), Some(&*format!("http://{}/", origin.address)));
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
