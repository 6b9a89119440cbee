//! Behind a load balancer that passes TCP on: the PROXY protocol.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{HOST, Origin, Proxy, Raw, block_on, client};

const FROM_HERE: &str = "{ address: '127.0.0.1:0', proxy_protocol: 127.0.0.0/8 }";
const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n";
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n";

fn binary() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2a".to_vec();
    header.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    header.extend_from_slice(&[0; 20]);
    header.extend_from_slice(&[4, 0, 3, 1, 2, 3]);
    header
}

/// A connection that begins with these bytes, if TLS comes about.
async fn connect(proxy: &Proxy, header: &[u8]) -> Option<Raw> {
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (first, second) = header.split_at(header.len() / 2);
    stream.write_all(first).await.unwrap();
    // Who is refused may be so before it has said all.
    stream.write_all(second).await.ok()?;
    let name = ServerName::try_from(HOST).unwrap();
    let tls = TlsConnector::from(Arc::new(client::client_config(proxy, b"http/1.1")));
    Some(Raw(tls.connect(name, stream).await.ok()?))
}

/// A request behind these bytes, and what is answered.
async fn ask(proxy: &Proxy, header: &[u8]) -> Option<String> {
    let mut raw = connect(proxy, header).await?;
    raw.write(GET).await;
    Some(String::from_utf8(raw.read_to_end().await).unwrap())
}

#[test]
fn the_client_is_the_one_who_is_announced() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let proxy = Proxy::builder().listen(FROM_HERE).site(HOST, origin.address, "").start();
        for (header, told, element) in [
            (LINE.to_vec(), "192.0.2.7", "for=192.0.2.7;"),
            (binary(), "2001:db8::7", "for=\"[2001:db8::7]\";"),
            (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1", "for=127.0.0.1;"),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec(), "127.0.0.1", "for=127.0.0.1;"),
        ] {
            let answer = ask(&proxy, &header).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert_eq!(origin.last().header("x-forwarded-for"), Some(told), "and nothing that the client claims");
            assert!(origin.last().header("forwarded").unwrap().starts_with(element));
        }
    });
}

#[test]
fn a_balancer_stands_for_many_clients() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let top = "limits: { connections_per_client: 1 }";
        let proxy = Proxy::builder().listen(FROM_HERE).top(top).site(HOST, origin.address, "").start();
        let mut connections = Vec::new();
        // Others, and the balancer itself that looks whether we are there.
        for client in ["TCP4 192.0.2.7 10.0.0.1 1 443", "TCP4 192.0.2.8 10.0.0.1 1 443", "UNKNOWN", "UNKNOWN"] {
            let header = format!("PROXY {client}\r\n");
            connections.push(connect(&proxy, header.as_bytes()).await.unwrap());
        }
        for mut raw in connections {
            raw.write(GET).await;
            let answer = String::from_utf8(raw.read_to_end().await).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    });
}

#[test]
fn each_announced_client_is_held_to_its_share() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let listen = "[{ address: '127.0.0.1:0', proxy_protocol: 127.0.0.0/8 }]";
        let top = format!(
            "{}\nredirect: {listen}\nadmin: {{ listen: 127.0.0.1:0 }}",
            "limits: { connections_per_client: 1 }"
        );
        let proxy = Proxy::builder().listen(FROM_HERE).top(&top).site(HOST, origin.address, "").start();
        let mut held = connect(&proxy, LINE).await.unwrap();
        let told = ask(&proxy, LINE).await.unwrap();
        assert!(told.starts_with("HTTP/1.1 503 ") && told.to_lowercase().contains("retry-after: "), "{told}");
        let redirected = async || {
            let mut stream = TcpStream::connect(proxy.redirect).await.unwrap();
            stream.write_all(&[LINE, GET].concat()).await.unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await;
            answer
        };
        assert!(redirected().await.starts_with("HTTP/1.1 503 "), "whichever port");
        assert!(ask(&proxy, &binary()).await.unwrap().starts_with("HTTP/1.1 200 "), "another one");
        // A few are told, the others closed.
        let mut more = Vec::new();
        for _ in 0..4 {
            more.push(connect(&proxy, LINE).await.unwrap());
        }
        assert!(connect(&proxy, LINE).await.is_none());
        let metrics = crate::reload::admin(&proxy, "/metrics").await;
        assert!(metrics.contains("consentry_connections_refused_total 1\n"), "{metrics}");
        held.write(GET).await;
        let answer = String::from_utf8(held.read_to_end().await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "who is in is served: {answer}");
        drop(more);
        // As soon as the proxy has seen that they went, there is room.
        while !redirected().await.starts_with("HTTP/1.1 308 ") {}
    });
}

