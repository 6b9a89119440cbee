//! Connections of HTTP/2.

mod detach;
mod frames;
mod gather;
mod streams;
mod turns;

use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;

use self::detach::handle_detached;
pub(super) use self::frames::Frames;
use self::gather::Gathered;
use self::streams::Streams;
use self::turns::Turns;
use super::connection::Stream;
use super::watch::{Linger, watch};
use crate::config::{Limits, Timeouts};
use crate::proxy::Client;

/// Serves it until it ends, breaks a limit or is drained.
pub(super) async fn serve(
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
