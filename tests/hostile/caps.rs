//! More clients than there is room for: some are told, the others closed, and those who are in are served.

use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::alone;
use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";

/// What a new connection is answered.
async fn told(proxy: &Proxy) -> String {
    let mut raw = Raw::h1(proxy).await;
    raw.write(GET).await;
    String::from_utf8(timeout(Duration::from_secs(5), raw.read_to_end()).await.expect("left open")).unwrap()
}

fn is_shed(answer: &str) -> bool {
    let lower = answer.to_ascii_lowercase();
    answer.starts_with("HTTP/1.1 503 ") && lower.contains("retry-after: ") && lower.contains("connection: close")
}

#[test]
fn connections_beyond_the_limit_get_503_and_those_within_are_served() {
    alone(async {
        for limits in ["limits: { connections: 3 }", "limits: { connections_per_client: 3 }"] {
            let origin = Origin::fixed(200, &[], "own").await;
            let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
            let mut h2 = Client::h2(&proxy).await;
            let mut h1 = Client::h1(&proxy).await;
            let idle = Raw::h1(&proxy).await;
            for n in 0..3 {
                let answer = told(&proxy).await;
                assert!(is_shed(&answer), "{limits}, {n}: {answer}");
                let reply = Client::h2(&proxy).await.get("/", &[]).await;
                assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("10")), "{limits}");
                assert_eq!(h2.get("/", &[]).await.text(), "own");
                assert_eq!(h1.get("/", &[]).await.text(), "own");
            }
            assert_eq!(origin.seen().len(), 6, "none of the others reached the origin");
            drop(idle);
            // As soon as the proxy has seen that, there is room.
            let served = async {
                while Client::h1(&proxy).await.get("/", &[]).await.text() != "own" {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            timeout(Duration::from_secs(5), served).await.expect("the place of who has gone stays taken");
        }
    });
}

#[test]
fn a_crowd_is_closed_at_once_and_those_within_are_served() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::builder().top("limits: { connections: 2 }").site(HOST, origin.address, "").start();
        let mut inside = Client::h2(&proxy).await;
        let mut crowd = Vec::new();
        for _ in 0..100 {
            crowd.push(TcpStream::connect(proxy.address).await.unwrap());
        }
        assert_eq!(inside.get("/", &[]).await.text(), "own");
        // Of those who say nothing, most are closed at once, the others soon; in no case is one answered.
        let mut closed_at_once = 0;
        for stream in &mut crowd {
            closed_at_once += usize::from(timeout(Duration::from_millis(5), stream.read_u8()).await.is_ok());
        }
        assert!(closed_at_once >= 30, "{closed_at_once}");
        assert_eq!(inside.get("/", &[]).await.text(), "own");
        let gone = async {
            for mut stream in crowd {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        };
        timeout(Duration::from_secs(10), gone).await.expect("who was not let in holds on to the door");
    });
}

#[test]
fn trusted_proxies_stand_for_many_clients() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let limits = "trusted_proxies: [127.0.0.1]\nlimits: { connections_per_client: 1 }";
        let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
        let mut clients = Vec::new();
        for _ in 0..10 {
            clients.push(Client::h1(&proxy).await);
        }
        for client in &mut clients {
            assert_eq!(client.get("/", &[]).await.text(), "own");
        }
    });
}

#[test]
fn a_reload_changes_how_many_there_may_be() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::builder().top("limits: { connections: 1 }").site(HOST, origin.address, "").start();
        let mut first = Client::h1(&proxy).await;
        assert_eq!(first.get("/", &[]).await.text(), "own");
        assert!(is_shed(&told(&proxy).await));
        proxy.change("connections: 1", "connections: 5");
        assert_eq!(Client::h1(&proxy).await.get("/", &[]).await.text(), "own");
        assert_eq!(first.get("/", &[]).await.text(), "own");
    });
}

#[test]
fn requests_beyond_the_limit_get_503_and_the_connection_stays() {
    alone(async {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let mut origin = RawOrigin::start(vec![Step::ReadHead, Step::Wait, Step::Write(answer.to_vec())]).await;
        let proxy = Proxy::builder().top("limits: { requests: 1 }").site(HOST, origin.address, "").start();
        let mut waiting = Client::h2(&proxy).await;
        let (first, ()) = tokio::join!(waiting.send(Method::GET, "/", &[], ""), async {
            origin.asked().await;
            let mut other = Client::h1(&proxy).await;
            for _ in 0..2 {
                let reply = other.get("/", &[]).await;
                assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("10")));
            }
            origin.go();
        });
        assert_eq!(first.text(), "ok");
        origin.closed().await;
    });
}

#[test]
fn the_plain_listener_has_the_same_room() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::builder().top("limits: { connections: 1 }").site(HOST, origin.address, "").start();
        let _inside = Client::h1(&proxy).await;
        let mut plain = TcpStream::connect(proxy.redirect).await.unwrap();
        plain.write_all(GET).await.unwrap();
        let mut answer = String::new();
        timeout(Duration::from_secs(5), plain.read_to_string(&mut answer)).await.expect("left open").unwrap();
        assert!(is_shed(&answer), "{answer}");
    });
}
