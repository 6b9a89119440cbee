//! The one adapter between the streams of the proxy and the HTML rewriter: decode ▸ rewrite ▸ encode.
//!
//! Whatever the origin has sent leaves before we wait for more: each of its chunks is flushed through the
//! encoder. What fails aborts the transfer; a half page is never made to look complete.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http_body::{Body as _, Frame};

use super::coding::{self, Caps, Coding, Decoder, Encoder, Level};
use super::notes::Noted;
use crate::body::{Body, Error, Produce};

/// Coded bytes that are decoded in one go: with the ratio's cap this bounds what one step can produce.
const STEP: usize = 4 * 1024;

/// An HTML body on its way through the rewriter.
pub(super) struct Rewrite {
    source: Body,
    /// Of the origin's last chunk, not decoded yet.
    pending: Bytes,
    stages: Option<Stages>,
    trailers: Option<HeaderMap>,
}

struct Stages {
    decoder: Decoder,
    coded: bool,
    rewriter: Noted,
    encoder: Option<Encoder>,
    /// Rewritten, not encoded yet.
    page: Vec<u8>,
}

impl std::fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewrite").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Rewrite {
    /// Wraps a body that is coded with `codings`; it leaves coded with `answer`.
    pub(super) fn new(
        source: Body,
        rewriter: Noted,
        codings: &[Coding],
        answer: Option<Coding>,
        caps: Caps,
    ) -> std::io::Result<Self> {
        let encoder = answer.map(|coding| Encoder::new(coding, Level::Fast)).transpose()?;
        let decoder = Decoder::new(codings, caps);
        let stages = Stages { decoder, coded: !codings.is_empty(), rewriter, encoder, page: Vec::new() };
        Ok(Self { source, pending: Bytes::new(), stages: Some(stages), trailers: None })
    }

    /// Decodes and rewrites the next step of what is pending.
    fn step(&mut self) -> Result<Vec<u8>, Error> {
        let Some(stages) = &mut self.stages else { return Ok(Vec::new()) };
        let step = if stages.coded { self.pending.len().min(STEP) } else { self.pending.len() };
        let mut out = Vec::new();
        stages.write(&self.pending[..step], &mut out)?;
        self.pending.advance(step);
        if self.pending.is_empty() {
            stages.flush(&mut out)?;
        }
        Ok(out)
    }
}

impl Stages {
    fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { decoder, rewriter, encoder, page, .. } = self;
        let result = decoder.write::<Broken>(chunk, &mut |piece| Ok(rewriter.write(piece, page)?));
        result.map_err(Broken::into_error)?;
        match encoder {
            Some(encoder) => {
                encoder.write(page, out).map_err(encoding)?;
                page.clear();
            }
            None => out.append(page),
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.encoder.as_mut().map_or(Ok(()), |encoder| encoder.flush(out)).map_err(encoding)
    }

    fn end(mut self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.decoder.end().map_err(|e| Error::Coding(e.to_string()))?;
        self.rewriter.end(&mut self.page).map_err(|e| Error::Rewrite(e.to_string()))?;
        match self.encoder {
            Some(mut encoder) => {
                encoder.write(&self.page, &mut out).map_err(encoding)?;
                encoder.end(&mut out).map_err(encoding)?;
            }
            None => out = self.page,
        }
        Ok(out)
    }
}

fn encoding(error: std::io::Error) -> Error {
    Error::Coding(error.to_string())
}

/// What can fail in the middle of the pipe.
enum Broken {
    Coding(coding::Error),
    Html(crate::html::Error),
}

impl From<coding::Error> for Broken {
    fn from(error: coding::Error) -> Self {
        Self::Coding(error)
    }
}

impl From<crate::html::Error> for Broken {
    fn from(error: crate::html::Error) -> Self {
        Self::Html(error)
    }
}

impl Broken {
    fn into_error(self) -> Error {
        match self {
            Self::Coding(error) => Error::Coding(error.to_string()),
            Self::Html(error) => Error::Rewrite(error.to_string()),
        }
    }
}

impl Produce for Rewrite {
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        loop {
            if !this.pending.is_empty() {
                match this.step() {
                    Ok(out) if out.is_empty() => continue,
                    Ok(out) => return Poll::Ready(Some(Ok(Frame::data(out.into())))),
                    Err(error) => {
                        this.pending.clear();
                        this.stages = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            if this.stages.is_none() {
                return Poll::Ready(this.trailers.take().map(|t| Ok(Frame::trailers(t))));
            }
            match ready!(Pin::new(&mut this.source).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.pending = data,
                    Err(frame) => this.trailers = frame.into_trailers().ok(),
                },
                Some(Err(error)) => {
                    this.stages = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    let Some(stages) = this.stages.take() else { continue };
                    match stages.end() {
                        Ok(out) if out.is_empty() => {}
                        Ok(out) => return Poll::Ready(Some(Ok(Frame::data(out.into())))),
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stages.is_none() && self.trailers.is_none()
    }
}
