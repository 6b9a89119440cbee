//! One TCP connection to an origin: where it leads, and whether anything was heard from there.

use std::io::{IoSlice, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is known of a connection besides what HTTP says of it.
#[derive(Debug)]
pub(super) struct Line {
    /// The other end.
    pub(super) to: SocketAddr,
    heard: AtomicBool,
}

impl Line {
    pub(super) fn new(to: SocketAddr) -> Arc<Self> {
        Arc::new(Self { to, heard: AtomicBool::new(false) })
    }

    /// A request goes out: what was heard before belongs to the last one.
    pub(super) fn begin(&self) {
        self.heard.store(false, Relaxed);
    }

    /// Whether a byte came back since.
    pub(super) fn was_heard(&self) -> bool {
        self.heard.load(Relaxed)
    }
}

/// A stream that notes on its line when bytes arrive. hyper does not tell a connection that closed without a word
/// from one that closed within the head of an answer.
#[derive(Debug)]
pub(super) struct Listening<S> {
    pub(super) stream: S,
    pub(super) line: Arc<Line>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Listening<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.line.heard.store(true, Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listening<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
