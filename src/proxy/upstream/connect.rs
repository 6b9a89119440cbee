//! Opens connections to an origin: TCP or a Unix domain socket, TLS where asked for, HTTP/1.1 or HTTP/2.

use std::sync::{Arc, LazyLock};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Duration, Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::addresses::Addresses;
use super::line::{Line, Listening};
use super::pool::Connection;
use crate::body::Body;
use crate::config::{Origin, Origins, Place};
use crate::proxy::error::OriginError;
use crate::telemetry::pool::Pool;
use crate::telemetry::spans::Address;

/// The way to one origin.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) addresses: Arc<Addresses>,
    http2: bool,
    tls: Option<Tls>,
    limit: Duration,
    /// Where connections are counted.
    pool: Arc<Pool>,
}

/// How the origins of a site are spoken to over TLS.
#[derive(Clone)]
pub(super) struct Speech {
    any: TlsConnector,
    /// Offers nothing but HTTP/1.1, for upgrades.
    http1: TlsConnector,
}

struct Tls {
    speech: Speech,
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
    Http1(Connection),
    Http2(http2::SendRequest<Body>, Arc<Line>),
}

impl Speech {
    /// `None` for origins without TLS.
    pub(super) fn new(origins: &Origins) -> Option<Self> {
        let connector =
            |protocols: &[&[u8]]| TlsConnector::from(Arc::new(client_config(origins.roots.clone(), protocols)));
        origins.tls.then(|| Self {
            any: if origins.http2 { connector(&[b"h2", b"http/1.1"]) } else { connector(&[b"http/1.1"]) },
            http1: connector(&[b"http/1.1"]),
        })
    }
}

impl Connector {
    /// `limit` is for a connection as a whole, whatever number of addresses is tried for it.
    pub(super) fn new(
        origins: &Origins,
        origin: &Origin,
        speech: Option<Speech>,
        addresses: Arc<Addresses>,
        limit: Duration,
        pool: Arc<Pool>,
    ) -> Self {
        let host = match &origin.place {
            Place::Tcp(host, _) => bare(host),
            Place::Unix(_) => "",
        };
        let name = origins.server_name.as_deref().unwrap_or(host);
        let tls = speech.map(|speech| Tls { speech, name: ServerName::try_from(name.to_owned()).ok() });
        Self { addresses, http2: origins.http2, tls, limit, pool }
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Tries one address after the other, and leaves each its part of the time that is left.
    pub(super) async fn connect(&self, want: Want) -> Result<Fresh, OriginError> {
        const LATE: OriginError = OriginError::Timeout("accept the connection");
        let end = Instant::now() + self.limit;
        let list = timeout_at(end, self.addresses.list()).await.map_err(|_| LATE)?.map_err(OriginError::Connect)?;
        let mut failed = LATE;
        for (index, address) in list.iter().enumerate() {
            let share = end.saturating_duration_since(Instant::now()) / (list.len() - index).max(1) as u32;
            match timeout(share, self.open(address, want)).await {
                Ok(Ok(fresh)) => return Ok(fresh),
                Ok(Err(error)) => failed = error,
                Err(_) => failed = LATE,
            }
        }
        self.addresses.doubt();
        Err(failed)
    }

    async fn open(&self, address: &Address, want: Want) -> Result<Fresh, OriginError> {
        let http2 = self.http2 && want == Want::Any;
        let stream = match address {
            Address::Tcp(address) => TcpStream::connect(address).await.map_err(OriginError::Connect)?,
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(OriginError::Connect)?;
                return self.handshake(stream, address, http2).await;
            }
        };
        stream.set_nodelay(true).map_err(OriginError::Connect)?;
        let Some(tls) = &self.tls else {
            return self.handshake(stream, address, http2).await;
        };
        let name = tls.name.clone().ok_or(OriginError::ServerName)?;
        let connector = if want == Want::Http1 { &tls.speech.http1 } else { &tls.speech.any };
        let stream = connector.connect(name, stream).await.map_err(OriginError::Connect)?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.handshake(stream, address, http2).await
    }

    async fn handshake<S>(&self, stream: S, address: &Address, http2: bool) -> Result<Fresh, OriginError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let line = Line::new(address.clone(), Arc::clone(&self.pool));
        let io = TokioIo::new(Listening::new(stream, Arc::clone(&line)));
        if http2 {
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .adaptive_window(true)
                .handshake(io)
                .await
                .map_err(OriginError::Http)?;
            tokio::spawn(connection);
            return Ok(Fresh::Http2(sender, line));
        }
        let (sender, connection) =
            http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(io).await.map_err(OriginError::Http)?;
        // A failed connection tells the one who waits for its answer; nobody else has to know.
        tokio::spawn(connection.with_upgrades());
        Ok(Fresh::Http1(Connection { sender, line }))
    }
}

/// A host without the brackets of IPv6.
pub(super) fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

/// The longest response head that an origin may send; also hyper's read buffer, so memory per exchange.
const HEAD_BYTES: usize = 256 * 1024;

/// How we speak TLS to an origin. Without roots of its own it is trusted if the operating system trusts it; a
/// system without roots trusts nobody, and each connection says so.
pub fn client_config(roots: Option<Arc<RootCertStore>>, protocols: &[&[u8]]) -> ClientConfig {
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
