//! One connection to an origin: where it leads, what it carries, and whether anything was heard from there.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::telemetry::pool::Pool;
use crate::telemetry::spans::Address;

/// What is known of a connection besides what HTTP says of it.
#[derive(Debug)]
pub(super) struct Line {
    /// The other end.
    pub(super) to: Address,
    heard: AtomicBool,
    /// Requests in flight; with [`CLOSED`] once the connection is gone.
    carried: AtomicU32,
    /// Where it is counted.
    pool: Arc<Pool>,
}

/// Beyond any number of requests.
const CLOSED: u32 = 1 << 31;

impl Line {
    pub(super) fn new(to: Address, pool: Arc<Pool>) -> Arc<Self> {
        pool.opened();
        Arc::new(Self { to, heard: AtomicBool::new(false), carried: AtomicU32::new(0), pool })
    }

    /// A request goes out: what was heard before belongs to the last one.
    pub(super) fn begin(&self) {
        self.heard.store(false, Relaxed);
        if self.carried.fetch_add(1, Relaxed) == 0 {
            self.pool.busy();
        }
    }

    /// A request came to its end. Not called where that is the end of the connection too, or of HTTP on it.
    pub(super) fn end(&self) {
        if self.carried.fetch_sub(1, Relaxed) == 1 {
            self.pool.idle();
        }
    }

    fn close(&self) {
        self.pool.closed(self.carried.fetch_or(CLOSED, Relaxed) == 0);
    }

    /// Whether a byte came back since.
    pub(super) fn was_heard(&self) -> bool {
        self.heard.load(Relaxed)
    }
}

/// So much is read in one turn: an origin that floods us with interim answers or chunks of nothing would hold its worker
/// for as long as its bytes last.
const TURN: usize = 64 << 10;

/// A stream that notes on its line when bytes arrive, and lets others have their turn. hyper does not tell a connection that
/// closed without a word from one that closed within the head of an answer.
#[derive(Debug)]
pub(super) struct Listening<S> {
    stream: S,
    line: Arc<Line>,
    /// Bytes that were read since others had their turn.
    unyielding: usize,
}

impl<S> Listening<S> {
    pub(super) fn new(stream: S, line: Arc<Line>) -> Self {
        Self { stream, line, unyielding: 0 }
    }
}

impl<S> Drop for Listening<S> {
    fn drop(&mut self) {
        self.line.close();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listening<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if self.unyielding >= TURN {
            self.unyielding = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let bytes = buf.filled().len() - before;
        if bytes > 0 {
            self.unyielding += bytes;
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
