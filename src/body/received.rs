//! A body as it comes from the peer, by whatever reads the peer's version of HTTP.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot::{self, Receiver, Sender};

use super::{Error, Tunnel};

/// The content of a request, or of a response.
#[derive(Debug, Default)]
pub enum Received {
    /// There is none.
    #[default]
    Empty,
    /// None either, but what a CONNECT may become.
    Tunnel(Tunnel),
    /// Read by hyper.
    Message(Incoming),
    /// Of a stream of HTTP/2, read by h2.
    Stream(Upload),
}

/// The content of a request that came over HTTP/2.
#[derive(Debug)]
pub struct Upload {
    stream: RecvStream,
    /// What is left of the length that was announced; h2 holds the client to it.
    left: Option<u64>,
    /// All data was read; trailers may follow.
    data_ended: bool,
    /// Who tells a client that waits to be asked for it.
    wanted: Option<Sender<()>>,
}

impl From<Incoming> for Received {
    fn from(incoming: Incoming) -> Self {
        Self::Message(incoming)
    }
}

impl Upload {
    /// What follows a head with these fields.
    pub fn new(stream: RecvStream, headers: &HeaderMap) -> Self {
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        Self { stream, left: length.and_then(|text| text.parse().ok()), data_ended: false, wanted: None }
    }

    /// Comes when somebody wants the content, which is when a client that expects to be told is to go on
    /// (RFC 9110 §10.1.1).
    pub fn wanted(&mut self) -> Receiver<()> {
        let (wanted, told) = oneshot::channel();
        self.wanted = Some(wanted);
        told
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(wanted) = self.wanted.take() {
            let _ = wanted.send(());
        }
        if !self.data_ended {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(bytes)) => {
                    // Who reads on has room for more. That the stream is gone by now, the next call tells.
                    let _ = self.stream.flow_control().release_capacity(bytes.len());
                    self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                // A reset is no end, whatever its code: half an upload must not reach the origin as a whole one.
                Some(Err(error)) => return Poll::Ready(Some(Err(Error::Stream(error)))),
                None => self.data_ended = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx)).map_err(Error::Stream);
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).transpose())
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Empty | Self::Tunnel(_) => Poll::Ready(None),
            Self::Message(incoming) => {
                Pin::new(incoming).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Error::Transfer)))
            }
            Self::Stream(upload) => upload.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Tunnel(_) => true,
            Self::Message(incoming) => incoming.is_end_stream(),
            Self::Stream(upload) => upload.stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty | Self::Tunnel(_) => SizeHint::with_exact(0),
            Self::Message(incoming) => incoming.size_hint(),
            Self::Stream(upload) => upload.left.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
