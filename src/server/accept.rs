//! A worker's life: accept until told to stop, then drain.

use std::future::Future;
use std::io;
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
    let port = Arc::new(Port { room, connections: TaskTracker::new(), stop });
    for (index, socket) in listeners.tls.into_iter().enumerate() {
        let (port, worker, tls) = (Arc::clone(&port), Arc::clone(&worker), Arc::clone(&tls));
        let stop = port.stop.clone();
        let serve = move |stream| {
            let connection = connection::serve(stream, index, Arc::clone(&worker), Arc::clone(&tls), stop.clone());
            counted(connection, Arc::clone(&worker.counters))
        };
        port.clone().connections.spawn(async move { port.accept(socket, serve).await });
    }
    for (index, socket) in listeners.redirect.into_iter().enumerate() {
        let (port, worker) = (Arc::clone(&port), Arc::clone(&worker));
        let stop = port.stop.clone();
        let serve = move |stream| redirect::serve(stream, index, Arc::clone(&worker), stop.clone());
        port.clone().connections.spawn(async move { port.accept(socket, serve).await });
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
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Port {
    async fn accept<F, S>(&self, socket: std::net::TcpListener, serve: S)
    where
        S: Fn(TcpStream) -> F,
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
            let next = async {
                let place = Arc::clone(&self.room).enter().await;
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                next = next => next,
            };
            match accepted {
                Ok((stream, _)) => self.spawn(place, stream, &serve),
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
        let waiting = async || Some((Arc::clone(&self.room).enter().await, listener.accept().await.ok()?.0));
        while let Ok(Some((place, stream))) = timeout(Duration::ZERO, waiting()).await {
            self.spawn(place, stream, &serve);
        }
    }

    fn spawn<F, S>(&self, place: Place, stream: TcpStream, serve: &S)
    where
        S: Fn(TcpStream) -> F,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let _ = stream.set_nodelay(true);
        // A block that awaits what it captured holds it twice: box it.
        let connection = Box::pin(serve(stream));
        self.connections.spawn(async move {
            let _place = place;
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
