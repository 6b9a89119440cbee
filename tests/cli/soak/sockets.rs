//! WebSockets, over HTTP/1.1 and over HTTP/2, that are kept while all else changes.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_rustls::client::TlsStream;

use super::errands::{text, told};
use super::visitors::Place;
use crate::program::connect_with;
use crate::support::client::collect;

impl Place {
    /// WebSockets that are kept for a while.
    pub(super) async fn talk(self, site: &'static str, h2: bool, lasting: Duration, pause: Duration) {
        let what = if h2 { "websocket over h2" } else { "websocket" };
        self.repeat(what, Some(site), pause, |_| {
            let place = self.clone();
            async move {
                if h2 {
                    chat(place.extended(site).await?, lasting).await
                } else {
                    chat(place.switched(site).await?, lasting).await
                }
            }
        })
        .await;
    }

    /// A WebSocket over HTTP/1.1.
    pub(super) async fn switched(&self, site: &str) -> Result<TlsStream<TcpStream>, String> {
        let mut stream = connect_with(self.address, &self.roots, site, &[b"http/1.1"]).await.map_err(text)?;
        let asked = format!(
            "GET /socket HTTP/1.1\r\nHost: {site}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(asked.as_bytes()).await.map_err(text)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.map_err(text)?);
        }
        if head.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err(String::from_utf8_lossy(&head).into_owned()) }
    }

    /// A WebSocket over HTTP/2 (RFC 8441).
    async fn extended(&self, site: &str) -> Result<TokioIo<Upgraded>, String> {
        let stream = connect_with(self.address, &self.roots, site, &[b"h2"]).await.map_err(text)?;
        let made = http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (mut sender, connection) = made.map_err(told)?;
        tokio::spawn(connection);
        // The settings that allow it come with the first answer.
        let first = Request::get(format!("https://{site}/_consent/style.css")).body(Empty::new()).unwrap();
        collect(sender.send_request(first).await.map_err(told)?).await.map_err(told)?;
        let request = Request::builder()
            .method(Method::CONNECT)
            .uri(format!("https://{site}/socket"))
            .header("sec-websocket-version", "13")
            .extension(hyper::ext::Protocol::from_static("websocket"))
            .body(Empty::new())
            .unwrap();
        let response = sender.send_request(request).await.map_err(told)?;
        if response.status() != StatusCode::OK {
            return Err(format!("{response:?}"));
        }
        Ok(TokioIo::new(hyper::upgrade::on(response).await.map_err(told)?))
    }
}

/// What is said comes back.
async fn chat(mut stream: impl AsyncRead + AsyncWrite + Unpin, lasting: Duration) -> Result<(), String> {
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < lasting {
        number += 1;
        let said = format!("message {number:05}");
        stream.write_all(said.as_bytes()).await.map_err(text)?;
        stream.flush().await.map_err(text)?;
        let mut heard = vec![0; said.len()];
        stream.read_exact(&mut heard).await.map_err(text)?;
        if heard != said.as_bytes() {
            return Err(format!("{said:?} came back as {:?}", String::from_utf8_lossy(&heard)));
        }
        sleep(Duration::from_millis(500)).await;
    }
    stream.shutdown().await.map_err(text)
}
