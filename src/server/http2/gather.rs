//! Writes of one HTTP/2 connection, gathered: what it has to say in one turn leaves in one TLS record and one system
//! call.
//!
//! h2 flushes behind each DATA frame, which would make each small answer a record and a call of its own. Here a flush
//! only takes note, and whoever drives the connection calls [`Gathered::poll_turn_end`] once it has no more to say.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The plaintext of one TLS record (RFC 8446 §5.1): what waits is never more.
const RECORD: usize = 16 * 1024;
/// From here on copying costs more than a call of its own.
const LARGE: usize = RECORD / 2;

/// A stream whose small writes wait for the end of the turn. Clones are the same stream.
#[derive(Debug)]
pub(super) struct Gathered<S>(Arc<Mutex<State<S>>>);

#[derive(Debug)]
struct State<S> {
    stream: S,
    /// Given back as soon as it is empty: idle connections hold none.
    waiting: Vec<u8>,
    /// How much of it was written.
    written: usize,
    unflushed: bool,
}

impl<S> Clone for Gathered<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: AsyncWrite + Unpin> Gathered<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(State { stream, waiting: Vec::new(), written: 0, unflushed: false })))
    }

    /// Writes what has gathered, and flushes.
    pub(super) fn poll_turn_end(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.state();
        if state.unflushed {
            ready!(state.poll_write_out(cx))?;
            ready!(Pin::new(&mut state.stream).poll_flush(cx))?;
            state.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        // One task uses it; what a panic has left of it is dropped with the connection.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> State<S> {
    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while self.written < self.waiting.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.waiting[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        (self.waiting, self.written) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }

    /// Makes room for `length` bytes; false if they are too many to wait.
    fn poll_room(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<Result<bool>> {
        self.unflushed = true;
        let waits = length < LARGE;
        if !waits || self.waiting.len() + length > RECORD {
            ready!(self.poll_write_out(cx))?;
        }
        if waits && self.waiting.capacity() == 0 {
            self.waiting.reserve_exact(RECORD);
        }
        Poll::Ready(Ok(waits))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.state().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let mut state = self.state();
        if ready!(state.poll_room(cx, buf.len()))? {
            state.waiting.extend_from_slice(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut state.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        let mut state = self.state();
        let length = bufs.iter().map(|buf| buf.len()).sum();
        if ready!(state.poll_room(cx, length))? {
            bufs.iter().for_each(|buf| state.waiting.extend_from_slice(buf));
            return Poll::Ready(Ok(length));
        }
        Pin::new(&mut state.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Done at the end of the turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        self.state().unflushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let mut state = self.state();
        ready!(state.poll_write_out(cx))?;
        Pin::new(&mut state.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Takes so many bytes at a time, and every other time none.
    #[derive(Debug)]
    struct Narrow {
        most: usize,
        full: bool,
        writes: Vec<Vec<u8>>,
        flushes: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
            self.full = !self.full && self.most < usize::MAX;
            if self.full {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let taken = buf.len().min(self.most);
            self.writes.push(buf[..taken].to_vec());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
            self.flushes += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn gathered(most: usize) -> Gathered<Narrow> {
        Gathered::new(Narrow { most, full: false, writes: Vec::new(), flushes: 0 })
    }

    async fn turn_end(stream: &Gathered<Narrow>) {
        std::future::poll_fn(|cx| stream.poll_turn_end(cx)).await.unwrap();
    }

    #[tokio::test]
    async fn small_writes_of_a_turn_leave_together_and_nothing_before() {
        let mut stream = gathered(usize::MAX);
        for answer in [b"one", b"two"] {
            stream.write_all(answer).await.unwrap();
            stream.flush().await.unwrap();
        }
        assert!(stream.state().stream.writes.is_empty());
        turn_end(&stream).await;
        turn_end(&stream).await;
        assert_eq!(stream.state().stream.writes, [b"onetwo"]);
        assert_eq!(stream.state().stream.flushes, 1);
        assert_eq!(stream.state().waiting.capacity(), 0);
    }

    #[tokio::test]
    async fn large_writes_do_not_wait_and_keep_their_place() {
        let mut stream = gathered(usize::MAX);
        stream.write_all(b"head").await.unwrap();
        stream.write_all(&[b'x'; LARGE]).await.unwrap();
        let written: Vec<_> = stream.state().stream.writes.iter().map(Vec::len).collect();
        assert_eq!(written, [4, LARGE]);
    }

    #[tokio::test]
    async fn what_waits_is_one_record_at_most_and_leaves_before_the_end() {
        let mut stream = gathered(usize::MAX);
        for _ in 0..20 {
            stream.write_all(&[b'x'; 1000]).await.unwrap();
            assert!(stream.state().waiting.len() <= RECORD);
        }
        stream.shutdown().await.unwrap();
        assert_eq!(stream.state().stream.writes.concat().len(), 20_000);
        assert_eq!(stream.state().stream.writes.len(), 2);
    }

    proptest! {
        #[test]
        fn all_bytes_arrive_in_their_order(
            writes in proptest::collection::vec((0_usize..12_000, any::<bool>(), any::<bool>()), 0..12),
            most in 1_usize..9_000,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut stream = gathered(most);
                let mut expected = Vec::new();
                for (number, (length, flushes, ends)) in writes.into_iter().enumerate() {
                    let bytes = vec![number as u8; length];
                    stream.write_all(&bytes).await.unwrap();
                    expected.extend(bytes);
                    if flushes {
                        stream.flush().await.unwrap();
                    }
                    if ends {
                        turn_end(&stream).await;
                        assert_eq!(stream.state().stream.writes.concat(), expected);
                    }
                }
                stream.shutdown().await.unwrap();
                assert_eq!(stream.state().stream.writes.concat(), expected);
            });
        }
    }
}
