//! One client connection from the TCP handshake to its close: TLS, HTTP by ALPN, and its time limits.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, Sleep, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::gather::Gathered;
use super::io::{Reading, Watched};
use super::peer;
use super::room::Place;
use super::streams::Streams;
use super::tls::Tls;
use super::turns::{Graceful, Turns};
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
        serve_h2(stream, client, &timeouts, &limits, &stop, linger).await
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
    let mut connection = http1::Builder::new()
        .max_headers(limits.head_fields)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(MIN_BUFFER))
        // Our own watch tells an idle connection from a slow head; hyper's clock does not.
        .header_read_timeout(None)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let end = watch(Pin::new(&mut connection), &activity, timeouts, stop, linger).await;
    if end == End::Overdue(Overdue::Head)
        && let Some(stream) = connection.into_parts().map(|parts| parts.io.into_inner())
    {
        Box::pin(refuse(stream)).await;
    }
}

/// How long an idle connection stays open when the drain begins, to tell its client `Connection: close` with one more
/// answer: a request that is on its way would be lost otherwise. HTTP/2 has GOAWAY for that.
const LINGER: Duration = Duration::from_millis(500);

/// How long a client that floods may take to read that we close.
const PARTING: Duration = Duration::from_secs(1);

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
    let service = hyper::service::service_fn(move |request| handle(Arc::clone(&client), request));
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

/// What a connection waits for, and for how long, before it is told to finish.
#[derive(Debug, Clone, Copy)]
enum Linger {
    /// To have something in flight with which it can be told.
    UntilBusy(Duration),
    /// For its first request, which is the last.
    UntilAsked(Duration),
}

impl Linger {
    fn is_over(self, activity: &Activity) -> bool {
        match self {
            Self::UntilBusy(_) => !activity.is_idle(),
            Self::UntilAsked(_) => activity.was_asked(),
        }
    }
}

/// How a connection came to its end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// By itself: closed, upgraded or broken.
    Closed,
    /// A time limit ran out; whatever is in flight is dropped with it.
    Overdue(Overdue),
    /// Still busy when the drain limit ran out.
    Undrained,
}

/// Drives a connection and holds its limits. The alarm is set anew only when a deadline comes nearer, or when
/// it rings and finds that the deadline has moved: a busy connection never touches the timer wheel.
async fn watch<C: Graceful>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    timeouts: &Timeouts,
    stop: &CancellationToken,
    linger: Linger,
) -> End {
    let mut stopped = pin!(stop.cancelled());
    let mut drain: Option<Instant> = None;
    let mut lingering: Option<Pin<Box<Sleep>>> = None;
    let mut armed = Instant::now() + timeouts.idle;
    let mut alarm = pin!(sleep_until(armed));
    poll_fn(|cx| {
        if drain.is_none() && stopped.as_mut().poll(cx).is_ready() {
            drain = Some(Instant::now() + timeouts.drain);
            let (Linger::UntilBusy(most) | Linger::UntilAsked(most)) = linger;
            lingering = Some(Box::pin(sleep(most.min(timeouts.drain))));
        }
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Closed);
        }
        if activity.is_flooding() {
            // h2 was shown the end of the stream; who does not read our GOAWAY is cut off.
            drain.get_or_insert_with(|| Instant::now() + PARTING);
        }
        if let Some(rest) = &mut lingering
            && (linger.is_over(activity) || rest.as_mut().poll(cx).is_ready())
        {
            lingering = None;
            connection.as_mut().finish();
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Closed);
            }
        }
        loop {
            let limit = activity.deadline(timeouts).map(|(at, what)| (at, End::Overdue(what)));
            let limit = limit.into_iter().chain(drain.map(|at| (at, End::Undrained))).min_by_key(|(at, _)| *at);
            if let Some((at, _)) = &limit
                && *at < armed
            {
                armed = *at;
                alarm.as_mut().reset(armed);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match limit {
                Some((at, end)) if at <= Instant::now() => return Poll::Ready(end),
                Some((at, _)) => armed = at,
                None => armed = Instant::now() + timeouts.idle,
            }
            alarm.as_mut().reset(armed);
        }
    })
    .await
}
