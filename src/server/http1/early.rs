//! Puts informational answers (RFC 9110 §15.2) between what hyper writes, whose server sends none over HTTP/1.1 but 100.
//!
//! hyper answers one request after the other, and flushes the stream once its buffer is empty. While an answer is awaited
//! that is between two answers, so what waits is written then, or ahead of the answer's first byte.

use std::io::{ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::proxy::Interim;
use crate::server::connection::Stream;

/// A connection of HTTP/1.1, as hyper writes to it.
#[derive(Debug)]
pub(super) struct Announcing<S = Stream> {
    stream: S,
    interim: Arc<Interim>,
    /// What is left of heads that are being written.
    heads: Vec<u8>,
    /// All that hyper had to write so far was written.
    between: bool,
}

impl<S> Announcing<S> {
    pub(super) fn new(stream: S, interim: Arc<Interim>) -> Self {
        Self { stream, interim, heads: Vec::new(), between: true }
    }

    /// What to write before hyper writes on.
    fn begin(&mut self) {
        if self.interim.waits() && self.between {
            self.interim.take().iter().for_each(|head| write(head, &mut self.heads));
        }
    }
}

impl Announcing {
    /// Whether there is something to read, an end or an error included; it stays there.
    pub(super) fn poll_stir(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_stir(cx)
    }
}

/// As hyper writes heads.
fn write(head: &Response<()>, out: &mut Vec<u8>) {
    let status = head.status();
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    for (name, value) in head.headers() {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(b"\r\n\r\n");
}

impl<S: AsyncWrite + Unpin> Announcing<S> {
    fn poll_heads(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.heads.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.heads))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.heads.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Announcing<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Announcing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        self.begin();
        ready!(self.poll_heads(cx))?;
        self.between = false;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.between = true;
        if self.interim.is_open() {
            self.begin();
        } else if self.interim.waits() {
            // The answer overtook them, behind one that its client did not take.
            drop(self.interim.take());
        }
        ready!(self.poll_heads(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(self.poll_heads(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.begin();
        ready!(self.poll_heads(cx))?;
        self.between = false;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn hints() -> Response<()> {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::EARLY_HINTS;
        head.headers_mut().insert("link", "</a>".parse().unwrap());
        head
    }

    const WRITTEN: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";

    fn announcing() -> (Announcing<DuplexStream>, DuplexStream, Arc<Interim>) {
        let (ours, theirs) = duplex(4096);
        let interim = Arc::new(Interim::default());
        (Announcing::new(ours, Arc::clone(&interim)), theirs, interim)
    }

    async fn all(announcing: Announcing<DuplexStream>, mut theirs: DuplexStream) -> String {
        drop(announcing);
        let mut text = String::new();
        theirs.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn heads_are_written_while_the_answer_is_awaited_or_ahead_of_it() {
        let (mut client, theirs, interim) = announcing();
        interim.open();
        interim.push(hints());
        client.flush().await.unwrap();
        interim.push(hints());
        interim.close();
        client.write_all(b"answer").await.unwrap();
        assert_eq!(all(client, theirs).await, [WRITTEN, WRITTEN, "answer"].concat());
    }

    #[tokio::test]
    async fn heads_wait_for_the_end_of_what_is_being_written() {
        let (mut client, theirs, interim) = announcing();
        client.write_all(b"answer be").await.unwrap();
        interim.open();
        interim.push(hints());
        client.write_all(b"fore").await.unwrap();
        client.flush().await.unwrap();
        client.write_all(b"answer").await.unwrap();
        assert_eq!(all(client, theirs).await, ["answer before", WRITTEN, "answer"].concat());
    }

    #[tokio::test]
    async fn heads_that_the_answer_overtook_are_dropped() {
        let (mut client, theirs, interim) = announcing();
        client.write_all(b"answer be").await.unwrap();
        interim.open();
        interim.push(hints());
        interim.close();
        client.write_all(b"fore and answer").await.unwrap();
        client.flush().await.unwrap();
        client.write_all(b"next").await.unwrap();
        assert_eq!(all(client, theirs).await, "answer before and answernext");
    }

    #[tokio::test]
    async fn heads_of_one_request_are_not_those_of_the_next() {
        let (mut client, theirs, interim) = announcing();
        client.write_all(b"answer be").await.unwrap();
        interim.open();
        interim.push(hints());
        interim.close();
        interim.open();
        client.write_all(b"fore").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(all(client, theirs).await, "answer before");
    }

    #[tokio::test]
    async fn a_client_that_takes_little_at_a_time_gets_all() {
        let (ours, mut theirs) = duplex(3);
        let interim = Arc::new(Interim::default());
        let mut client = Announcing::new(ours, Arc::clone(&interim));
        let written = tokio::spawn(async move {
            interim.open();
            interim.push(hints());
            client.flush().await.unwrap();
            client.write_all(b"answer").await.unwrap();
        });
        let mut text = String::new();
        theirs.read_to_string(&mut text).await.unwrap();
        written.await.unwrap();
        assert_eq!(text, [WRITTEN, "answer"].concat());
    }
}
