//! Shutdown: what is in flight is finished, new connections are not taken, the deadline holds.

use http::Method;
use http_body_util::BodyExt;

use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on};

async fn half(top: &str) -> (RawOrigin, Proxy) {
    let origin = RawOrigin::start(vec![
        Step::ReadHead,
        Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".to_vec()),
        Step::Wait,
        Step::Write(b"world".to_vec()),
        Step::Stall,
    ])
    .await;
    let proxy = Proxy::builder().top(top).site(HOST, origin.address, "").start();
    (origin, proxy)
}

#[test]
fn drain_finishes_what_is_in_flight_and_closes() {
    block_on(async {
        for h2 in [false, true] {
            let (origin, proxy) = half("").await;
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            let mut idle = Raw::h1(&proxy).await;
            let response = client.start(Method::GET, "/", &[], "").await.unwrap();
            proxy.stop();
            assert_eq!(idle.read_to_end().await, b"", "idle connections are closed soon");
            origin.go();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(&body[..], b"helloworld");
            client.ended().await;
            assert!(client.start(Method::GET, "/", &[], "").await.is_err(), "no further request; h2: {h2}");
            let address = proxy.address;
            proxy.join();
            assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the listener is gone");
        }
    });
}

/// Connections linger for half a second. On a busy machine the request may come later than that, which proves nothing.
#[test]
fn a_request_that_crosses_the_end_of_its_connection_is_answered() {
    block_on(async {
        let mut answer = String::new();
        for _ in 0..5 {
            let origin = Origin::fixed(200, &[], "fine").await;
            let proxy = Proxy::to(origin.address).await;
            let mut idle = Raw::h1(&proxy).await;
            idle.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
            idle.read_until(b"fine").await;
            proxy.stop();
            // The drain has begun.
            while tokio::net::TcpStream::connect(proxy.address).await.is_ok() {}
            idle.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
            answer = String::from_utf8(idle.read_to_end().await).unwrap().to_lowercase();
            if !answer.is_empty() {
                break;
            }
        }
        assert!(answer.starts_with("http/1.1 200") && answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.ends_with("fine"), "{answer}");
    });
}

#[test]
fn a_request_that_never_ends_is_cut_at_the_deadline() {
    block_on(async {
        let (_origin, proxy) = half("timeouts: { drain: 300ms }").await;
        let response = Client::h2(&proxy).await.start(Method::GET, "/", &[], "").await.unwrap();
        proxy.join();
        assert!(response.into_body().collect().await.is_err());
    });
}
