//! Connections of HTTP/2.

mod connection;
mod detach;
mod exchange;
mod frames;
mod gather;
mod send;
mod tunnel;

use std::pin::pin;
use std::sync::Arc;

use h2::server::Builder;
use tokio_util::sync::CancellationToken;

use self::connection::Connection;
pub(super) use self::frames::Frames;
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
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(Some(ERRORS))
        .enable_connect_protocol();
    let connection = Connection::new(&builder, stream, client, timeouts.body_idle);
    watch(pin!(connection), &activity, timeouts, stop, linger).await;
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
