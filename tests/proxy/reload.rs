//! Another configuration while it runs: what takes effect, what stays, and that nobody notices.

use std::sync::Arc;

use http::Method;
use http_body_util::BodyExt as _;
use rustls::HandshakeKind;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{Authority, Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on, client};

const ADMIN: &str = "admin: { listen: 127.0.0.1:0 }";

pub(crate) async fn admin(proxy: &Proxy, path: &str) -> String {
    let mut stream = TcpStream::connect(proxy.admin.unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

async fn status(proxy: &Proxy) -> Value {
    serde_json::from_str(&admin(proxy, "/api/status").await).unwrap()
}

#[test]
fn a_changed_policy_holds_for_the_next_request_of_the_same_connection() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "lang=de"), ("set-cookie", "cart=1")], "").await;
        let proxy = Proxy::to(origin.address).await;
        for h2 in [false, true] {
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            assert_eq!(client.get("/", &[]).await.set_cookies(), ["cart=1"]);
            proxy.change("lang: { category: functional", "lang: { category: necessary");
            assert_eq!(client.get("/", &[]).await.set_cookies().len(), 2);
            proxy.change("lang: { category: necessary", "lang: { category: functional");
            assert_eq!(client.get("/", &[]).await.set_cookies(), ["cart=1"]);
        }
        assert_eq!(origin.connections(), 1, "the origin has not changed, so its connections stay");
    });
}

#[test]
fn an_exchange_keeps_what_it_began_with() {
    block_on(async {
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Wait,
            Step::Write(b"HTTP/1.1 200 OK\r\nSet-Cookie: lang=de\r\nContent-Type: text/html\r\n\r\n".to_vec()),
            Step::Wait,
            Step::Write(b"<script src=https://x.adnet.example/a.js></script>end".to_vec()),
            Step::Close,
        ])
        .await;
        let proxy = Proxy::builder().site(HOST, origin.address, "").start();
        let mut client = Client::h2(&proxy).await;
        let asked = tokio::spawn(async move { client.start(Method::GET, "/", &[], "").await.unwrap() });
        origin.asked().await;
        let off = |proxy: &Proxy| proxy.change("    policy:", "    mode: 'off'\n    policy:");
        off(&proxy);
        origin.go();
        let response = asked.await.unwrap();
        assert!(response.headers().get("set-cookie").is_none(), "enforced when it began");
        origin.go();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&body[..], b"end", "and until its end");
    });
}

#[test]
fn a_websocket_outlives_reloads() {
    block_on(async {
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Write(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec(),
            ),
            Step::Read(4),
            Step::Write(b"pong".to_vec()),
            Step::Stall,
        ])
        .await;
        let proxy = Proxy::builder().site(HOST, origin.address, "").start();
        let mut raw = Raw::h1(&proxy).await;
        raw.write(
            b"GET /ws HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .await;
        raw.read_until(b"\r\n\r\n").await;
        // Not even if its site is gone.
        proxy.change("host: 'shop.example'", "host: 'localhost'");
        proxy.reload();
        raw.write(b"ping").await;
        raw.read_until(b"pong").await;
    });
}

#[test]
fn sites_and_limits_come_and_go() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "one").await;
        let proxy = Proxy::builder().site("one.example", origin.address, "").start();
        let mut client = Client::h1_to(&proxy, "one.example").await;
        assert_eq!(client.get("/", &[]).await.text(), "one");
        proxy.change("host: 'one.example'", "host: [one.example, localhost]");
        assert_eq!(client.get("/", &[("host", "localhost")]).await.status, 200);
        proxy.change("host: [one.example, localhost]", "host: localhost");
        assert_eq!(client.get("/", &[]).await.status, 421, "the site is gone");

        let many: Vec<_> = (0..20).map(|n| (format!("x-{n}"), "1")).collect();
        let mut many: Vec<_> = many.iter().map(|(name, value)| (&**name, *value)).collect();
        many.push(("host", "localhost"));
        proxy.change("workers: 1", "workers: 1\nlimits: { head_fields: 16 }");
        assert_eq!(client.get("/", &many).await.status, 200, "a connection keeps its limits");
        assert_eq!(Client::h1_to(&proxy, "localhost").await.get("/", &many).await.status, 431);
    });
}

