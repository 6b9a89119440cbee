//! Sends the body of an answer over a stream, no faster than its client takes it (RFC 9113 §5.2).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use tokio::time::{Duration, Instant, Sleep, sleep_until};

use crate::proxy::Tracked;

/// Sends all of `body`, or as much as its client takes: one that reset the stream, or takes nothing for `limit`, gets no
/// more. A body that breaks off resets the stream, so that nobody takes a part for the whole.
pub(super) async fn send(body: Tracked, stream: SendStream<Bytes>, limit: Duration) {
    let mut sending = Sending { body, stream, waiting: None, limit, alarm: None };
    poll_fn(|cx| sending.poll(cx)).await;
}

struct Sending {
    body: Tracked,
    stream: SendStream<Bytes>,
    /// A piece of the body for which the client has no room yet.
    waiting: Option<Bytes>,
    limit: Duration,
    /// Armed when the client first keeps us waiting.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Sending {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Of a stream that was reset h2 tells here, while there is nothing to send too.
            if self.stream.poll_reset(cx).is_ready() {
                return Poll::Ready(());
            }
            if self.waiting.is_some() && !ready!(self.poll_room(cx)) {
                return Poll::Ready(());
            }
            if let Some(piece) = self.waiting.take() {
                let is_last = self.body.is_end_stream();
                if self.stream.send_data(piece, is_last).is_err() || is_last {
                    return Poll::Ready(());
                }
                continue;
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
                let _ = self.stream.send_data(Bytes::new(), true);
                return Poll::Ready(());
            };
            match frame.map(http_body::Frame::into_data) {
                Ok(Ok(piece)) if piece.is_empty() => {}
                Ok(Ok(piece)) => {
                    // Not all of it: a stream that waits for much holds up the others (hyperium/hyper#4003), and h2 asks
                    // for what it was given anyway.
                    self.stream.reserve_capacity(1);
                    self.waiting = Some(piece);
                }
                Ok(Err(frame)) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        let _ = self.stream.send_trailers(trailers);
                        return Poll::Ready(());
                    }
                }
                Err(_) => {
                    self.stream.send_reset(Reason::INTERNAL_ERROR);
                    return Poll::Ready(());
                }
            }
        }
    }

    /// Whether the client has room for more; false if it is gone, or takes too long.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.stream.capacity() == 0 {
            match self.stream.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(false),
                Poll::Pending => return self.poll_alarm(cx).map(|()| false),
            }
        }
        self.alarm = None;
        Poll::Ready(true)
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        self.alarm.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + limit))).as_mut().poll(cx)
    }
}
