//! Origins behind a Unix domain socket.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use http::Method;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

use crate::reload::admin;
use crate::support::proxy::POLICY;
use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on};

/// A socket that leads to an origin; it and its connections go with the task.
fn listen(path: &Path, origin: SocketAddr) -> JoinHandle<()> {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut onward = TcpStream::connect(origin).await.unwrap();
            connections.spawn(async move { copy_bidirectional(&mut stream, &mut onward).await });
        }
    })
}

fn before(path: &Path) -> Proxy {
    let origin = format!("unix:{}", path.display());
    Proxy::builder().top("admin: { listen: 127.0.0.1:0 }").site_with(HOST, &origin, POLICY, "").start()
}

#[test]
fn a_site_behind_a_socket_is_filtered_like_any_other() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let cookies = [("set-cookie", "_ga=1"), ("set-cookie", "PHPSESSID=1")];
        let origin = Origin::fixed(200, &cookies, "<script src=https://connect.facebook.net/x.js></script>").await;
        let socket = listen(&path, origin.address);
        let proxy = before(&path);
        let (mut h1, mut h2) = (Client::h1(&proxy).await, Client::h2(&proxy).await);
        for (client, method) in [(&mut h1, Method::GET), (&mut h2, Method::POST)] {
            let answer = client.send(method, "/a?b", &[("cookie", "_fbp=1; cart=2")], "").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.set_cookies()[0], "PHPSESSID=1; HttpOnly; Secure; SameSite=Strict");
            let seen = origin.last();
            assert_eq!(
                (&*seen.target, seen.header("host"), seen.header("cookie")),
                ("/a?b", Some(HOST), Some("cart=2"))
            );
        }
        assert_eq!(origin.connections(), 1, "it is kept");
        let label = format!("origin=\"unix:{}\"", path.display());
        let metrics = admin(&proxy, "/metrics").await;
        assert!(metrics.contains(&label), "no {label} in {metrics}");

        // As an application server does when it starts again.
        socket.abort();
        assert!(socket.await.unwrap_err().is_cancelled());
        fs::remove_file(&path).unwrap();
        drop(origin);
        assert_eq!(h1.get("/", &[]).await.status, 502);
        let origin = Origin::fixed(200, &[], "back").await;
        let socket = listen(&path, origin.address);
        assert_eq!(h1.get("/", &[]).await.status, 200);
        socket.abort();
    });
}

#[test]
fn a_websocket_goes_through_a_socket() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        let steps =
            [Step::ReadHead, Step::Write(switch.to_vec()), Step::Read(5), Step::Write(b"world".to_vec()), Step::Close];
        let origin = RawOrigin::start(steps.to_vec()).await;
        let socket = listen(&path, origin.address);
        let proxy = before(&path);
        let mut raw = Raw::h1(&proxy).await;
        raw.write(
            b"GET /ws HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
        raw.read_until(b"\r\n\r\n").await;
        raw.write(b"hello").await;
        assert_eq!(raw.read_to_end().await, b"world");
        socket.abort();
    });
}
