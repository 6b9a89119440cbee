//! A body of a peer that may not take for ever.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{Error, Received};
use crate::filter::hop_by_hop;

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
    received: Received,
    /// Was read ahead, and comes first.
    front: Option<Bytes>,
    idle: Duration,
    /// Bytes a second.
    rate: u64,
    /// It has kept us waiting from here on.
    since: Option<Instant>,
    /// Time that we waited and bytes that came, since the rate was last looked at.
    waited: Duration,
    sent: u64,
    /// Armed when the peer first keeps us waiting: most bodies never need it.
    alarm: Option<Pin<Box<Sleep>>>,
    passing: Option<Arc<Passing>>,
}

impl Timed {
    pub(super) fn new(received: Received, idle: Duration, rate: u64) -> Self {
        Self {
            received,
            front: None,
            idle,
            rate,
            since: None,
            waited: Duration::ZERO,
            sent: 0,
            alarm: None,
            passing: None,
        }
    }

    pub(super) fn push_front(&mut self, front: Bytes) {
        self.front = Some(front);
    }

    pub(super) fn watched(&mut self) -> Arc<Passing> {
        Arc::clone(self.passing.get_or_insert_with(Arc::default))
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.front.is_none() && http_body::Body::is_end_stream(&self.received)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let rest = http_body::Body::size_hint(&self.received);
        let Some(front) = &self.front else { return rest };
        let mut whole = SizeHint::new();
        whole.set_lower(rest.lower() + front.len() as u64);
        if let Some(upper) = rest.upper() {
            whole.set_upper(upper + front.len() as u64);
        }
        whole
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            match &mut self.alarm {
                Some(alarm) => alarm.as_mut().reset(now + self.idle),
                None => self.alarm = Some(Box::pin(tokio::time::sleep_until(now + self.idle))),
            }
        }
        match &mut self.alarm {
            Some(alarm) => alarm.as_mut().poll(cx).map(|()| Error::Idle(self.idle)),
            None => Poll::Pending,
        }
    }

    fn note_passing(&self) {
        if let Some(passing) = &self.passing {
            *passing.0.lock().expect("no panic under the lock") = Instant::now();
        }
    }

    /// Something came: whether all of it comes too slowly.
    fn arrived(&mut self, bytes: usize) -> Option<Error> {
        self.sent += bytes as u64;
        // Time in which the origin keeps us from reading is not the client's.
        self.waited += self.since.take()?.elapsed();
        if self.waited < self.idle {
            return None;
        }
        let (sent, waited) = (std::mem::take(&mut self.sent), std::mem::take(&mut self.waited));
        (sent < self.rate.saturating_mul(waited.as_secs())).then_some(Error::Slow { sent, waited })
    }

    pub(super) fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(front) = self.front.take() {
            return Poll::Ready(Some(Ok(Frame::data(front))));
        }
        match http_body::Body::poll_frame(Pin::new(&mut self.received), cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.note_passing();
                let slow = self.arrived(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(slow.map_or_else(|| Ok(clean_trailers(frame)), Err)))
            }
            Poll::Ready(frame) => {
                self.note_passing();
                Poll::Ready(frame)
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
