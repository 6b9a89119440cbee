//! TLS towards clients.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{HandshakeKind, NamedGroup, ProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Client, HOST, Origin, Proxy, Raw, block_on, client};

async fn handshake(proxy: &Proxy, config: Arc<rustls::ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    TlsConnector::from(config).connect(ServerName::try_from(HOST).unwrap(), stream).await
}

#[test]
fn tls_1_3_prefers_x25519mlkem768_and_tls_1_2_is_spoken() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let stream = handshake(&proxy, Arc::new(client::client_config(&proxy, b"h2"))).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(session.negotiated_key_exchange_group().unwrap().name(), NamedGroup::X25519MLKEM768);
        assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));

        let mut old = rustls::ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
            .with_root_certificates(proxy.authority.roots())
            .with_no_client_auth();
        old.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = handshake(&proxy, Arc::new(old)).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_2));

        // As `curl --http1.0` does.
        let mut raw = Raw(client::connect(&proxy, HOST, b"http/1.0").await);
        raw.write(b"GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n").await;
        assert!(raw.read_to_end().await.starts_with(b"HTTP/1.0 200 "));
    });
}

#[test]
fn sessions_are_resumed() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::builder().top("").site(HOST, origin.address, "").start();
        let config = Arc::new(client::client_config(&proxy, b"http/1.1"));
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let stream = handshake(&proxy, Arc::clone(&config)).await.unwrap();
            let mut raw = Raw(stream);
            // A ticket comes with the first answer.
            raw.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").await;
            raw.read_to_end().await;
            assert_eq!(raw.0.get_ref().1.handshake_kind(), Some(expected));
        }
    });
}

#[test]
fn sites_are_told_apart_by_host_and_unknown_ones_get_421() {
    block_on(async {
        let one = Origin::fixed(200, &[], "one").await;
        let many = Origin::fixed(200, &[], "many").await;
        let proxy =
            Proxy::builder().site("one.example", one.address, "").site("*.many.example", many.address, "").start();
        assert_eq!(Client::h2_to(&proxy, "one.example").await.get("/", &[]).await.text(), "one");
        assert_eq!(Client::h2_to(&proxy, "a.many.example").await.get("/", &[]).await.text(), "many");
        let mut client = Client::h1_to(&proxy, "one.example").await;
        for (host, status) in [
            ("ONE.example:8443", 200),
            ("one.example.", 200),
            ("unknown.example", 421),
            ("a.b.many.example", 421),
            ("many.example", 421),
        ] {
            assert_eq!(client.get("/", &[("host", host)]).await.status.as_u16(), status, "{host}");
        }
    });
}

#[test]
fn plain_http_is_only_redirected() {
    block_on(async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let origin = Origin::fixed(200, &[("set-cookie", "SHOPSID=1")], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut stream = TcpStream::connect(proxy.redirect).await.unwrap();
        stream.write_all(b"GET /a?b=1 HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("location: https://shop.example"), "{answer}");
        assert!(answer.contains("/a?b=1"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("set-cookie"), "{answer}");
        assert!(origin.seen().is_empty());
    });
}
