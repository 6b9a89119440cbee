//! HTTP/1.1 connections that wait for so long that they give their buffers back: nobody notices.

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";

fn proxy(origin: std::net::SocketAddr, timeouts: &str) -> Proxy {
    Proxy::builder().top(&format!("timeouts: {{ rest: 10ms, {timeouts} }}")).site(HOST, origin, "").start()
}

/// Waits as long as a head may take, which is much longer than connections take to come to rest.
async fn rest(proxy: &Proxy) {
    let mut slow = Raw::h1(proxy).await;
    slow.write(b"GET / HTTP/1.1\r\nHost: shop").await;
    assert!(slow.read_to_end().await.starts_with(b"HTTP/1.1 408 "));
}

#[test]
fn the_next_request_is_answered_as_often_as_it_comes() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let mut client = Client::h1(&proxy).await;
        for path in ["/one", "/two", "/three"] {
            rest(&proxy).await;
            assert_eq!(client.get(path, &[]).await.text(), "fine");
            assert_eq!(client.get(path, &[]).await.text(), "fine", "at once");
            assert_eq!(origin.last().target, path);
        }
        assert_eq!(origin.seen().len(), 6);
    });
}

#[test]
fn a_head_may_come_in_pieces_and_requests_in_a_row() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        // Longer, for what comes in pieces.
        let proxy = proxy(origin.address, "request_head: 1s");
        let mut raw = Raw::h1(&proxy).await;
        rest(&proxy).await;
        for piece in GET.chunks(5) {
            raw.write(piece).await;
        }
        raw.read_until(b"fine").await;
        rest(&proxy).await;
        raw.write(&[GET, GET, &GET[..9]].concat()).await;
        // The two may come in one read.
        let first = raw.read_until(b"fine").await;
        if first.windows(4).filter(|bytes| bytes == b"fine").count() < 2 {
            raw.read_until(b"fine").await;
        }
        raw.write(&GET[9..]).await;
        raw.read_until(b"fine").await;
        assert_eq!(origin.seen().len(), 4);
    });
}

#[test]
fn an_upload_comes_whole() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let body = "0123456789".repeat(20_000);
        let mut client = Client::h1(&proxy).await;
        let mut raw = Raw::h1(&proxy).await;
        for _ in 0..2 {
            rest(&proxy).await;
            assert_eq!(client.send(Method::POST, "/", &[], &body).await.text(), "fine");
            assert_eq!(origin.last().body, body);
            raw.write(b"POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").await;
            // In the middle of a message nobody rests.
            rest(&proxy).await;
            raw.write(b"lo\r\n0\r\n\r\n").await;
            raw.read_until(b"fine").await;
            assert_eq!(origin.last().body, "hello");
        }
    });
}

/// Were it taken out of hyper, what is left of the body would be read as a request.
#[test]
fn who_is_answered_in_the_middle_of_an_upload_does_not_rest() {
    block_on(async {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly".to_vec();
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(answer), Step::Stall]).await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let mut raw = Raw::h1(&proxy).await;
        raw.write(format!("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {}\r\n\r\n", GET.len()).as_bytes())
            .await;
        raw.read_until(b"early").await;
        rest(&proxy).await;
        // It may be closed already.
        let _ = raw.0.write_all(GET).await;
        let _ = raw.0.flush().await;
        rest(&proxy).await;
        let answer = raw.read_to_end().await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    });
}

#[test]
fn an_answer_that_takes_long_is_no_rest() {
    block_on(async {
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".to_vec()),
            Step::Wait,
            Step::Write(b"world".to_vec()),
            Step::Stall,
        ])
        .await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let mut raw = Raw::h1(&proxy).await;
        raw.write(GET).await;
        raw.read_until(b"hello").await;
        rest(&proxy).await;
        origin.go();
        raw.read_until(b"world").await;
    });
}

#[test]
fn a_head_that_does_not_end_gets_408() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let mut slow = Raw::h1(&proxy).await;
        slow.write(GET).await;
        slow.read_until(b"fine").await;
        rest(&proxy).await;
        slow.write(b"GET / HTTP/1.1\r\nHost: shop").await;
        let answer = slow.read_to_end().await;
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    });
}

#[test]
fn it_ends_at_the_idle_limit() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let proxy = proxy(origin.address, "idle: 300ms");
        let mut never = Raw::h1(&proxy).await;
        let mut once = Raw::h1(&proxy).await;
        once.write(GET).await;
        once.read_until(b"fine").await;
        assert_eq!(never.read_to_end().await, b"");
        assert_eq!(once.read_to_end().await, b"", "closed without a word");
    });
}

#[test]
fn one_whose_client_closes_is_closed() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let mut raw = Raw::h1(&proxy).await;
        raw.write(GET).await;
        raw.read_until(b"fine").await;
        rest(&proxy).await;
        raw.0.shutdown().await.unwrap();
        let mut last = Vec::new();
        let closed = raw.0.read_to_end(&mut last).await;
        assert!(closed.is_ok() && last.is_empty(), "close_notify is answered: {closed:?}");
    });
}

#[test]
fn a_drain_ends_it_and_answers_a_request_that_crosses() {
    block_on(async {
        let mut answer = String::new();
        // Connections linger for half a second. On a busy machine the request may come later, which proves nothing.
        for _ in 0..5 {
            let origin = Origin::fixed(200, &[], "fine").await;
            let proxy = proxy(origin.address, "request_head: 200ms");
            let (mut silent, mut crossing) = (Raw::h1(&proxy).await, Raw::h1(&proxy).await);
            crossing.write(GET).await;
            crossing.read_until(b"fine").await;
            rest(&proxy).await;
            proxy.stop();
            // The drain has begun.
            while tokio::net::TcpStream::connect(proxy.address).await.is_ok() {}
            crossing.write(GET).await;
            answer = String::from_utf8(crossing.read_to_end().await).unwrap().to_lowercase();
            assert_eq!(silent.read_to_end().await, b"");
            proxy.join();
            if !answer.is_empty() {
                break;
            }
        }
        assert!(answer.starts_with("http/1.1 200") && answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.ends_with("fine"), "{answer}");
    });
}

#[test]
fn a_websocket_may_begin_after_a_rest() {
    block_on(async {
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec();
        let steps =
            vec![Step::ReadHead, Step::Write(switch), Step::Read(5), Step::Write(b"world".to_vec()), Step::Close];
        let origin = RawOrigin::start(steps).await;
        let proxy = proxy(origin.address, "request_head: 200ms");
        let mut raw = Raw::h1(&proxy).await;
        rest(&proxy).await;
        raw.write(
            b"GET /ws HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
        raw.read_until(b"\r\n\r\n").await;
        rest(&proxy).await;
        raw.write(b"hello").await;
        assert_eq!(raw.read_to_end().await, b"world");
    });
}
