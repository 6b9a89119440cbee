//! The one body type of both directions: nothing, bytes of ours, or a stream under an idle time limit.

mod received;
mod timed;
mod tunnel;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};

pub use self::received::{Received, Upload};
pub use self::timed::{Passing, Timed};
pub use self::tunnel::{Duplex, Tunnel};

/// A message body on its way through the proxy.
#[derive(Debug, Default)]
pub enum Body {
    /// No content.
    #[default]
    Empty,
    /// Content of our own, sent in one piece.
    Full(Bytes),
    /// Content of the peer, passed on as it arrives.
    Stream(Timed),
    /// Content that is produced on the way; boxed because it is rare and large.
    Made(Pin<Box<dyn Produce>>),
}

/// What a made body is: `http_body::Body` with our types, and able to move between threads.
pub trait Produce: Send + std::fmt::Debug {
    /// As [`http_body::Body::poll_frame`].
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>>;

    /// As [`http_body::Body::is_end_stream`].
    fn is_end_stream(&self) -> bool {
        false
    }

    /// As [`http_body::Body::size_hint`].
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Why a body ended before its end. The transfer is aborted then, never completed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The peer sent nothing for longer than the time limit.
    #[error("the peer sent no data for {} s", .0.as_secs())]
    Idle(Duration),
    /// The peer sends, but slower than it may.
    #[error("the peer sent no more than {sent} bytes in {} s", .waited.as_secs())]
    Slow {
        /// Bytes that came.
        sent: u64,
        /// While we waited so long.
        waited: Duration,
    },
    /// The peer closed, reset or broke the framing.
    #[error("the transfer broke: {0}")]
    Transfer(#[source] hyper::Error),
    /// The client reset its stream, or its connection broke.
    #[error("the stream broke: {0}")]
    Stream(#[source] h2::Error),
    /// A content coding could not be decoded, or a limit of decoding was hit.
    #[error("the content could not be decoded: {0}")]
    Coding(String),
    /// The page could not be rewritten within the limits.
    #[error("the page could not be rewritten: {0}")]
    Rewrite(String),
}

impl Body {
    /// A body of our own.
    pub fn full(content: impl Into<Bytes>) -> Self {
        Self::Full(content.into())
    }

    /// Puts bytes that were already read back before the rest.
    pub fn push_front(&mut self, front: Bytes) {
        if front.is_empty() {
            return;
        }
        match self {
            Self::Stream(timed) => timed.push_front(front),
            _ => *self = Self::Full(front),
        }
    }

    /// Notes from now on when the other side takes a piece; `None` for a body that is there as a whole.
    pub fn watched(&mut self) -> Option<Arc<Passing>> {
        let Self::Stream(timed) = self else { return None };
        Some(timed.watched())
    }

    /// Passes on what the peer sends; fails when it pauses for longer than `idle`.
    pub fn stream(received: impl Into<Received>, idle: Duration) -> Self {
        Self::upload(received.into(), idle, 0)
    }

    /// The same; fails too when the peer, while we wait for it, sends fewer bytes a second than `rate` for as long as
    /// `idle`: one that sends a byte now and then keeps a connection to the origin busy for nothing (R.U.D.Y.).
    pub fn upload(received: Received, idle: Duration, rate: u64) -> Self {
        if http_body::Body::is_end_stream(&received) {
            return Self::Empty;
        }
        Self::Stream(Timed::new(received, idle, rate))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        match this {
            Self::Empty => Poll::Ready(None),
            Self::Full(content) => {
                let content = std::mem::take(content);
                *this = Self::Empty;
                Poll::Ready((!content.is_empty()).then(|| Ok(Frame::data(content))))
            }
            Self::Stream(timed) => Pin::new(timed).poll_frame(cx),
            Self::Made(made) => made.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(content) => content.is_empty(),
            Self::Stream(timed) => timed.is_end_stream(),
            Self::Made(made) => made.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(content) => SizeHint::with_exact(content.len() as u64),
            Self::Stream(timed) => timed.size_hint(),
            Self::Made(made) => made.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn a_full_body_knows_its_length_and_ends() {
        let body = Body::full("abc");
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(3));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = runtime.block_on(body.collect()).unwrap().to_bytes();
        assert_eq!(&all[..], b"abc");
    }
}
