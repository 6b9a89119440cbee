//! One client connection from the TCP handshake to its close: TLS, HTTP by ALPN, and its time limits.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::HttpService;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, Sleep, sleep, sleep_until, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::gather::Gathered;
use super::io::Watched;
use super::peer;
use super::tls::Tls;
use crate::config::{Config, Limits, Timeouts};
use crate::proxy::{Activity, Client, Overdue, Worker, handle};
use crate::telemetry::counters::Connections;

/// Boxed: it is large, and is moved from state to state of the connection.
type Stream = Watched<Box<TlsStream<TcpStream>>>;

/// Serves one connection, accepted by the listener of this index, until it ends, breaks a limit, or `stop` has drained it.
pub(super) async fn serve(
    mut stream: TcpStream,
    index: usize,
    worker: Arc<Worker>,
    tls: Arc<Tls>,
    stop: CancellationToken,
) -> io::Result<()> {
    let snapshot = worker.snapshot();
    // Copies: an idle connection must not keep a whole configuration that was replaced long ago.
    let config = &*snapshot.config;
    let Config { timeouts, limits, .. } = config;
    let (timeouts, limits) = (timeouts.clone(), limits.clone());
    let announcers = config.listen.get(index).and_then(|listen| listen.announcers.clone());
    drop(snapshot);
    let handshake = async {
        let address = peer::client(&mut stream, announcers.as_deref(), &worker.counters).await?;
        io::Result::Ok((address, tls.acceptor.accept(stream).await?))
    };
    let handshake = Box::pin(timeout(timeouts.handshake, handshake));
    let (address, stream) = handshake.await.map_err(|_| io::ErrorKind::TimedOut)??;
    let stream = Box::new(stream);
    let session = stream.get_ref().1;
    let h2 = session.alpn_protocol() == Some(b"h2");
    let named = session.server_name().map(Box::from);
    let _open = Connections::speaks(&worker.counters, h2);
    let activity = Arc::new(Activity::new());
    let stream = Watched::new(stream, Arc::clone(&activity), !h2);
    let client = Arc::new(Client::new(address, named, activity, worker));
    if h2 {
        serve_h2(stream, client, &timeouts, &limits, &stop).await
    } else {
        serve_h1(stream, client, &timeouts, &limits, &stop).await
    }
    Ok(())
}

async fn serve_h1(stream: Stream, client: Arc<Client>, timeouts: &Timeouts, limits: &Limits, stop: &CancellationToken) {
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
    let end = watch(Pin::new(&mut connection), &activity, timeouts, stop, LINGER).await;
    if end == End::Overdue(Overdue::Head)
        && let Some(stream) = connection.into_parts().map(|parts| parts.io.into_inner())
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

async fn serve_h2(stream: Stream, client: Arc<Client>, timeouts: &Timeouts, limits: &Limits, stop: &CancellationToken) {
    let activity = Arc::clone(&client.activity);
    let service = hyper::service::service_fn(move |request| handle(Arc::clone(&client), request));
    let stream = Gathered::new(stream);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(timeouts.body_idle)
        .keep_alive_timeout(timeouts.body_idle)
        .enable_connect_protocol()
        .serve_connection(TokioIo::new(stream.clone()), service);
    let turns = Turns { connection: pin!(connection), stream, ended: None };
    watch(pin!(turns), &activity, timeouts, stop, Duration::ZERO).await;
}

/// Uploads of one stream may run this far ahead of the origin.
const STREAM_WINDOW: u32 = 256 * 1024;
/// And those of all streams of one connection this far.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Response bytes of one stream that wait for the client's window.
const SEND_BUFFER: usize = 64 * 1024;

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

/// A connection that can be asked to finish what is in flight and close.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<S> Graceful for http1::UpgradeableConnection<TokioIo<Stream>, S>
where
    S: HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: 'static,
    <S::ResBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S> Graceful for http2::Connection<TokioIo<Gathered<Stream>>, S, TokioExecutor>
where
    S: HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: 'static,
    <S::ResBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, S::ResBody>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// A connection whose writes are gathered: each of its turns ends with them.
struct Turns<'c, C> {
    connection: Pin<&'c mut C>,
    stream: Gathered<Stream>,
    /// How it ended; its last words may still be on their way.
    ended: Option<hyper::Result<()>>,
}

impl<C: Graceful> Future for Turns<'_, C> {
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        if self.ended.is_none()
            && let Poll::Ready(end) = self.connection.as_mut().poll(cx)
        {
            self.ended = Some(end);
        }
        match (self.stream.poll_turn_end(cx), self.ended.take()) {
            // Nobody is there to read any more.
            (Poll::Ready(Err(_)), end) => Poll::Ready(end.unwrap_or(Ok(()))),
            (Poll::Ready(Ok(())), Some(end)) => Poll::Ready(end),
            (_, end) => {
                self.ended = end;
                Poll::Pending
            }
        }
    }
}

impl<C: Graceful> Graceful for Turns<'_, C> {
    fn finish(mut self: Pin<&mut Self>) {
        self.connection.as_mut().finish();
    }
}

/// Drives a connection and holds its limits. The alarm is set anew only when a deadline comes nearer, or when
/// it rings and finds that the deadline has moved: a busy connection never touches the timer wheel.
async fn watch<C: Graceful>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    timeouts: &Timeouts,
    stop: &CancellationToken,
    linger: Duration,
) -> End {
    let mut stopped = pin!(stop.cancelled());
    let mut drain: Option<Instant> = None;
    let mut lingering: Option<Pin<Box<Sleep>>> = None;
    let mut armed = Instant::now() + timeouts.idle;
    let mut alarm = pin!(sleep_until(armed));
    poll_fn(|cx| {
        if drain.is_none() && stopped.as_mut().poll(cx).is_ready() {
            drain = Some(Instant::now() + timeouts.drain);
            lingering = Some(Box::pin(sleep(linger.min(timeouts.drain))));
        }
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Closed);
        }
        if let Some(rest) = &mut lingering
            && (!activity.is_idle() || rest.as_mut().poll(cx).is_ready())
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
