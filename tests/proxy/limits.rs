//! Slow, idle and crowding clients.

use http::Method;
use http_body_util::BodyExt;

use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on, frames};

#[test]
fn a_slow_head_gets_408_and_others_are_served_meanwhile() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().top("timeouts: { request_head: 300ms }").site(HOST, origin.address, "").start();
        let mut slow = Raw::h1(&proxy).await;
        slow.write(b"GET / HTTP/1.1\r\nHost: shop").await;
        assert_eq!(Client::h2(&proxy).await.get("/", &[]).await.text(), "ok");
        let answer = String::from_utf8(slow.read_to_end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(origin.seen().len(), 1);
    });
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().top("timeouts: { idle: 300ms }").site(HOST, origin.address, "").start();
        let mut never = Raw::h1(&proxy).await;
        assert_eq!(never.read_to_end().await, b"");
        let mut once = Raw::h1(&proxy).await;
        once.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
        let answer = String::from_utf8(once.read_to_end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok"), "{answer}");
    });
}

#[test]
fn an_idle_connection_of_http2_is_told_that_it_is_closed() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().top("timeouts: { idle: 300ms }").site(HOST, origin.address, "").start();
        let (mut frames, mut answers) = frames::open(&proxy, &[]).await;
        assert!(frames.send(&frames::get(1, "/")).await);
        assert_eq!(answers.end().await, Some(0), "GOAWAY with NO_ERROR, as RFC 9113 §6.8 wants");
    });
}

/// A stream may be silent for long; a client that answers no ping is gone.
#[test]
fn a_silent_client_of_http2_is_asked_whether_it_is_there() {
    block_on(async {
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
        let top = "timeouts: { body_idle: 200ms, origin_first_byte: 1h }";
        let proxy = Proxy::builder().top(top).site(HOST, origin.address, "").start();
        let (mut frames, mut answers) = frames::open(&proxy, &[]).await;
        assert!(frames.send(&frames::get(1, "/")).await);
        for _ in 0..3 {
            let ping = loop {
                let frame = answers.next().await.expect("one that answers stays");
                if frame.kind == frames::PING && frame.flags & frames::ACK == 0 {
                    break frame;
                }
            };
            assert!(frames.send(&frames::frame(frames::PING, frames::ACK, 0, &ping.payload)).await);
        }
        answers.end().await;
    });
}

/// Over HTTP/2 much is said between requests, and none of it is the start of a head.
#[test]
fn pings_and_windows_do_not_make_an_idle_connection_a_slow_one() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().top("timeouts: { request_head: 300ms }").site(HOST, origin.address, "").start();
        let (mut frames, mut answers) = frames::open(&proxy, &[]).await;
        assert!(frames.send(&frames::get(1, "/")).await);
        while answers.next().await.expect("an answer").flags & frames::END_STREAM == 0 {}
        let window = frames::frame(frames::WINDOW_UPDATE, 0, 0, &1000_u32.to_be_bytes());
        assert!(frames.send(&[window, frames::frame(frames::PING, 0, 0, &[0; 8])].concat()).await);
        // As long as a head may take.
        let mut slow = Raw::h1(&proxy).await;
        slow.write(b"GET / HTTP/1.1\r\nHost: shop").await;
        slow.read_to_end().await;
        assert!(frames.send(&frames::get(3, "/")).await);
        while answers.next().await.is_some_and(|frame| frame.stream != 3) {}
        assert_eq!(origin.seen().len(), 2);
        // One that does not come to its end is slow here, too.
        assert!(frames.send(&frames::get(5, "/")[..20]).await);
        answers.end().await;
    });
}

#[test]
fn a_tls_handshake_that_does_not_come_is_closed() {
    block_on(async {
        use tokio::io::AsyncReadExt;
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().top("timeouts: { handshake: 300ms }").site(HOST, origin.address, "").start();
        let mut silent = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let mut bytes = Vec::new();
        let _ = silent.read_to_end(&mut bytes).await;
        assert!(bytes.is_empty());
    });
}

#[test]
fn an_upload_that_stalls_is_given_up() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().top("timeouts: { body_idle: 300ms }").site(HOST, origin.address, "").start();
        let mut slow = Raw::h1(&proxy).await;
        slow.write(b"POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 100\r\n\r\nabc").await;
        let answer = String::from_utf8(slow.read_to_end().await).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    });
}

#[test]
fn a_client_that_does_not_read_holds_no_more_than_buffers() {
    block_on(async {
        let length: u64 = 1 << 30;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let mut steps = vec![Step::ReadHead, Step::Write(head.into_bytes())];
        steps.extend((0..1024).map(|_| Step::Write(vec![b'x'; 1 << 20])));
        let mut origin = RawOrigin::start(steps).await;
        let proxy = Proxy::builder().top("timeouts: { body_idle: 500ms }").site(HOST, origin.address, "").start();
        let mut lazy = Raw::h1(&proxy).await;
        lazy.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
        // Back-pressure holds the origin up; then the client is dropped, and the origin with it.
        origin.closed().await;
        assert!((lazy.read_to_end().await.len() as u64) < length);
    });
}

#[test]
fn an_abandoned_response_frees_the_origin() {
    block_on(async {
        let mut steps =
            vec![Step::ReadHead, Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n".to_vec())];
        steps.extend((0..95).map(|_| Step::Write(vec![b'x'; 1 << 20])));
        let mut origin = RawOrigin::start(steps).await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let mut response = client.start(Method::GET, "/", &[], "").await.unwrap();
        response.body_mut().frame().await.unwrap().unwrap();
        drop(response);
        origin.closed().await;
        assert_eq!(client.get("/_consent/", &[]).await.status, 200, "the connection is fine");
    });
}
