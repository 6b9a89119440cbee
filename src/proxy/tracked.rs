//! The body of a response on its way to the client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::exchange::Exchange;
use super::upstream::Lease;
use crate::body::{self, Body};

/// The body of a response, which ends its exchange and gives the origin's connection back.
#[derive(Debug)]
pub struct Tracked {
    body: Body,
    exchange: Exchange,
    lease: Option<Lease>,
}

impl Tracked {
    /// `lease` is the connection that `body` comes over.
    pub fn new(body: Body, exchange: Exchange, lease: Option<Lease>) -> Self {
        Self { body, exchange, lease }
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.release();
        }
    }
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = body::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, body::Error>>> {
        let this = self.get_mut();
        let frame = std::task::ready!(http_body::Body::poll_frame(Pin::new(&mut this.body), cx));
        match &frame {
            Some(Ok(frame)) => {
                this.exchange.sent(frame.data_ref().map_or(0, Bytes::len));
            }
            Some(Err(error)) => {
                // Without the lease's release the connection is closed: nobody may read on from here.
                this.lease = None;
                this.exchange.cut(error);
            }
            None => this.release(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        // Nobody asks again who knows that the end is reached.
        if http_body::Body::is_end_stream(&self.body) {
            self.release();
        } else if self.lease.is_some() {
            self.exchange.abandoned();
        }
    }
}
