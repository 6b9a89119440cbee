//! Several origins of one site: who gets a request, what becomes of those that fail, and what is never sent twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use http::Method;
use serde_json::Value;
use tokio::time::{Duration, Instant};

use crate::reload::admin;
use crate::support::origin::respond;
use crate::support::proxy::POLICY;
use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on};

const ADMIN: &str = "admin: { listen: 127.0.0.1:0 }";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn before(origins: &[SocketAddr], extra: &str) -> Proxy {
    let urls: Vec<_> = origins.iter().map(|address| format!("http://{address}")).collect();
    let list = format!("[{}]", urls.join(", "));
    Proxy::builder().top(ADMIN).site_with(HOST, &list, POLICY, extra).start()
}

/// Where nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn is_up(proxy: &Proxy, at: usize) -> bool {
    let status: Value = serde_json::from_str(&admin(proxy, "/api/status").await).unwrap();
    status["sites"][0]["origins"][at]["up"].as_bool().unwrap()
}

/// A server asks itself no more often than this test: until something holds, or the test hangs.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    while !holds().await {}
}

/// Busy and idle connections to the first origin, which the metrics tell likewise.
async fn connections(proxy: &Proxy) -> (u64, u64) {
    let status: Value = serde_json::from_str(&admin(proxy, "/api/status").await).unwrap();
    let connections = &status["sites"][0]["origins"][0]["connections"];
    (connections["busy"].as_u64().unwrap(), connections["idle"].as_u64().unwrap())
}

#[test]
fn connections_to_an_origin_are_busy_or_idle_until_they_are_gone() {
    block_on(async {
        let steps = vec![Step::ReadHead, Step::Wait, Step::Write(OK.to_vec()), Step::Wait, Step::Close];
        let origin = RawOrigin::start(steps).await;
        let proxy = before(&[origin.address], "");
        assert_eq!(connections(&proxy).await, (0, 0));
        let mut client = Client::h2(&proxy).await;
        let asked = tokio::spawn(async move { client.get("/", &[]).await.status });
        origin.asked().await;
        assert_eq!(connections(&proxy).await, (1, 0));
        origin.go();
        assert_eq!(asked.await.unwrap(), 200);
        until(async || connections(&proxy).await == (0, 1)).await;
        let metrics = admin(&proxy, "/metrics").await;
        for (state, count) in [("busy", 0), ("idle", 1)] {
            let of = format!("site=\"{HOST}\",origin=\"http://{}\",state=\"{state}\"", origin.address);
            let line = format!("consentry_origin_connections_open{{{of}}} {count}\n");
            assert!(metrics.contains(&line), "no {line} in {metrics}");
        }
        assert!(admin(&proxy, "/").await.contains("0 busy, 1 idle"));
        origin.go();
        until(async || connections(&proxy).await == (0, 0)).await;
    });
}

#[test]
fn a_websocket_keeps_its_connection_busy() {
    block_on(async {
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let steps = vec![Step::ReadHead, Step::Write(switch.to_vec()), Step::Wait, Step::Close];
        let origin = RawOrigin::start(steps).await;
        let proxy = before(&[origin.address], "");
        let mut raw = Raw::h1(&proxy).await;
        let ask = b"GET /ws HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        raw.write(ask).await;
        raw.read_until(b"\r\n\r\n").await;
        assert_eq!(connections(&proxy).await, (1, 0));
        origin.go();
        raw.read_to_end().await;
        drop(raw);
        until(async || connections(&proxy).await == (0, 0)).await;
    });
}

#[test]
fn requests_are_spread() {
    block_on(async {
        let origins =
            [Origin::fixed(200, &[], "").await, Origin::fixed(200, &[], "").await, Origin::fixed(200, &[], "").await];
        let proxy = before(&origins.each_ref().map(|origin| origin.address), "");
        let (mut h1, mut h2) = (Client::h1(&proxy).await, Client::h2(&proxy).await);
        for _ in 0..6 {
            assert_eq!(h1.get("/", &[]).await.status, 200);
            assert_eq!(h2.send(Method::POST, "/", &[], "a=1").await.status, 200);
        }
        assert_eq!(origins.each_ref().map(|origin| origin.seen().len()), [4, 4, 4]);
        assert_eq!(origins.each_ref().map(Origin::connections), [1, 1, 1], "each keeps its connections");
    });
}

#[test]
fn least_requests_avoids_who_is_slow() {
    block_on(async {
        let slow = RawOrigin::start(vec![Step::ReadHead, Step::Wait, Step::Write(OK.to_vec()), Step::Stall]).await;
        let quick = Origin::fixed(200, &[], "quick").await;
        let proxy = before(&[slow.address, quick.address], "balance: least-requests");
        let mut held = Client::h2(&proxy).await;
        let held = tokio::spawn(async move { held.get("/held", &[]).await.status });
        slow.asked().await;
        let mut client = Client::h2(&proxy).await;
        for _ in 0..10 {
            assert_eq!(client.get("/", &[]).await.text(), "quick");
        }
        slow.go();
        assert_eq!(held.await.unwrap(), 200);
        assert_eq!(quick.seen().len(), 10);
    });
}

