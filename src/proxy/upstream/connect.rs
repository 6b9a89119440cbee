//! Opens connections to an origin: TCP, TLS where asked for, HTTP/1.1 or HTTP/2.

use std::sync::{Arc, LazyLock};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tokio_rustls::TlsConnector;

use super::paced::Paced;
use crate::body::Body;
use crate::config::{Origin, Site};
use crate::proxy::error::OriginError;

#[derive(Debug)]
pub(super) struct Connector {
    host: Box<str>,
    port: u16,
    http2: bool,
    tls: Option<Tls>,
    limit: Duration,
}

struct Tls {
    any: TlsConnector,
    /// Offers nothing but HTTP/1.1, for upgrades.
    http1: TlsConnector,
    name: Option<ServerName<'static>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Which protocol a connection has to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Any,
    Http1,
}

/// A connection that carries nothing yet.
pub(super) enum Fresh {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Connector {
    pub(super) fn new(site: &Site, limit: Duration) -> Self {
        let Origin { host, port, http2, tls, roots } = &site.origin;
        let tls = tls.then(|| {
            let connector = |protocols: &[&[u8]]| TlsConnector::from(Arc::new(client_config(roots.clone(), protocols)));
            Tls {
                any: if *http2 { connector(&[b"h2", b"http/1.1"]) } else { connector(&[b"http/1.1"]) },
                http1: connector(&[b"http/1.1"]),
                name: ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).ok(),
            }
        });
        Self { host: host.trim_matches(['[', ']']).into(), port: *port, http2: *http2, tls, limit }
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    pub(super) async fn connect(&self, want: Want) -> Result<Fresh, OriginError> {
        match timeout(self.limit, self.open(want)).await {
            Ok(fresh) => fresh,
            Err(_) => Err(OriginError::Timeout("accept the connection")),
        }
    }

    async fn open(&self, want: Want) -> Result<Fresh, OriginError> {
        let stream = TcpStream::connect((&*self.host, self.port)).await.map_err(OriginError::Connect)?;
        stream.set_nodelay(true).map_err(OriginError::Connect)?;
        let Some(tls) = &self.tls else {
            return self.handshake(stream, self.http2 && want == Want::Any).await;
        };
        let name = tls.name.clone().ok_or(OriginError::ServerName)?;
        let connector = if want == Want::Http1 { &tls.http1 } else { &tls.any };
        let stream = connector.connect(name, stream).await.map_err(OriginError::Connect)?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.handshake(stream, http2).await
    }

    async fn handshake<S>(&self, stream: S, http2: bool) -> Result<Fresh, OriginError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(Paced::new(stream));
        if http2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .adaptive_window(true)
                .handshake(io)
                .await
                .map_err(OriginError::Http)?;
            tokio::spawn(connection);
            return Ok(Fresh::Http2(sender));
        }
        let (sender, connection) =
            http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(io).await.map_err(OriginError::Http)?;
        // A failed connection tells the one who waits for its answer; nobody else has to know.
        tokio::spawn(connection.with_upgrades());
        Ok(Fresh::Http1(sender))
    }
}

/// The longest response head that an origin may send; also hyper's read buffer, so memory per exchange.
const HEAD_BYTES: usize = 256 * 1024;

/// How we speak TLS to an origin. Without roots of its own it is trusted if the operating system trusts it; a
/// system without roots trusts nobody, and each connection says so.
fn client_config(roots: Option<Arc<RootCertStore>>, protocols: &[&[u8]]) -> ClientConfig {
    static SYSTEM: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots.unwrap_or_else(|| Arc::clone(&SYSTEM)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
    config
}
