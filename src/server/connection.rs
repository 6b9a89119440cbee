//! One client connection from the TCP handshake to its close: TLS, HTTP by ALPN, and its time limits.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, timeout, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::detach::handle_detached;
use super::gather::Gathered;
use super::io::{Reading, Watched};
use super::peer;
use super::rest::Resting;
use super::room::Place;
use super::streams::Streams;
use super::tls::Tls;
use super::turns::Turns;
use super::watch::{End, Linger, watch};
use crate::config::{Config, Limits, Timeouts};
use crate::proxy::{Activity, Client, Overdue, Worker, handle};
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
        Box::pin(serve_h2(stream, client, &timeouts, &limits, &stop, linger)).await
    } else {
        serve_h1(stream, client, &timeouts, &limits, &stop, linger).await
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

async fn serve_h1(
    stream: Stream,
    client: Arc<Client>,
    timeouts: &Timeouts,
    limits: &Limits,
    stop: &CancellationToken,
    linger: Linger,
) {
    let activity = Arc::clone(&client.activity);
    let service = hyper::service::service_fn(move |request| handle(Arc::clone(&client), request));
    let mut builder = http1::Builder::new();
    builder
        .max_headers(limits.head_fields)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(MIN_BUFFER))
        // Our own watch tells an idle connection from a slow head; hyper's clock does not.
        .header_read_timeout(None)
        .half_close(false);
    let mut connection = Resting::new(builder, stream, service);
    let end = watch(Pin::new(&mut connection), &activity, timeouts, stop, linger).await;
    if end == End::Overdue(Overdue::Head)
        && let Some(stream) = connection.into_stream()
    {
        Box::pin(refuse(stream)).await;
    }
}

/// How long an idle connection stays open when the drain begins, to tell its client `Connection: close` with one more
/// answer: a request that is on its way would be lost otherwise. HTTP/2 has GOAWAY for that.
const LINGER: Duration = Duration::from_millis(500);

/// Tells a client whose head did not end in time; as far as it listens.
async fn refuse(mut stream: Stream) {
    let _ = timeout(Duration::from_secs(1), async {
        stream.write_all(REQUEST_TIMEOUT).await?;
        stream.shutdown().await
    })
    .await;
}

/// hyper refuses smaller buffers.
const MIN_BUFFER: usize = 8192;

/// RFC 9110 §15.5.9; sent by hand, since hyper has no request to answer.
const REQUEST_TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

async fn serve_h2(
    stream: Stream,
    client: Arc<Client>,
    timeouts: &Timeouts,
    limits: &Limits,
    stop: &CancellationToken,
    linger: Linger,
) {
    let activity = Arc::clone(&client.activity);
    let service = hyper::service::service_fn(move |request| handle_detached(Arc::clone(&client), request));
    let stream = Gathered::new(stream);
    let connection = http2::Builder::new(Streams { limit: timeouts.body_idle })
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(ERRORS)
        .keep_alive_interval(timeouts.body_idle)
        .keep_alive_timeout(timeouts.body_idle)
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(stream.clone()), service);
    let connection = pin!(connection);
    watch(pin!(Turns::new(connection, stream)), &activity, timeouts, stop, linger).await;
}

/// Uploads of one stream may run this far ahead of the origin.
const STREAM_WINDOW: u32 = 256 * 1024;
/// And those of all streams of one connection this far.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Response bytes of one stream that wait for the client's window.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that the client gave up before we have begun with them (CVE-2023-44487); `frames` counts the others.
const RESETS: usize = 20;
/// Streams that we had to reset for what the client did on them (CVE-2025-8671). Nobody errs that often; those beyond
/// the limit of streams count too, and a client may not know it yet when it sends its first ones.
const ERRORS: usize = 200;
