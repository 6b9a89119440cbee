//! Clients that go away in the middle: of a handshake, a head, a body either way, a WebSocket; by FIN, RST and RST_STREAM.

use std::time::Duration;

use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::client::TlsStream;

use super::errands::{expect, get, text, told};
use super::visitors::Place;
use crate::program::connect_with;

/// A moment in which what was sent arrives.
const MOMENT: Duration = Duration::from_millis(100);

impl Place {
    /// One after the other, again and again.
    pub(super) async fn offend(self, site: &'static str, pause: Duration) {
        self.repeat("client that goes away", Some(site), pause, |turn| {
            let place = self.clone();
            async move {
                match turn % 11 {
                    0 => place.break_off(site, "GET /download HTTP/1.1", 200_000, true).await,
                    1 => place.break_off(site, "GET /download HTTP/1.1", 3_000_000, false).await,
                    2 => place.break_off(site, "GET /slow HTTP/1.1", 300, turn % 2 == 0).await,
                    3 => place.break_off(site, "GET /page HTTP/1.1\r\nAccept-Encoding: br", 1, true).await,
                    4 => place.half_close(site).await,
                    5 => place.reset_streams(site).await,
                    6 => place.stop_head(site).await,
                    7 => place.stop_upload(site, turn % 2 == 0).await,
                    8 => place.stop_handshake().await,
                    9 => place.leave_socket(site, turn % 2 == 0).await,
                    _ => place.choose_and_go(site, turn).await,
                }
            }
        })
        .await;
    }

    async fn raw(&self, site: &str) -> Result<TlsStream<TcpStream>, String> {
        connect_with(self.address, &self.roots, site, &[b"http/1.1"]).await.map_err(text)
    }

    /// Reads so much of an answer, and no more.
    async fn break_off(&self, site: &str, request: &str, bytes: u64, reset: bool) -> Result<(), String> {
        let mut stream = self.raw(site).await?;
        stream.write_all(format!("{request}\r\nHost: {site}\r\n\r\n").as_bytes()).await.map_err(text)?;
        let mut start = (&mut stream).take(bytes);
        tokio::io::copy(&mut start, &mut tokio::io::sink()).await.map_err(text)?;
        go(stream, reset)
    }

    /// Says that it has nothing more to ask, and waits for the answer.
    async fn half_close(&self, site: &str) -> Result<(), String> {
        let mut stream = self.raw(site).await?;
        stream.write_all(format!("GET /api HTTP/1.1\r\nHost: {site}\r\n\r\n").as_bytes()).await.map_err(text)?;
        stream.shutdown().await.map_err(text)?;
        let mut answer = Vec::new();
        // An answer or none, but an end.
        let _ = stream.read_to_end(&mut answer).await;
        Ok(())
    }

    /// Resets streams in the middle, beside one that is served all the same.
    async fn reset_streams(&self, site: &str) -> Result<(), String> {
        let mut client = self.client(site, true).await?;
        for path in ["/download", "/slow"] {
            let mut response = client.start(Method::GET, path, &[], "").await.map_err(told)?;
            response.body_mut().frame().await.ok_or("no body")?.map_err(told)?;
        }
        let json = get(&mut client, "/api", &[]).await?;
        expect(json.status == StatusCode::OK, &json)
    }

    async fn stop_head(&self, site: &str) -> Result<(), String> {
        let mut stream = self.raw(site).await?;
        stream.write_all(b"GET /page HTTP/1.1\r\nHost: sho").await.map_err(text)?;
        sleep(MOMENT).await;
        go(stream, false)
    }

    async fn stop_upload(&self, site: &str, reset: bool) -> Result<(), String> {
        let mut stream = self.raw(site).await?;
        let head = format!("POST /upload HTTP/1.1\r\nHost: {site}\r\nContent-Length: 1000000\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &[b'z'; 100_000]].concat()).await.map_err(text)?;
        sleep(MOMENT).await;
        go(stream, reset)
    }

    async fn stop_handshake(&self) -> Result<(), String> {
        let mut stream = TcpStream::connect(self.address).await.map_err(text)?;
        // The head of a record that holds a ClientHello.
        stream.write_all(&[22, 3, 1, 2, 0, 1]).await.map_err(text)?;
        sleep(MOMENT).await;
        Ok(())
    }

    async fn leave_socket(&self, site: &str, reset: bool) -> Result<(), String> {
        let mut stream = self.switched(site).await?;
        stream.write_all(b"hello?").await.map_err(text)?;
        go(stream, reset)
    }

    /// Posts a choice and does not wait to hear of it.
    async fn choose_and_go(&self, site: &str, turn: usize) -> Result<(), String> {
        let mut stream = self.raw(site).await?;
        let body = "decision=accept-all";
        let request = format!(
            "POST /_consent/choice HTTP/1.1\r\nHost: {site}\r\nOrigin: https://{site}\r\nX-Forwarded-For: 11.{}.{}.1\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            turn / 256 % 256,
            turn % 256,
            body.len()
        );
        self.met.perhaps_chose();
        stream.write_all(request.as_bytes()).await.map_err(text)?;
        go(stream, true)
    }
}

/// Ends the connection without a word of TLS.
fn go(stream: TlsStream<TcpStream>, reset: bool) -> Result<(), String> {
    if reset {
        SockRef::from(stream.get_ref().0).set_linger(Some(Duration::ZERO)).map_err(text)?;
    }
    Ok(())
}
