//! Connections of HTTP/1.1: hyper's, with informational answers, and one for heads that never end.

mod early;
mod framing;
mod rest;

use std::pin::Pin;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;

use self::early::Announcing;
pub(super) use self::framing::Framing;
use self::rest::Resting;
use super::connection::Stream;
use super::watch::{End, Linger, watch};
use crate::body::Received;
use crate::config::{Limits, Timeouts};
use crate::proxy::{Client, Interim, Overdue, handle};

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
    let interim = Arc::new(Interim::default());
    let stream = Announcing::new(stream, Arc::clone(&interim));
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (client, interim) = (Arc::clone(&client), Arc::clone(&interim));
        async move { handle(client, request.map(Received::from), &interim).await }
    });
    let mut builder = Builder::new();
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

/// Tells a client whose head did not end in time; as far as it listens.
async fn refuse(mut stream: Announcing) {
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
