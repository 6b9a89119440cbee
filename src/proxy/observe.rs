//! Mode `observe`: a page passes as it comes, while a copy is decoded and rewritten to see what would be removed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use super::coding::{self, Decoder};
use super::notes::Noted;
use crate::body::{Body, Error, Produce};

/// A page that is looked at, and not touched.
pub(super) struct Observe {
    source: Body,
    /// `None` once the copy could not be read on: that concerns nobody but us.
    copy: Option<(Decoder, Noted)>,
    discarded: Vec<u8>,
}

impl Observe {
    pub(super) fn new(source: Body, decoder: Decoder, rewriter: Noted) -> Self {
        Self { source, copy: Some((decoder, rewriter)), discarded: Vec::new() }
    }

    fn look(&mut self, data: &[u8]) {
        let Some((decoder, rewriter)) = &mut self.copy else { return };
        let discarded = &mut self.discarded;
        let mut take = |piece: &[u8]| {
            discarded.clear();
            // One kind of failure is as good as another here.
            rewriter.write(piece, discarded).map_err(|_| coding::Error::TooLarge)
        };
        if decoder.write(data, &mut take).is_err() {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let Some((_, mut rewriter)) = self.copy.take() else { return };
        self.discarded.clear();
        let _ = rewriter.end(&mut self.discarded);
    }
}

impl std::fmt::Debug for Observe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observe").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Produce for Observe {
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.source).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.look(data);
                }
                if self.source.is_end_stream() {
                    self.tell();
                }
            }
            Some(Err(_)) | None => self.tell(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}