#[test]
fn a_trusted_proxy_behind_the_balancer_is_believed() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let top = "trusted_proxies: [127.0.0.0/8, 192.0.2.0/24]\nlimits: { connections_per_client: 1 }";
        let listen = "{ address: '127.0.0.1:0', proxy_protocol: true }";
        let proxy = Proxy::builder().listen(listen).top(top).site(HOST, origin.address, "").start();
        // It stands for many clients.
        let _held = connect(&proxy, LINE).await.unwrap();
        assert!(ask(&proxy, LINE).await.unwrap().starts_with("HTTP/1.1 200 "));
        assert_eq!(origin.last().header("x-forwarded-for"), Some("203.0.113.9, 192.0.2.7"));
    });
}

#[test]
fn whoever_announces_nobody_or_badly_is_closed() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let admin = "admin: { listen: 127.0.0.1:0 }\ntimeouts: { handshake: 300ms }";
        let proxy = Proxy::builder().listen(FROM_HERE).top(admin).site(HOST, origin.address, "").start();
        let udp = b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\0\0\0\0";
        let headers: [&[u8]; 5] =
            [b"", b"PROXY TCP4 192.0.2.7\r\n", b"PROXY TCP4 x y 1 2\r\n", udp, b"GET / HTTP/1.1\r\n\r\n"];
        for header in headers {
            assert_eq!(ask(&proxy, header).await, None, "{header:?}");
        }
        // The limit of the handshake holds for the header too.
        let mut slow = TcpStream::connect(proxy.address).await.unwrap();
        slow.write_all(&LINE[..10]).await.unwrap();
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await;
        assert!(rest.is_empty() && origin.seen().is_empty());
        let metrics = crate::reload::admin(&proxy, "/metrics").await;
        assert!(metrics.contains("consentry_connections_unannounced_total 5\n"), "{metrics}");
    });
}

#[test]
fn strangers_are_refused_whatever_they_announce_and_a_reload_may_let_them_in() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let listen = "{ address: '127.0.0.1:0', proxy_protocol: [192.0.2.0/24] }";
        let proxy = Proxy::builder().listen(listen).site(HOST, origin.address, "").start();
        assert_eq!(ask(&proxy, LINE).await, None);
        assert_eq!(ask(&proxy, b"").await, None);
        assert!(origin.seen().is_empty());
        proxy.change("[192.0.2.0/24]", "[127.0.0.1]");
        assert!(ask(&proxy, LINE).await.is_some());
        proxy.change("proxy_protocol: [127.0.0.1]", "proxy_protocol: false");
        assert!(ask(&proxy, b"").await.is_some());
        assert_eq!(ask(&proxy, LINE).await, None, "a header is no TLS");
    });
}

#[test]
fn plain_http_is_redirected_behind_a_header_too() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let top = "redirect: [{ address: '127.0.0.1:0', proxy_protocol: [127.0.0.1] }]";
        let proxy = Proxy::builder().top(top).site(HOST, origin.address, "").start();
        for (header, redirected) in [(LINE, true), (b"", false)] {
            let mut stream = TcpStream::connect(proxy.redirect).await.unwrap();
            stream.write_all(&[header, GET].concat()).await.unwrap();
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert_eq!(answer.starts_with(b"HTTP/1.1 308 "), redirected, "{}", String::from_utf8_lossy(&answer));
        }
    });
}
