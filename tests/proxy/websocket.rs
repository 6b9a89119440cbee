//! WebSocket over HTTP/1.1 and over HTTP/2 (extended CONNECT), and server-sent events.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on, client};

const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSet-Cookie: _ga=1\r\nSet-Cookie: SHOPSID=1\r\n\r\n";

async fn echo() -> RawOrigin {
    RawOrigin::start(vec![
        Step::ReadHead,
        Step::Write(SWITCH.to_vec()),
        Step::Read(5),
        Step::Write(b"world".to_vec()),
        Step::Close,
    ])
    .await
}

#[test]
fn a_websocket_is_tunnelled_and_its_cookies_are_decided() {
    block_on(async {
        let origin = echo().await;
        let proxy = Proxy::to(origin.address).await;
        let mut raw = Raw::h1(&proxy).await;
        raw.write(
            b"GET /ws HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: _fbp=1; cart=2\r\n\r\n",
        )
        .await;
        let head = String::from_utf8(raw.read_until(b"\r\n\r\n").await).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        assert!(!head.contains("_ga") && head.contains("shopsid=1; httponly; secure; samesite=strict"), "{head}");
        raw.write(b"hello").await;
        assert_eq!(raw.read_to_end().await, b"world");
        let received = String::from_utf8(origin.received()).unwrap().to_ascii_lowercase();
        assert!(received.contains("cookie: cart=2\r\n"), "{received}");
        assert!(
            received.contains("upgrade: websocket\r\n")
                && received.contains("sec-websocket-key: dghlihnhbxbszsbub25jzq==\r\n")
        );
    });
}

#[test]
fn a_websocket_over_http2_is_one_over_http1_to_the_origin() {
    block_on(async {
        let origin = echo().await;
        let proxy = Proxy::to(origin.address).await;
        let mut io = extended(&proxy).await;
        io.write_all(b"hello").await.unwrap();
        let mut answer = [0; 5];
        io.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"world");
        let received = String::from_utf8(origin.received()).unwrap().to_ascii_lowercase();
        assert!(received.starts_with("get /ws http/1.1\r\n"), "{received}");
        assert!(received.contains("sec-websocket-key: ") && received.contains("upgrade: websocket\r\n"), "{received}");
    });
}

/// Its connection has no other exchange, and what arrives on it is no request that takes too long.
#[test]
fn a_websocket_over_http2_outlives_the_limits_of_requests() {
    block_on(async {
        let mut steps = vec![Step::ReadHead, Step::Write(SWITCH.to_vec()), Step::Read(5), Step::Wait];
        steps.extend([Step::Write(b"world".to_vec()), Step::Close]);
        let origin = RawOrigin::start(steps).await;
        let limits = "timeouts: { request_head: 300ms, idle: 300ms }";
        let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
        let mut io = extended(&proxy).await;
        io.write_all(b"hello").await.unwrap();
        io.flush().await.unwrap();
        // As long as either limit.
        for start in [&b""[..], b"GET / HTTP/1.1\r\nHost: shop"] {
            let mut slow = Raw::h1(&proxy).await;
            slow.write(start).await;
            slow.read_to_end().await;
        }
        origin.go();
        let mut answer = [0; 5];
        io.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"world");
    });
}

/// A WebSocket over HTTP/2 (RFC 8441).
async fn extended(proxy: &Proxy) -> TokioIo<Upgraded> {
    let response = extended_connect(proxy).await.unwrap();
    assert_eq!(response.status(), 200);
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

/// Asks for one.
async fn extended_connect(proxy: &Proxy) -> hyper::Result<Response<Incoming>> {
    let stream = client::connect(proxy, HOST, b"h2").await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    // The server's settings say that it speaks extended CONNECT; they come with the first answer.
    let first = Request::get("https://shop.example/_consent/").body(Empty::new()).unwrap();
    sender.send_request(first).await.unwrap().into_body().collect().await.unwrap();
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri("https://shop.example/ws")
        .header("sec-websocket-version", "13")
        .extension(hyper::ext::Protocol::from_static("websocket"))
        .body(Empty::new())
        .unwrap();
    sender.send_request(request).await
}

/// Success would tell the client that there is a WebSocket.
#[test]
fn a_page_in_place_of_a_websocket_is_an_error_over_http2() {
    block_on(async {
        for (status, expected) in [(200, 502), (204, 502), (403, 403)] {
            let origin = Origin::fixed(status, &[("content-type", "text/html")], "").await;
            let proxy = Proxy::to(origin.address).await;
            assert_eq!(extended_connect(&proxy).await.unwrap().status(), expected);
        }
    });
}

#[test]
fn a_refused_upgrade_is_an_ordinary_answer() {
    block_on(async {
        let origin = Origin::fixed(403, &[], "no").await;
        let proxy = Proxy::to(origin.address).await;
        let headers = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let reply = Client::h1(&proxy).await.get("/ws", &headers).await;
        assert_eq!((reply.status.as_u16(), &*reply.text()), (403, "no"));
    });
}

#[test]
fn events_are_not_buffered() {
    block_on(async {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n";
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Write(head.to_vec()),
            Step::Wait,
            Step::Write(b"data: two\n\n".to_vec()),
            Step::Close,
        ])
        .await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let response = client.start(Method::GET, "/events", &[("accept", "text/event-stream")], "").await.unwrap();
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&first[..], b"data: one\n\n");
        origin.go();
        assert_eq!(&body.collect().await.unwrap().to_bytes()[..], b"data: two\n\n");
    });
}