#[test]
fn a_dead_origin_costs_no_request_whatever_its_method() {
    block_on(async {
        let origin = Origin::start(|seen| respond(200, &[], seen.body.clone())).await;
        let proxy = before(&[nobody(), origin.address, nobody()], "");
        let mut client = Client::h2(&proxy).await;
        for n in 0..30 {
            let body = format!("{n}");
            assert_eq!(client.send(Method::POST, "/", &[], &body).await.text(), body, "with the whole body");
            assert_eq!(client.get("/", &[]).await.status, 200);
        }
        assert_eq!(origin.seen().len(), 60);
        assert_eq!([is_up(&proxy, 0).await, is_up(&proxy, 1).await, is_up(&proxy, 2).await], [false, true, false]);
        let metrics = admin(&proxy, "/metrics").await;
        let up = format!("consentry_origin_up{{site=\"{HOST}\",origin=\"http://{}\"}} 1\n", origin.address);
        assert!(metrics.contains(&up), "{metrics}");
        assert_eq!(metrics.matches("consentry_origin_up{").count(), 3);
        let page = admin(&proxy, "/").await;
        assert_eq!(page.matches(" is down.</li>").count(), 2, "{page}");
    });
}

#[test]
fn all_dead_is_502_and_names_nobody_and_a_living_one_is_found_at_once() {
    block_on(async {
        let (one, other) = (nobody(), nobody());
        let proxy = before(&[one, other], "");
        let mut client = Client::h1(&proxy).await;
        for _ in 0..10 {
            let reply = client.get("/", &[]).await;
            assert_eq!(reply.status, 502);
            let shown = format!("{:?}{}", reply.headers, reply.text());
            assert!(!shown.contains("127.0.0.1") && !shown.contains(&other.port().to_string()), "{shown}");
        }
        let listener = std::net::TcpListener::bind(other).unwrap();
        let answering = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(OK).unwrap();
        });
        assert_eq!(client.get("/", &[]).await.text(), "ok", "whoever is out is tried if nobody is in");
        answering.join().unwrap();
        assert!(is_up(&proxy, 1).await);
    });
}

#[test]
fn answers_that_say_unable_take_an_origin_out() {
    block_on(async {
        let (bad, good) = (Origin::fixed(503, &[], "").await, Origin::fixed(200, &[], "").await);
        let proxy = before(&[bad.address, good.address], "");
        let (mut client, start) = (Client::h1(&proxy).await, Instant::now());
        for _ in 0..30 {
            client.get("/", &[]).await;
        }
        // Three in a row, and then one for each time that it was given to get well.
        let most = 3 + start.elapsed().as_secs() as usize;
        assert!((3..=most).contains(&bad.seen().len()), "{}", bad.seen().len());
        assert_eq!(bad.seen().len() + good.seen().len(), 30, "what an origin has answered is not asked again");
    });
}

#[test]
fn checks_take_an_origin_out_and_bring_it_back() {
    block_on(async {
        let well = Arc::new(AtomicBool::new(true));
        let answers = Arc::clone(&well);
        let checked = Origin::start(move |seen| match &*seen.target {
            "/healthz?full" if answers.load(Relaxed) => respond(204, &[], ""),
            "/healthz?full" => respond(500, &[], ""),
            _ => respond(200, &[], "checked"),
        })
        .await;
        let other = Origin::fixed(200, &[], "other").await;
        let health = "health: { path: '/healthz?full', interval: 10ms, unhealthy_after: 2, expect_status: [200-299] }";
        let proxy = before(&[checked.address, other.address], health);
        let mut client = Client::h2(&proxy).await;
        let mut who = async || {
            let replies = [client.get("/", &[]).await.text(), client.get("/", &[]).await.text()];
            replies.contains(&"checked".to_owned())
        };
        until(async || checked.seen().iter().any(|seen| seen.target == "/healthz?full")).await;
        let asked = checked.seen().into_iter().find(|seen| seen.target == "/healthz?full").unwrap();
        assert_eq!((asked.method.as_str(), asked.header("host")), ("GET", Some(HOST)));
        assert!(who().await);
        well.store(false, Relaxed);
        until(async || !is_up(&proxy, 0).await).await;
        assert!(!who().await, "though it answers requests");
        well.store(true, Relaxed);
        until(async || is_up(&proxy, 0).await).await;
        assert!(who().await);
        // Whom nobody checks any more is well.
        well.store(false, Relaxed);
        until(async || !is_up(&proxy, 0).await).await;
        proxy.change(health, "mode: enforce");
        until(async || is_up(&proxy, 0).await).await;
    });
}

