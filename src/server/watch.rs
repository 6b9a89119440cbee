//! Drives a connection and holds its time limits.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::time::{Duration, Instant, Sleep, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::Timeouts;
use crate::proxy::{Activity, Overdue};

/// How long a client that floods, or was idle for too long, may take to read that we close.
const PARTING: Duration = Duration::from_secs(1);

/// A connection that is driven by [`watch`].
pub(super) trait Driven: Future {
    /// Finishes what is in flight and closes; has to be polled afterwards.
    fn finish(self: Pin<&mut Self>);

    /// Tells a client that has asked for nothing that it is too late to; false where there is no way to say so. Ends soon
    /// after, and has to be polled until then.
    fn part(self: Pin<&mut Self>) -> bool {
        false
    }

    /// When [`Self::probe`] is to be called next, if ever.
    fn probe_at(&self) -> Option<Instant> {
        None
    }

    /// Asks a client that has long said nothing whether it is there; false where it was asked and said nothing again. Has to
    /// be polled afterwards.
    fn probe(self: Pin<&mut Self>) -> bool {
        true
    }

    /// Whether it could [`Self::rest`].
    fn can_rest(&self) -> bool {
        false
    }

    /// Gives up what it can do without until its client says something. Only while [`Activity::quiet_since`] says that it
    /// is quiet; has to be polled afterwards.
    ///
    /// [`Activity::quiet_since`]: crate::proxy::Activity::quiet_since
    fn rest(self: Pin<&mut Self>) {}
}

/// What a connection waits for, and for how long, before it is told to finish.
#[derive(Debug, Clone, Copy)]
pub(super) enum Linger {
    /// To have something in flight with which it can be told.
    UntilBusy(Duration),
    /// For its first request, which is the last.
    UntilAsked(Duration),
}

impl Linger {
    fn is_over(self, activity: &Activity) -> bool {
        match self {
            Self::UntilBusy(_) => !activity.is_idle(),
            Self::UntilAsked(_) => activity.was_asked(),
        }
    }
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself: closed, upgraded or broken.
    Closed,
    /// A time limit ran out; whatever is in flight is dropped with it.
    Overdue(Overdue),
    /// Still busy when the drain limit ran out.
    Undrained,
}

/// What comes next if nothing happens until then.
#[derive(Debug, Clone, Copy)]
enum Due {
    End(End),
    Rest,
    Probe,
}

/// Drives a connection and holds its limits. The alarm is set anew only when a deadline comes nearer, or when it rings and
/// finds that the deadline has moved: a busy connection touches the timer wheel once in a while, not with each request.
pub(super) async fn watch<C: Driven>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    timeouts: &Timeouts,
    stop: &CancellationToken,
    linger: Linger,
) -> End {
    let mut stopped = pin!(stop.cancelled());
    let mut drain: Option<Instant> = None;
    let mut lingering: Option<Pin<Box<Sleep>>> = None;
    let mut parting: Option<Instant> = None;
    let mut armed = Instant::now() + timeouts.idle;
    let mut alarm = pin!(sleep_until(armed));
    poll_fn(|cx| {
        if drain.is_none() && stopped.as_mut().poll(cx).is_ready() {
            drain = Some(Instant::now() + timeouts.drain);
            let (Linger::UntilBusy(most) | Linger::UntilAsked(most)) = linger;
            lingering = Some(Box::pin(sleep(most.min(timeouts.drain))));
        }
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Closed);
        }
        if activity.is_flooding() {
            // h2 was shown the end of the stream; who does not read our GOAWAY is cut off.
            drain.get_or_insert_with(|| Instant::now() + PARTING);
        }
        if let Some(rest) = &mut lingering
            && (linger.is_over(activity) || rest.as_mut().poll(cx).is_ready())
        {
            lingering = None;
            connection.as_mut().finish();
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Closed);
            }
        }
        loop {
            let limit = activity.deadline(timeouts).map(|(at, what)| (at, Due::End(End::Overdue(what))));
            // It has had its time.
            let limit = parting.map_or(limit, |at| Some((at, Due::End(End::Overdue(Overdue::Idle)))));
            let drained = drain.map(|at| (at, Due::End(End::Undrained)));
            let quiet = activity.quiet_since().filter(|_| connection.can_rest());
            let rest = quiet.map(|since| (since + timeouts.rest, Due::Rest));
            let probe = connection.probe_at().map(|at| (at, Due::Probe));
            let next = [limit, drained, rest, probe].into_iter().flatten().min_by_key(|(at, _)| *at);
            if let Some((at, _)) = &next
                && *at < armed
            {
                armed = *at;
                alarm.as_mut().reset(armed);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match next {
                Some((at, due)) if at <= Instant::now() => {
                    match due {
                        Due::End(end @ End::Overdue(Overdue::Idle)) if parting.is_none() => {
                            if !connection.as_mut().part() {
                                return Poll::Ready(end);
                            }
                            parting = Some(Instant::now() + PARTING);
                        }
                        Due::End(end) => return Poll::Ready(end),
                        Due::Rest => connection.as_mut().rest(),
                        Due::Probe if connection.as_mut().probe() => {}
                        Due::Probe => return Poll::Ready(End::Overdue(Overdue::Stalled)),
                    }
                    if connection.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(End::Closed);
                    }
                    continue;
                }
                Some((at, _)) => armed = at,
                None => armed = Instant::now() + timeouts.idle,
            }
            alarm.as_mut().reset(armed);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::task::Context;

    use super::*;

    /// Ends once it has come to rest.
    #[derive(Debug, Default)]
    struct Rester {
        rested: bool,
    }

    impl Future for Rester {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if self.rested { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    impl Driven for Rester {
        fn finish(self: Pin<&mut Self>) {}

        fn can_rest(&self) -> bool {
            !self.rested
        }

        fn rest(mut self: Pin<&mut Self>) {
            self.rested = true;
        }
    }

    #[tokio::test]
    async fn a_connection_rests_when_it_is_quiet_and_never_otherwise() {
        let (rest, idle) = (Duration::from_millis(5), Duration::from_millis(100));
        let timeouts = Timeouts { rest, idle, ..Timeouts::default() };
        let stop = CancellationToken::new();
        for (quiet, end) in [(true, End::Closed), (false, End::Overdue(Overdue::Idle))] {
            let (mut connection, activity) = (Rester::default(), Activity::new());
            activity.quiet(quiet);
            let linger = Linger::UntilBusy(Duration::ZERO);
            assert_eq!(watch(Pin::new(&mut connection), &activity, &timeouts, &stop, linger).await, end);
            assert_eq!(connection.rested, quiet);
        }
    }
}
