//! A worker's life: accept until told to stop, then drain.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::listen::Listeners;
use super::room::{Place, Room};
use super::tls::Tls;
use super::{connection, redirect};
use crate::config::{Config, Listen};
use crate::proxy::Worker;
use crate::telemetry::counters::Counters;
use crate::telemetry::{self, Brake};

/// How long an access line may wait in a worker's buffer.
const FLUSH: Duration = Duration::from_millis(200);

/// How many turns of the clock until it is told which lines were held back.
const REST: u64 = 10;

/// Tells of warnings that were held back, where no later one does.
fn tell_rest(counters: &Counters) {
    let now = telemetry::now();
    for (site, counters) in counters.sites() {
        for (line, suppressed) in counters.held_back(now) {
            tracing::warn!(%site, line, suppressed, "There were more lines like this one.");
        }
    }
}

/// Accepts and serves until `stop`, then waits for what is in flight, at most for the drain limit.
pub(super) async fn serve(
    worker: Arc<Worker>,
    room: Arc<Room>,
    tls: Arc<Tls>,
    listeners: Listeners,
    stop: CancellationToken,
) {
    let port = Arc::new(Port { room, worker: Arc::clone(&worker), connections: TaskTracker::new(), stop });
    for (index, socket) in listeners.tls.into_iter().enumerate() {
        let (port, worker, tls) = (Arc::clone(&port), Arc::clone(&worker), Arc::clone(&tls));
        let stop = port.stop.clone();
        let serve = move |stream, place| {
            let (worker, tls) = (Arc::clone(&worker), Arc::clone(&tls));
            let counters = Arc::clone(&worker.counters);
            // A block that awaits what it captured holds it twice: box it.
            counted(Box::pin(connection::serve(stream, index, worker, tls, stop.clone(), place)), counters)
        };
        port.clone()
            .connections
            .spawn(async move { port.accept(socket, (|config| &config.listen, index), serve).await });
    }
    for (index, socket) in listeners.redirect.into_iter().enumerate() {
        let (port, worker) = (Arc::clone(&port), Arc::clone(&worker));
        let stop = port.stop.clone();
        let serve = move |stream, place| redirect::serve(stream, index, Arc::clone(&worker), stop.clone(), place);
        port.clone()
            .connections
            .spawn(async move { port.accept(socket, (|config| &config.redirect, index), serve).await });
    }
    let flush = async {
        loop {
            sleep(FLUSH).await;
            let beats = worker.counters.beats.fetch_add(1, Relaxed);
            worker.access.flush();
            if beats.is_multiple_of(REST) {
                tell_rest(&worker.counters);
            }
        }
    };
    tokio::select! {
        () = port.stop.cancelled() => {}
        () = flush => {}
    }
    port.connections.close();
    worker.tunnels.close();
    // Connections hold the drain limit themselves; tunnels have no end of their own.
    port.connections.wait().await;
    let drain = worker.snapshot().config.timeouts.drain;
    let _ = timeout(drain, worker.tunnels.wait()).await;
    worker.access.flush();
}

/// What the listeners of a worker share.
struct Port {
    room: Arc<Room>,
    worker: Arc<Worker>,
    connections: TaskTracker,
    stop: CancellationToken,
}

/// The place of a listener in the configuration.
type Configured = (fn(&Config) -> &[Listen], usize);

impl Port {
    async fn accept<F, S>(&self, socket: std::net::TcpListener, configured: Configured, serve: S)
    where
        S: Fn(TcpStream, Place) -> F,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = match TcpListener::from_std(socket) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "A listening socket cannot be used.");
                return self.stop.cancel();
            }
        };
        let brake = Brake::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.spawn(stream, peer.ip(), configured, &serve),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of file descriptors or memory: those in use must come free first.
                    if let Some(suppressed) = brake.pass(telemetry::now()) {
                        tracing::warn!(%error, suppressed, "Connections cannot be accepted; trying again in 100 ms.");
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
        // Those whom the kernel has let in already; they would be reset with the socket.
        while let Ok(Ok((stream, peer))) = timeout(Duration::ZERO, listener.accept()).await {
            self.spawn(stream, peer.ip(), configured, &serve);
        }
    }

    /// Serves a connection, if there is room for it.
    fn spawn<F, S>(&self, stream: TcpStream, peer: IpAddr, (listeners, index): Configured, serve: &S)
    where
        S: Fn(TcpStream, Place) -> F,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let peer = peer.to_canonical();
        let snapshot = self.worker.snapshot();
        let config = &*snapshot.config;
        let announcers = listeners(config).get(index).and_then(|listen| listen.announcers.as_deref());
        // Both stand for many clients; those whom the second announce are counted when they are known.
        let mut proxies = config.trusted_proxies.iter().chain(announcers.unwrap_or_default());
        let exempt = proxies.any(|network| network.contains(&peer));
        let place = Arc::clone(&self.room).enter();
        let Some(place) = place.and_then(|place| if exempt { Some(place) } else { place.of(peer) }) else {
            self.worker.counters.connections.refused.fetch_add(1, Relaxed);
            return;
        };
        let _ = stream.set_nodelay(true);
        let connection = Box::pin(serve(stream, place));
        self.connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A client connection failed before its first request.");
            }
        });
    }
}

/// Counts a connection for as long as it lives.
async fn counted<E>(connection: impl Future<Output = Result<(), E>>, counters: Arc<Counters>) -> Result<(), E> {
    counters.connections.accepted.fetch_add(1, Relaxed);
    let result = connection.await;
    counters.connections.failed.fetch_add(u64::from(result.is_err()), Relaxed);
    counters.connections.closed.fetch_add(1, Relaxed);
    result
}

/// The client went before we came to it; the listener is fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