#[test]
fn certificates_are_swapped_under_connections_that_go_on() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let shown = async || {
            let stream = client::connect(&proxy, HOST, b"h2").await;
            stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
        };
        let mut old = Client::h2(&proxy).await;
        let before = shown().await;
        assert_eq!(shown().await, before);
        proxy.authority.issue(proxy.folder.path(), "site", &[HOST, "localhost"]);
        assert_eq!(shown().await, before, "not before it is read");
        proxy.reload();
        assert_ne!(shown().await, before);
        assert_eq!(old.get("/", &[]).await.status, 200, "nobody is told to come again for a renewed certificate");
    });
}

#[test]
fn tickets_outlive_reloads() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let config = Arc::new(client::client_config(&proxy, b"http/1.1"));
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let stream = TcpStream::connect(proxy.address).await.unwrap();
            let name = ServerName::try_from(HOST).unwrap();
            let stream = TlsConnector::from(Arc::clone(&config)).connect(name, stream).await.unwrap();
            let mut raw = Raw(stream);
            raw.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").await;
            raw.read_to_end().await;
            assert_eq!(raw.0.get_ref().1.handshake_kind(), Some(expected));
            proxy.authority.issue(proxy.folder.path(), "site", &[HOST, "localhost"]);
            proxy.reload();
        }
    });
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_seen() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        let good = status(&proxy).await;
        assert_eq!(good["config_hash"].as_str().unwrap().len(), 64);
        assert_eq!(good["config_refused"], Value::Array(Vec::new()));
        let text = std::fs::read_to_string(proxy.folder.path().join("consentry.yaml")).unwrap();
        let (metric, key) = ("consentry_config_last_reload_successful", proxy.folder.path().join("site.key"));
        let good_key = std::fs::read(&key).unwrap();
        for what in ["syntax", "two mistakes", "key of another", "certificate of another site", "gone"] {
            match what {
                "syntax" => proxy.write("consentry.yaml", "listen: [\n"),
                "two mistakes" => {
                    proxy.write("consentry.yaml", &(text.replace("origin: http", "origon: ftp") + "nothing: 1\n"))
                }
                "key of another" => drop(Authority::new().issue(proxy.folder.path(), "other", &[HOST])),
                "certificate of another site" => {
                    proxy.authority.issue(proxy.folder.path(), "site", &["localhost"]);
                }
                _ => std::fs::remove_file(proxy.folder.path().join("consentry.yaml")).unwrap(),
            }
            if what == "key of another" {
                std::fs::copy(proxy.folder.path().join("other.key"), &key).unwrap();
            }
            proxy.reload();
            assert_eq!(Client::h2(&proxy).await.get("/", &[]).await.text(), "fine", "{what}");
            let now = status(&proxy).await;
            assert_eq!((&now["config_hash"], &now["config_read"]), (&good["config_hash"], &good["config_read"]));
            let refused = now["config_refused"].as_array().unwrap();
            assert!(refused.len() >= if what == "two mistakes" { 2 } else { 1 }, "{what}: {refused:?}");
            assert!(admin(&proxy, "/metrics").await.contains(&format!("{metric} 0\n")), "{what}");
            assert!(admin(&proxy, "/").await.contains("role=\"alert\""), "{what}");
            if what == "key of another" {
                std::fs::write(&key, &good_key).unwrap();
            }
        }
        proxy.authority.issue(proxy.folder.path(), "site", &[HOST, "localhost"]);
        proxy.write("consentry.yaml", &format!("{text}    server_timing: true\n"));
        proxy.reload();
        let now = status(&proxy).await;
        assert_eq!(now["config_refused"], Value::Array(Vec::new()));
        assert_ne!(now["config_hash"], good["config_hash"]);
        let metrics = admin(&proxy, "/metrics").await;
        assert!(metrics.contains(&format!("{metric} 1\n")), "{metrics}");
        assert!(metrics.contains(&format!("consentry_config_info{{hash={}}} 1\n", now["config_hash"])), "{metrics}");
        assert!(metrics.contains("consentry_config_last_reload_success_timestamp_seconds "), "{metrics}");
        assert!(!admin(&proxy, "/").await.contains("role=\"alert\""));
    });
}
