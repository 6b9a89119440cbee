//! Clients over real TLS: HTTP/1.1, HTTP/2, and raw bytes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{HOST, Proxy};

/// A connection to the proxy that asks for one host.
pub struct Client {
    sender: Sender,
    host: String,
    connection: JoinHandle<()>,
}

enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// A response that was read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Client {
    /// HTTP/1.1 to `shop.example`.
    pub async fn h1(proxy: &Proxy) -> Self {
        Self::h1_to(proxy, HOST).await
    }

    pub async fn h1_to(proxy: &Proxy, host: &str) -> Self {
        Self::over(connect(proxy, host, b"http/1.1").await, host, false).await.unwrap()
    }

    /// HTTP/2 to `shop.example`.
    pub async fn h2(proxy: &Proxy) -> Self {
        Self::h2_to(proxy, HOST).await
    }

    pub async fn h2_to(proxy: &Proxy, host: &str) -> Self {
        Self::over(connect(proxy, host, b"h2").await, host, true).await.unwrap()
    }

    /// Over a connection that agreed on HTTP/2, or on HTTP/1.1.
    pub async fn over(stream: TlsStream<TcpStream>, host: &str, h2: bool) -> hyper::Result<Self> {
        let (sender, connection) = if h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            (Sender::H2(sender), tokio::spawn(async { drop(connection.await) }))
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            (Sender::H1(sender), tokio::spawn(async { drop(connection.with_upgrades().await) }))
        };
        Ok(Self { sender, host: host.to_owned(), connection })
    }

    /// Waits until the connection has come to its end.
    pub async fn ended(&mut self) {
        (&mut self.connection).await.unwrap();
    }

    /// A GET with these header fields.
    pub async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(Method::GET, path, headers, "").await
    }

    /// A GET as a browser makes it when it opens a page.
    pub async fn navigate(&mut self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", "none"),
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ];
        all.retain(|(name, _)| !headers.iter().any(|(n, _)| n == name));
        all.extend_from_slice(headers);
        self.get(path, &all).await
    }

    pub async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let response = self.start(method, path, headers, body).await.expect("no response");
        collect(response).await.expect("the body broke off")
    }

    /// Sends a request and gives the response as its head arrives.
    pub async fn start(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> hyper::Result<Response<Incoming>> {
        let uri = match self.sender {
            Sender::H1(_) => path.to_owned(),
            Sender::H2(_) => format!("https://{}{path}", self.host),
        };
        let mut request = Request::builder().method(method).uri(uri);
        if matches!(self.sender, Sender::H1(_)) && !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("host")) {
            request = request.header("host", &self.host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        match &mut self.sender {
            Sender::H1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::H2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Visits our page and posts a choice as a browser would; gives the cookie for `Cookie:`.
    pub async fn choose(&mut self, form: &str) -> String {
        let origin = format!("https://{}", self.host);
        let headers = [
            ("origin", &*origin),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let reply = self.send(Method::POST, "/_consent/choice", &headers, form).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
        let line = reply.set_cookies().into_iter().find(|l| l.starts_with("__Host-consentry=")).expect("no choice set");
        line.split(';').next().unwrap().to_owned()
    }
}

/// Reads a body to its end; an error is a transfer that was cut off.
pub async fn collect(response: Response<Incoming>) -> hyper::Result<Reply> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned();
    Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes(), trailers })
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header field that occurs once or not at all.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next();
        assert!(all.next().is_none(), "several `{name}`");
        first.map(|v| v.to_str().expect("not text"))
    }

    /// All `Set-Cookie` lines in their order.
    pub fn set_cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).collect()
    }
}

/// A TLS connection on which a test writes and reads bytes as they are.
pub struct Raw(pub TlsStream<TcpStream>);

impl Raw {
    pub async fn h1(proxy: &Proxy) -> Self {
        Self(connect(proxy, HOST, b"http/1.1").await)
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// All that comes until the proxy closes.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        // A close without close_notify still is a close.
        let _ = self.0.read_to_end(&mut all).await;
        all
    }

    /// Reads until `needle` was seen; panics if the connection ends before.
    pub async fn read_until(&mut self, needle: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while !all.windows(needle.len()).any(|w| w == needle) {
            let n = self.0.read(&mut buffer).await.unwrap_or(0);
            assert!(
                n > 0,
                "closed before {:?}, after {:?}",
                String::from_utf8_lossy(needle),
                String::from_utf8_lossy(&all)
            );
            all.extend_from_slice(&buffer[..n]);
        }
        all
    }
}

/// A TLS handshake with the proxy.
pub async fn connect(proxy: &Proxy, host: &str, alpn: &[u8]) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(client_config(proxy, alpn))).connect(name, stream).await.unwrap()
}

/// Trusts the proxy's authority and nobody else.
pub fn client_config(proxy: &Proxy, alpn: &[u8]) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(proxy.authority.roots())
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    config
}
