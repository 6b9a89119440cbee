//! The one body type of both directions: nothing, bytes of ours, or a stream under an idle time limit.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::filter::hop_by_hop;

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
    /// The peer closed, reset or broke the framing.
    #[error("the transfer broke: {0}")]
    Transfer(#[source] hyper::Error),
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
            Self::Stream(timed) => timed.front = Some(front),
            _ => *self = Self::Full(front),
        }
    }

    /// Notes from now on when the other side takes a piece; `None` for a body that is there as a whole.
    pub fn watched(&mut self) -> Option<Arc<Passing>> {
        let Self::Stream(timed) = self else { return None };
        Some(Arc::clone(timed.passing.get_or_insert_with(Arc::default)))
    }

    /// Passes on what the peer sends; fails when it pauses for longer than `idle`.
    pub fn stream(incoming: Incoming, idle: Duration) -> Self {
        if http_body::Body::is_end_stream(&incoming) { Self::Empty } else { Self::Stream(Timed::new(incoming, idle)) }
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
            Self::Stream(timed) => timed.front.is_none() && timed.incoming.is_end_stream(),
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

/// When a body moved on last.
#[derive(Debug)]
pub struct Passing(Mutex<Instant>);

impl Passing {
    /// When the last piece, or the end, was taken.
    pub fn last(&self) -> Instant {
        *self.0.lock().expect("no panic under the lock")
    }
}

impl Default for Passing {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

/// A peer's body with a limit on how long it may pause.
#[derive(Debug)]
pub struct Timed {
    incoming: Incoming,
    /// Was read ahead, and comes first.
    front: Option<Bytes>,
    idle: Duration,
    /// Armed when the peer first keeps us waiting: most bodies never need it.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    passing: Option<Arc<Passing>>,
}

impl Timed {
    fn new(incoming: Incoming, idle: Duration) -> Self {
        Self { incoming, front: None, idle, alarm: None, waiting: false, passing: None }
    }

    fn size_hint(&self) -> SizeHint {
        let rest = http_body::Body::size_hint(&self.incoming);
        let Some(front) = &self.front else { return rest };
        let mut whole = SizeHint::new();
        whole.set_lower(rest.lower() + front.len() as u64);
        if let Some(upper) = rest.upper() {
            whole.set_upper(upper + front.len() as u64);
        }
        whole
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let deadline = || Instant::now() + self.idle;
        if !self.waiting {
            self.waiting = true;
            match &mut self.alarm {
                Some(alarm) => alarm.as_mut().reset(deadline()),
                None => self.alarm = Some(Box::pin(tokio::time::sleep_until(deadline()))),
            }
        }
        match &mut self.alarm {
            Some(alarm) => alarm.as_mut().poll(cx).map(|()| Error::Idle(self.idle)),
            None => Poll::Pending,
        }
    }
}

impl Timed {
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(front) = self.front.take() {
            return Poll::Ready(Some(Ok(Frame::data(front))));
        }
        match http_body::Body::poll_frame(Pin::new(&mut self.incoming), cx) {
            Poll::Ready(frame) => {
                self.waiting = false;
                if let Some(passing) = &self.passing {
                    *passing.0.lock().expect("no panic under the lock") = Instant::now();
                }
                Poll::Ready(frame.map(|f| f.map(clean_trailers).map_err(Error::Transfer)))
            }
            Poll::Pending => {
                let error = ready!(self.poll_alarm(cx));
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

fn clean_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            hop_by_hop::trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
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
