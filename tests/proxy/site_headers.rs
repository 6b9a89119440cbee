//! Headers that a site wants set on each of its responses.

use std::time::Duration;

use crate::support::{Client, HOST, Origin, Proxy, RawOrigin, Step, block_on};

#[test]
fn hsts_and_friends_stand_on_every_answer_of_the_site() {
    block_on(async {
        let origin = Origin::fixed(200, &[("strict-transport-security", "max-age=1")], "ok").await;
        let extra = "headers: { hsts: 1 year, nosniff: true }";
        let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
        let mut client = Client::h2(&proxy).await;
        for path in ["/", "/_consent/", "/_consent/nothing"] {
            let reply = client.get(path, &[]).await;
            let hsts = reply.header("strict-transport-security").unwrap_or_default();
            assert!(hsts.starts_with("max-age=31536000"), "{path}: {hsts}, whatever the origin says");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let proxy = Proxy::builder().site(HOST, free, extra).start();
        let away = Client::h1(&proxy).await.get("/", &[]).await;
        assert_eq!(away.status, 502);
        assert!(away.header("strict-transport-security").is_some(), "an error page is no way round it");
    });
}

/// Without a referrer browsers do not tell where a form comes from.
#[test]
fn our_own_forms_keep_their_origin() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let extra = "headers: { referrer_policy: no-referrer }";
        let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
        let mut client = Client::h2(&proxy).await;
        for (path, expected) in [("/", Some("no-referrer")), ("/_consent/", None), ("/_consent/receipt", None)] {
            assert_eq!(client.get(path, &[]).await.header("referrer-policy"), expected, "{path}");
        }
    });
}

#[test]
fn server_timing_tells_what_we_added_where_asked() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().site(HOST, origin.address, "server_timing: true").start();
        let reply = Client::h2(&proxy).await.get("/", &[]).await;
        let added = reply.header("server-timing").and_then(|v| v.strip_prefix("consentry;dur=")).unwrap();
        assert!(added.parse::<f64>().unwrap() >= 0.0, "{added}");
        let slow = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Wait,
            Step::Write(b"HTTP/1.1 200 OK\r\nServer-Timing: db;dur=9\r\n\r\n".to_vec()),
            Step::Wait,
            // Without a type the first bytes have to be looked at.
            Step::Write(b"<!DOCTYPE html>".to_vec()),
            Step::Close,
        ])
        .await;
        let proxy = Proxy::builder().site(HOST, slow.address, "server_timing: true").start();
        let mut client = Client::h2(&proxy).await;
        let asked = tokio::spawn(async move { client.get("/", &[]).await });
        for _ in 0..2 {
            slow.asked().await;
            tokio::time::sleep(Duration::from_millis(250)).await;
            slow.go();
        }
        let reply = asked.await.unwrap();
        let timings: Vec<_> = reply.headers.get_all("server-timing").iter().map(|v| v.to_str().unwrap()).collect();
        let [theirs, ours] = &*timings else { panic!("{timings:?}") };
        assert_eq!(*theirs, "db;dur=9", "the site's own stays");
        let ours: f64 = ours.strip_prefix("consentry;dur=").unwrap().parse().unwrap();
        assert!(ours < 250.0, "{ours} ms: waiting for the site is not our time");
        let quiet = Proxy::to(origin.address).await;
        assert_eq!(Client::h2(&quiet).await.get("/", &[]).await.header("server-timing"), None);
    });
}
