//! One client connection from the TCP handshake to its close: TLS, HTTP by ALPN, and its time limits.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::io::{Reading, Watched};
use super::room::Place;
use super::tls::Tls;
use super::watch::Linger;
use super::{http1, http2, peer};
use crate::config::{Config, Timeouts};
use crate::proxy::{Activity, Client, Worker};
use crate::telemetry::counters::Connections;

/// Boxed: it is large, and is moved from state to state of the connection.
pub(super) type Stream = Watched<Box<TlsStream<TcpStream>>>;

/// So long a connection may last for which there is no room, to be told so.
const SURPLUS: Duration = Duration::from_secs(3);

/// Serves one connection, accepted by the listener of this index, until it ends, breaks a limit, or `stop` has drained it.
/// One whose place is surplus gets one 503.
pub(super) async fn serve(
    mut stream: TcpStream,
    index: usize,
    worker: Arc<Worker>,
    tls: Arc<Tls>,
    stop: CancellationToken,
    place: Place,
) -> io::Result<()> {
    let accepted = Instant::now();
    let snapshot = worker.snapshot();
    // Copies: an idle connection must not keep a whole configuration that was replaced long ago.
    let config = &*snapshot.config;
    let Config { timeouts, limits, .. } = config;
    let (mut timeouts, limits) = (hasty(timeouts, &place), limits.clone());
    let announcers = config.listen.get(index).and_then(|listen| listen.announcers.clone());
    drop(snapshot);
    let announced = peer::client(&mut stream, announcers.as_deref(), place, &worker);
    let announced = timeout_at(accepted + timeouts.handshake, announced).await;
    let (address, place) = announced.map_err(|_| io::ErrorKind::TimedOut)??;
    timeouts = hasty(&timeouts, &place);
    let handshake = Box::pin(timeout_at(accepted + timeouts.handshake, tls.acceptor.accept(stream)));
    let stream = Box::new(handshake.await.map_err(|_| io::ErrorKind::TimedOut)??);
    let session = stream.get_ref().1;
    let h2 = session.alpn_protocol() == Some(b"h2");
    let (mut stop, mut linger) = (stop, Linger::UntilBusy(if h2 { Duration::ZERO } else { LINGER }));
    if place.surplus {
        // It is asked to finish before it has begun.
        (stop, linger) = (CancellationToken::new(), Linger::UntilAsked(timeouts.drain));
        stop.cancel();
    }
    let named = session.server_name().map(Box::from);
    let _open = Connections::speaks(&worker.counters, h2);
    let activity = Arc::new(Activity::new());
    let stream = Watched::new(stream, Arc::clone(&activity), if h2 { Reading::frames() } else { Reading::messages() });
    let mut client = Client::new(address, named, activity, worker);
    client.surplus = place.surplus;
    let client = Arc::new(client);
    let counters = Arc::clone(&client.worker.counters);
    let flooded = Arc::clone(&client.activity);
    if h2 {
        // Boxed: the larger by far, and most of it would lie idle with a connection of HTTP/1.1.
        Box::pin(http2::serve(stream, client, &timeouts, &limits, &stop, linger)).await
    } else {
        http1::serve(stream, client, &timeouts, &limits, &stop, linger).await
    }
    if flooded.is_flooding() {
        counters.connections.flooded.fetch_add(1, Relaxed);
        tracing::debug!(client = %address, "A connection was closed that its client flooded.");
    }
    Ok(())
}

/// The time limits of a connection in this place: a surplus one does not stay for long.
fn hasty(timeouts: &Timeouts, place: &Place) -> Timeouts {
    let mut timeouts = timeouts.clone();
    if place.surplus {
        for limit in [&mut timeouts.handshake, &mut timeouts.request_head, &mut timeouts.drain] {
            *limit = (*limit).min(SURPLUS);
        }
    }
    timeouts
}

/// How long an idle connection stays open when the drain begins, to tell its client `Connection: close` with one more
/// answer: a request that is on its way would be lost otherwise. HTTP/2 has GOAWAY for that.
const LINGER: Duration = Duration::from_millis(500);
