//! The client's side of a connection, watched: when bytes arrive and when our writes are held up.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::http1::Framing;
use super::http2::Frames;
use crate::proxy::Activity;

/// Tells the connection's [`Activity`] what the socket sees.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    reading: Reading,
    /// Bytes that were read since others had their turn.
    unyielding: usize,
    /// The last read found nothing.
    starved: bool,
    /// Something was written and not yet flushed.
    unflushed: bool,
}

/// What is looked for in the bytes that come.
#[derive(Debug)]
pub(super) enum Reading {
    /// HTTP/1.1, whose heads can contradict themselves.
    Messages(Box<Framing>),
    /// HTTP/2, whose frames can be a flood.
    Frames(Box<Frames>),
    /// Nothing more: it was a flood. What is left of the GOAWAY that says so, and how much is read after it.
    Ended(Vec<u8>, usize),
}

impl Reading {
    pub(super) fn messages() -> Self {
        Self::Messages(Box::default())
    }

    pub(super) fn frames() -> Self {
        Self::Frames(Box::new(Frames::new()))
    }
}

/// So much is read in one turn: a client that sends small things without end has others of its worker wait for the work
/// on this much, and no more.
const TURN: usize = 64 << 10;

/// So much of a flood is thrown away before the socket is closed: closing it over bytes that nobody has read would
/// destroy the GOAWAY on its way (RFC 9112 §9.6 tells the same of HTTP/1.1).
const LINGER: usize = 4 << 20;

/// RFC 9113 §6.8, with ENHANCE_YOUR_CALM.
fn go_away(last_stream: u32) -> Vec<u8> {
    let [a, b, c, d] = last_stream.to_be_bytes();
    vec![0, 0, 8, 7, 0, 0, 0, 0, 0, a, b, c, d, 0, 0, 0, 11]
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, reading: Reading) -> Self {
        Self { stream, activity, reading, unyielding: 0, starved: false, unflushed: false }
    }

    /// Looks at what has come; how much of it may pass.
    fn look(&mut self, bytes: &[u8]) -> usize {
        match &mut self.reading {
            Reading::Messages(framing) => {
                if let Some(head) = framing.doubtful(bytes) {
                    self.activity.doubt(head);
                }
                bytes.len()
            }
            Reading::Frames(frames) => {
                let passed = frames.take(bytes);
                if frames.is_between() {
                    self.activity.received_whole();
                }
                if passed < bytes.len() {
                    self.activity.flood();
                    self.reading = Reading::Ended(go_away(frames.last_stream), LINGER);
                }
                passed
            }
            Reading::Ended(..) => 0,
        }
    }

    /// Tells whether whoever reads and writes here has read all messages to their end, has no byte more, and has nothing
    /// left to write.
    fn note_quiet(&self) {
        if let Reading::Messages(framing) = &self.reading {
            let quiet = self.starved && !self.unflushed && framing.is_behind(self.activity.heads());
            self.activity.quiet(quiet);
        }
    }

    fn note_sent(&mut self, written: &Poll<Result<usize>>) {
        self.unflushed = true;
        self.note_quiet();
        if let (Reading::Frames(frames), Poll::Ready(Ok(bytes))) = (&mut self.reading, written) {
            frames.sent(*bytes);
        }
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        match written {
            Poll::Pending => self.activity.blocked(),
            Poll::Ready(_) => self.activity.unblocked(),
        }
        written
    }
}

impl<S: AsyncBufRead + Unpin> Watched<S> {
    /// Whether there is something to read, an end or an error included; it stays there.
    pub(super) fn poll_stir(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.stream).poll_fill_buf(cx).map(drop)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        if matches!(self.reading, Reading::Ended(..)) {
            return Poll::Ready(Ok(()));
        }
        if self.unyielding >= TURN {
            self.unyielding = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.starved = read.is_pending();
        if buf.filled().len() > before {
            self.activity.received();
            // Where less passes, h2 sees the end of the stream next: it writes what it has begun, and shuts down.
            let passed = self.look(&buf.filled()[before..]);
            self.unyielding += passed;
            buf.set_filled(before + passed);
        }
        self.note_quiet();
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_sent(&written);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.unflushed = false;
            self.note_quiet();
        }
        self.note(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { stream, reading, .. } = &mut *self;
        if let Reading::Ended(last, linger) = reading {
            while let Ok(written @ 1..) = ready!(Pin::new(&mut *stream).poll_write(cx, last)) {
                last.drain(..written);
            }
            let _ = ready!(Pin::new(&mut *stream).poll_shutdown(cx));
            let mut scratch = [0; 4096];
            while *linger > 0 {
                let mut scratch = ReadBuf::new(&mut scratch);
                let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut scratch));
                let bytes = scratch.filled().len();
                *linger = if read.is_err() || bytes == 0 { 0 } else { linger.saturating_sub(bytes) };
            }
            return Poll::Ready(Ok(()));
        }
        let closed = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.note(closed)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_sent(&written);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Reads once, whether there is something or not.
    async fn read(watched: &mut Watched<impl AsyncRead + Unpin>) {
        let mut bytes = [0; 100];
        let mut buf = ReadBuf::new(&mut bytes);
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *watched).poll_read(cx, &mut buf).is_ready())).await;
    }

    #[tokio::test]
    async fn it_is_quiet_between_messages_with_nothing_left_to_read_or_to_write() {
        let (mut client, stream) = duplex(100);
        let activity = Arc::new(Activity::new());
        let mut watched = Watched::new(stream, Arc::clone(&activity), Reading::messages());
        let is_quiet = || activity.quiet_since().is_some();
        assert!(!is_quiet(), "nobody has looked yet");
        read(&mut watched).await;
        assert!(is_quiet());
        client.write_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n").await.unwrap();
        read(&mut watched).await;
        assert!(!is_quiet(), "a head");
        activity.begin();
        watched.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        watched.flush().await.unwrap();
        activity.end();
        read(&mut watched).await;
        assert!(!is_quiet(), "in the middle of an upload, be it answered or not");
        client.write_all(b"ab").await.unwrap();
        read(&mut watched).await;
        activity.received_whole();
        assert!(!is_quiet(), "there may be more");
        read(&mut watched).await;
        assert!(is_quiet());
        watched.write_all(b"more").await.unwrap();
        assert!(!is_quiet(), "not flushed");
        watched.flush().await.unwrap();
        assert!(is_quiet());
        activity.blocked();
        assert!(!is_quiet(), "the client does not take it");
        activity.unblocked();
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        read(&mut watched).await;
        activity.received_whole();
        read(&mut watched).await;
        assert!(!is_quiet(), "a head that nobody else has seen");
        let mut all = Vec::new();
        drop(watched);
        client.read_to_end(&mut all).await.unwrap();
        assert!(all.ends_with(b"more"));
    }
}
