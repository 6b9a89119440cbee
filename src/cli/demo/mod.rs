//! The demo: a legacy web shop that knows nothing of consent, to stand behind the proxy.
//!
//! It is an origin to look at and to test against, not a server to put on a network: HTTP/1.1 without
//! TLS, everything in memory and bounded. What it sends is what sites of its age send.

mod body;
pub mod certificate;
mod command;
mod cookies;
mod download;
mod login;
mod pages;
mod session;
mod shop;
#[cfg(test)]
mod tests;
mod websocket;
mod welcome;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use command::{Args, run};
use welcome::welcome;

use shop::Shop;

/// Connections beyond this wait in the listen queue.
const MAX_CONNECTIONS: usize = 512;
/// How long requests in flight may take once the shop is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves the shop until `shutdown` is cancelled, then finishes what is in flight.
pub async fn serve(listener: TcpListener, shutdown: CancellationToken) {
    let shop = Arc::new(Shop::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shop), shutdown.clone()));
                }
                // Out of file descriptors, most likely: give connections time to end.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        connections.shutdown().await;
    }
}

/// One connection from its first request to its last, and the WebSocket that it may turn into.
async fn connection(stream: TcpStream, shop: Arc<Shop>, shutdown: CancellationToken) {
    // Small frames go out at once; without it Nagle holds back the echo of a WebSocket.
    let _ = stream.set_nodelay(true);
    // The socket is served by this task and not by one of its own, so that `serve` joins it too.
    let upgrade: Mutex<Option<OnUpgrade>> = Mutex::new(None);
    let service = service_fn(async |mut request| {
        let pending = hyper::upgrade::on(&mut request);
        let response = shop.answer(request).await;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
        }
        Ok::<_, std::convert::Infallible>(response)
    });
    {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(75))
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => {}
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
    let pending = upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Ok(upgraded)) = async { Some(pending?.await) }.await {
        let _ = websocket::echo(TokioIo::new(upgraded), shutdown).await;
    }
}

/// Seconds since 1970. The one place of the demo that reads the clock.
#[expect(clippy::disallowed_methods, reason = "the demo is an edge, and its cookies and certificates need the date")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
