//! The way to a collector: one HTTP/1.1 connection, opened when it is needed, and one POST at a time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::message;
use crate::proxy::client_config;
use crate::telemetry::spans::Export;

/// Collectors say less.
const LONGEST_ANSWER: usize = 64 * 1024;

/// One collector.
pub(super) struct Collector {
    export: Export,
    host: HeaderValue,
    tls: Option<TlsConnector>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("it cannot be reached: {0}")]
    Connect(#[from] io::Error),
    #[error("it does not speak HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("it says nothing in time")]
    Timeout,
    /// It asks to be left alone for so long, if it says.
    #[error("it is too busy ({0})")]
    Busy(StatusCode, Option<Duration>),
    #[error("it refuses them ({0})")]
    Refused(StatusCode),
}

impl Error {
    /// Whether it may take the same spans later (OTLP, "Failures").
    pub(super) fn is_passing(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

impl Collector {
    pub(super) fn new(export: &Export) -> io::Result<Self> {
        let tls = export.tls.then(|| TlsConnector::from(Arc::new(client_config(export.roots.clone(), &[b"http/1.1"]))));
        let host = format!("{}:{}", export.host, export.port);
        let host = HeaderValue::try_from(host).map_err(io::Error::other)?;
        Ok(Self { export: export.clone(), host, tls, connection: None })
    }

    /// Sends spans; gives how many of them it did not want.
    pub(super) async fn post(&mut self, spans: Bytes) -> Result<u64, Error> {
        let mut connection = match self.connection.take().filter(|kept| !kept.is_closed()) {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let mut request = Request::new(Full::new(spans));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.export.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.extend(self.export.headers.iter().cloned());
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("consentry/", env!("CARGO_PKG_VERSION"))));
        let (head, body) = connection.send_request(request).await?.into_parts();
        // What cannot be read of the answer changes nothing of what its status says.
        let body = Limited::new(body, LONGEST_ANSWER).collect().await.map(|body| body.to_bytes());
        if body.is_ok() {
            self.connection = Some(connection);
        }
        match head.status {
            status if status.is_success() => Ok(rejected(&body.unwrap_or_default())),
            status @ (StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => {
                let after = head.headers.get(RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
                Err(Error::Busy(status, after.map(Duration::from_secs)))
            }
            status => Err(Error::Refused(status)),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Error> {
        let host = self.export.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.export.port)).await?;
        let Some(tls) = &self.tls else { return handshake(stream).await };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        handshake(tls.connect(name, stream).await?).await
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // How it fails, whoever sends over it is told.
    tokio::spawn(connection);
    Ok(sender)
}

/// Spans that a success leaves out.
fn rejected(answer: &[u8]) -> u64 {
    let partial = message::Response::decode(answer).ok().and_then(|answer| answer.partial_success);
    let Some(partial) = partial.filter(|partial| partial.rejected_spans > 0) else { return 0 };
    tracing::warn!(spans = partial.rejected_spans, why = %partial.error_message.escape_debug(), "The collector took not all spans.");
    partial.rejected_spans.unsigned_abs()
}