#[test]
fn what_was_sent_is_repeated_only_if_nothing_came_back_and_nothing_can_have_happened_twice() {
    block_on(async {
        // The keep-alive race, made certain: the second request on a connection is read, and then it ends.
        let silent = vec![Step::ReadHead, Step::Write(OK.to_vec()), Step::ReadHead, Step::Close];
        let part = vec![
            Step::ReadHead,
            Step::Write(OK.to_vec()),
            Step::ReadHead,
            Step::Write(b"HTTP/1.1 2".to_vec()),
            Step::Close,
        ];
        for (steps, method, body, sent, status) in [
            (&silent, Method::GET, "", 2, 200),
            (&silent, Method::PUT, "", 2, 200),
            (&silent, Method::DELETE, "", 2, 200),
            (&silent, Method::POST, "", 1, 502),
            (&silent, Method::PATCH, "", 1, 502),
            (&silent, Method::POST, "a=1", 1, 502),
            (&silent, Method::PUT, "a=1", 1, 502),
            (&part, Method::GET, "", 1, 502),
        ] {
            let origins = [RawOrigin::start(steps.clone()).await, RawOrigin::start(steps.clone()).await];
            let proxy = before(&origins.each_ref().map(|origin| origin.address), "");
            let mut client = Client::h1(&proxy).await;
            assert_eq!([client.get("/", &[]).await.status, client.get("/", &[]).await.status], [200, 200]);
            assert_eq!(client.send(method.clone(), "/once", &[], body).await.status, status, "{method} {body}");
            let received: Vec<u8> = origins.iter().flat_map(RawOrigin::received).collect();
            let received = String::from_utf8(received).unwrap();
            assert_eq!(received.matches(&format!("{method} /once ")).count(), sent, "{method} {body}: {received}");
        }
    });
}

#[test]
fn a_slow_upload_is_not_the_origins_fault() {
    block_on(async {
        let slow = Duration::from_millis(150);
        let pieces: Vec<_> = (0..2000).flat_map(|_| [Step::Read(1)]).collect();
        let steps = [vec![Step::ReadHead], pieces, vec![Step::Write(OK.to_vec()), Step::Stall]].concat();
        let origin = RawOrigin::start(steps).await;
        let top = "timeouts: { origin_first_byte: 150ms }";
        let proxy = Proxy::builder().top(top).site(HOST, origin.address, "").start();
        let mut raw = Raw::h1(&proxy).await;
        raw.write(b"POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n").await;
        let (start, mut sent) = (Instant::now(), 0);
        while sent < 2000 {
            // Each piece follows the one before; the last when thrice the limit is over.
            let piece = if start.elapsed() < slow * 3 { 1 } else { 2000 - sent };
            let before = origin.received().len();
            raw.write(&vec![b'x'; piece]).await;
            sent += piece;
            until(async || {
                tokio::task::yield_now().await;
                origin.received().len() > before
            })
            .await;
        }
        assert!(start.elapsed() >= slow, "no faster than the limit: {:?}", start.elapsed());
        let answer = String::from_utf8(raw.read_to_end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    });
}

#[test]
fn origins_come_and_go_with_the_configuration() {
    block_on(async {
        let (one, two) = (Origin::fixed(200, &[], "one").await, Origin::fixed(200, &[], "two").await);
        let proxy = before(&[one.address], "");
        let mut client = Client::h2(&proxy).await;
        assert_eq!(client.get("/", &[]).await.text(), "one");
        proxy
            .change(&format!("[http://{}]", one.address), &format!("[http://{}, http://{}]", one.address, two.address));
        let seen = [client.get("/", &[]).await.text(), client.get("/", &[]).await.text()];
        assert!(seen.contains(&"one".to_owned()) && seen.contains(&"two".to_owned()), "{seen:?}");
        proxy.change(&format!("http://{}, ", one.address), "");
        assert_eq!(client.get("/", &[]).await.text(), "two");
        assert!(!admin(&proxy, "/metrics").await.contains(&one.address.to_string()));
    });
}

#[test]
fn websockets_find_a_living_origin_too() {
    block_on(async {
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        let steps = vec![
            Step::ReadHead,
            Step::Write(answer.to_vec()),
            Step::Read(4),
            Step::Write(b"pong".to_vec()),
            Step::Stall,
        ];
        let origin = RawOrigin::start(steps).await;
        let proxy = before(&[nobody(), origin.address], "balance: least-requests");
        let mut raw = Raw::h1(&proxy).await;
        raw.write(
            b"GET /ws HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .await;
        raw.read_until(b"\r\n\r\n").await;
        raw.write(b"ping").await;
        raw.read_until(b"pong").await;
    });
}

#[test]
fn a_certificate_may_bear_another_name_than_the_address() {
    block_on(async {
        let shop = Origin::fixed(200, &[], "behind two").await;
        let inner = Proxy::builder().site("localhost", shop.address, "").start();
        let ca = inner.folder.path().join("ca.pem");
        std::fs::write(&ca, inner.authority.pem()).unwrap();
        for (name, status) in [("origin_name: localhost", 200), ("origin_name: other.example", 502), ("", 502)] {
            let origin = format!("https://{}", inner.address);
            let extra = format!("origin_ca: {}\n{name}", ca.display());
            let outer = Proxy::builder().site_with("localhost", &origin, POLICY, &extra).start();
            assert_eq!(Client::h2_to(&outer, "localhost").await.get("/", &[]).await.status, status, "{name}");
        }
    });
}
