//! The admin listener's socket: HTTP/1.1, over TLS where there is a certificate, with few connections and short waits.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::answer;
use super::{View, history};
use crate::config::Running;

/// Connections at a time; the next wait in the kernel's backlog.
const CONNECTIONS: usize = 64;
/// For a handshake, for a request's head, and for the next request.
const PATIENCE: Duration = Duration::from_secs(15);
/// No connection lives longer: whoever reads nothing holds a place.
const LONGEST: Duration = Duration::from_secs(300);
/// For answers in flight when the process ends.
const PARTING: Duration = Duration::from_secs(1);
/// Of a request's head.
const HEAD_BYTES: usize = 32 << 10;

/// A socket, and what is shown behind it.
pub(super) struct Door {
    socket: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    view: Arc<View>,
}

impl Door {
    pub(super) fn open(socket: std::net::TcpListener, view: View) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let certificate = view.config().admin.as_ref().and_then(|admin| admin.certificate.clone());
        let tls = certificate.map(|_| acceptor(Arc::clone(&view.running))).transpose().map_err(io::Error::other)?;
        Ok(Self { socket, tls, view: Arc::new(view) })
    }

    /// Answers until `end`.
    pub(super) async fn serve(self, end: CancellationToken) {
        let listener = match TcpListener::from_std(self.socket) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "The admin listener cannot be used."),
        };
        let (room, connections) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
        let history = history::keep(&self.view);
        let mut history = std::pin::pin!(history);
        loop {
            let next = async {
                let permit = Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                () = end.cancelled() => break,
                () = history.as_mut() => continue,
                next = next => next,
            };
            let Ok((stream, _)) = accepted else {
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (tls, view, end) = (self.tls.clone(), Arc::clone(&self.view), end.clone());
            connections.spawn(async move {
                let _permit = permit;
                let _ = timeout(LONGEST, connection(stream, tls, view, end)).await;
            });
        }
        connections.close();
        let _ = timeout(PARTING, connections.wait()).await;
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    view: Arc<View>,
    end: CancellationToken,
) -> io::Result<()> {
    let own = stream.local_addr()?.ip().to_canonical();
    let _ = stream.set_nodelay(true);
    match tls {
        Some(tls) => {
            let stream = timeout(PATIENCE, tls.accept(stream)).await.map_err(|_| io::ErrorKind::TimedOut)??;
            exchange(stream, own, view, end).await;
        }
        None => exchange(stream, own, view, end).await,
    }
    Ok(())
}

async fn exchange<S>(stream: S, own: IpAddr, view: Arc<View>, end: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(move |request| {
        let response = answer(&view, own, &request);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = end.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Shows the certificate of this moment; a reload gives or takes none.
#[derive(Debug)]
struct Current(Arc<Running>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.config().admin.as_ref()?.certificate.as_ref()?.certified))
    }
}

fn acceptor(running: Arc<Running>) -> Result<TlsAcceptor, rustls::Error> {
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Current(running)));
    Ok(TlsAcceptor::from(Arc::new(tls)))
}
