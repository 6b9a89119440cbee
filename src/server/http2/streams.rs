//! Runs the streams of an HTTP/2 connection, and gives up those whose client takes nothing of the answer for too long:
//! hyper waits for a window for ever, and with it a connection to the origin.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use hyper::rt::Executor;
use tokio::time::{Duration, Instant, Sleep, sleep_until};

use crate::proxy::Held;

/// hyper's executor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    /// How long an answer may wait for its client.
    pub(super) limit: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, stream: F) {
        // A stream that is dropped is reset.
        tokio::spawn(within(self.limit, Box::pin(stream)));
    }
}

async fn within<T>(limit: Duration, mut stream: Pin<Box<impl Future<Output = T>>>) -> Option<T> {
    let mut held = Held::default();
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        if let Poll::Ready(done) = held.during(|| stream.as_mut().poll(cx)) {
            return Poll::Ready(Some(done));
        }
        if !held.waits {
            return Poll::Pending;
        }
        let alarm = match &mut alarm {
            Some(alarm) => {
                if held.moved {
                    alarm.as_mut().reset(Instant::now() + limit);
                }
                alarm
            }
            None => alarm.insert(Box::pin(sleep_until(Instant::now() + limit))),
        };
        alarm.as_mut().poll(cx).map(|()| None)
    })
    .await
}
