//! The connections of hyper, as their driver needs them: they can be asked to finish, and HTTP/2 ends each turn with what
//! it has to say.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;

use super::gather::Gathered;
use super::streams::Streams;
use crate::server::connection::Stream;
use crate::server::watch::Graceful;

impl<S> Graceful for http2::Connection<TokioIo<Gathered<Stream>>, S, Streams>
where
    S: HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: 'static,
    <S::ResBody as http_body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Streams: hyper::rt::bounds::Http2ServerConnExec<S::Future, S::ResBody>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// A connection whose writes are gathered: each of its turns ends with them.
pub(super) struct Turns<'c, C> {
    connection: Pin<&'c mut C>,
    stream: Gathered<Stream>,
    /// How it ended; its last words may still be on their way.
    ended: Option<hyper::Result<()>>,
}

impl<'c, C: Graceful> Turns<'c, C> {
    pub(super) fn new(connection: Pin<&'c mut C>, stream: Gathered<Stream>) -> Self {
        Self { connection, stream, ended: None }
    }
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
