//! The shop's response body: bytes at once, or pieces with pauses between them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

/// Pieces of a response. Without pauses it is one piece of known length.
pub(super) struct Body {
    pieces: VecDeque<(Duration, Bytes)>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Body {
    /// All bytes at once, with a `Content-Length`.
    pub(super) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::paced([(Duration::ZERO, bytes.into())])
    }

    /// Each piece leaves when its pause, counted from the piece before, is over.
    pub(super) fn paced(pieces: impl IntoIterator<Item = (Duration, Bytes)>) -> Self {
        Self { pieces: pieces.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect(), pause: None }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some((pause, _)) = self.pieces.front() else { return Poll::Ready(None) };
        if !pause.is_zero() {
            let pause = *pause;
            ready!(self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause))).as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(self.pieces.pop_front().map(|(_, bytes)| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.pieces.len() {
            0 => SizeHint::with_exact(0),
            1 if self.pieces[0].0.is_zero() => SizeHint::with_exact(self.pieces[0].1.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
