//! One polite HTTP/1.1 client: one request at a time, over a connection that is kept while the next goes the same way.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::{Position, Url};

use crate::filter::content_codings;
use crate::proxy::coding::{self, Caps, Decoder};

/// How we call ourselves; `robots.txt` speaks to `consentry`.
const AGENT: &str =
    concat!("consentry/", env!("CARGO_PKG_VERSION"), " (scan of cookies and tags by the site's operator)");

/// What is read of one page; what stands behind it is not looked at.
const MOST_BYTES: usize = 4 << 20;

/// Bytes out for a byte in, past the first MiB.
const RATIO: u32 = 1000;

/// Why no page came.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("no TLS: {0}")]
    Tls(io::Error),
    #[error("its certificate is not trusted ({0}); name its authority with --ca FILE, or use --insecure")]
    Certificate(rustls::Error),
    #[error("no usable answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    #[error("the body cannot be read: {0}")]
    Body(String),
    #[error("no address to ask")]
    Address,
}

/// What came.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Decoded; empty where the caller did not want it.
    pub(super) body: Vec<u8>,
}

/// Fetches one page after the other.
pub(super) struct Client {
    tls: TlsConnector,
    /// Where all requests go, whatever host they name.
    origin: Option<Url>,
    limit: Duration,
    open: Option<Open>,
}

struct Open {
    to: Url,
    sender: SendRequest<Empty<Bytes>>,
    _connection: AbortOnDropHandle<()>,
}

impl Client {
    /// `limit` is for each page as a whole.
    pub(super) fn new(tls: TlsConnector, origin: Option<Url>, limit: Duration) -> Self {
        Self { tls, origin, limit, open: None }
    }

    /// Asks for a page; its body is read if `wanted` says so of the head.
    pub(super) async fn fetch(
        &mut self,
        url: &Url,
        cookies: Option<HeaderValue>,
        wanted: impl Fn(StatusCode, &HeaderMap) -> bool,
    ) -> Result<Page, Error> {
        let limit = self.limit;
        match timeout(limit, self.exchange(url, cookies, wanted)).await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(error)) => {
                self.open = None;
                Err(error)
            }
            Err(_) => {
                self.open = None;
                Err(Error::Late(limit))
            }
        }
    }

    async fn exchange(
        &mut self,
        url: &Url,
        cookies: Option<HeaderValue>,
        wanted: impl Fn(StatusCode, &HeaderMap) -> bool,
    ) -> Result<Page, Error> {
        let response = self.send(url, cookies).await?;
        let (head, body) = response.into_parts();
        let body = if wanted(head.status, &head.headers) {
            let (body, whole) = read(&head.headers, body).await?;
            if !whole {
                self.open = None;
            }
            body
        } else {
            // Read to its end it would be downloaded for nothing; unread it blocks the connection.
            if !http_body::Body::is_end_stream(&body) {
                self.open = None;
            }
            Vec::new()
        };
        Ok(Page { status: head.status, headers: head.headers, body })
    }

    async fn send(&mut self, url: &Url, cookies: Option<HeaderValue>) -> Result<Response<Incoming>, Error> {
        let to = self.origin.clone().unwrap_or_else(|| url.clone());
        let same =
            |open: &Open| (open.to.scheme(), open.to.host(), open.to.port()) == (to.scheme(), to.host(), to.port());
        let request = self.request(url, cookies)?;
        if let Some(mut open) = self.open.take().filter(same) {
            // A kept connection may be closed by the site at any moment; then a fresh one decides.
            if open.sender.ready().await.is_ok()
                && let Ok(response) = open.sender.send_request(request.clone()).await
            {
                self.open = Some(open);
                return Ok(response);
            }
        }
        let mut open = self.connect(to).await?;
        let response = open.sender.send_request(request).await?;
        self.open = Some(open);
        Ok(response)
    }

    fn request(&self, url: &Url, cookies: Option<HeaderValue>) -> Result<Request<Empty<Bytes>>, Error> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|_| Error::Address)?;
        let headers = request.headers_mut();
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        headers.insert(HOST, HeaderValue::from_str(authority).map_err(|_| Error::Address)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.5"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"));
        if self.origin.is_some() {
            // The origin is spoken to as the proxy will do it, or it would redirect us to https for ever.
            headers.insert(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"));
        }
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, cookies);
        }
        Ok(request)
    }

    async fn connect(&self, to: Url) -> Result<Open, Error> {
        let host = to.host_str().ok_or(Error::Address)?.trim_matches(['[', ']']).to_owned();
        let port = to.port_or_known_default().ok_or(Error::Address)?;
        let stream = TcpStream::connect((&*host, port)).await.map_err(Error::Connect)?;
        if to.scheme() != "https" {
            return handshake(to, stream).await;
        }
        let name = ServerName::try_from(host).map_err(|_| Error::Address)?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(certificate @ rustls::Error::InvalidCertificate(_)) => Error::Certificate(certificate.clone()),
                _ => Error::Tls(error),
            }
        })?;
        handshake(to, stream).await
    }
}

async fn handshake<S>(to: Url, stream: S) -> Result<Open, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its failure is told to whoever waits for an answer.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok(Open { to, sender, _connection: AbortOnDropHandle::new(task) })
}

/// The decoded body, and whether it was read to its end.
async fn read(headers: &HeaderMap, mut body: Incoming) -> Result<(Vec<u8>, bool), Error> {
    let codings = content_codings(headers).map_err(|_| Error::Body("its coding is unknown".into()))?;
    let mut decoder = Decoder::new(&codings, Caps { bytes: MOST_BYTES as u64, ratio: RATIO });
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let mut take = |piece: &[u8]| -> Result<(), coding::Error> {
            text.extend_from_slice(&piece[..piece.len().min(MOST_BYTES - text.len())]);
            Ok(())
        };
        match decoder.write(&data, &mut take) {
            Err(error) if error.is_limit() => return Ok((text, false)),
            Err(error) => return Err(Error::Body(error.to_string())),
            Ok(()) if text.len() == MOST_BYTES => return Ok((text, false)),
            Ok(()) => {}
        }
    }
    decoder.end().map_err(|error| Error::Body(error.to_string()))?;
    Ok((text, true))
}
