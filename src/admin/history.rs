//! The last hour, a sample each five seconds, so that whoever opens the page sees what has been.

use std::collections::VecDeque;
use std::sync::PoisonError;

use serde::Serialize;
use tokio::time::{Duration, interval};

use super::View;
use super::gathered::Gathered;
use crate::policy::FindingAction;
use crate::telemetry;
use crate::telemetry::counters::Times;

/// Between two samples.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// An hour of them.
const KEPT: usize = 720;

/// The samples, and the sums at the last one.
#[derive(Debug, Default)]
pub(super) struct History {
    samples: VecDeque<Sample>,
    last: Option<Sums>,
}

/// What happened between two looks.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sample {
    /// The later one, in seconds since 1970.
    time: i64,
    /// Requests a second.
    requests: f64,
    /// Of these, answered with 5xx.
    errors: f64,
    /// The time that we added to half of the requests, and to 99 of 100, at most; in seconds.
    p50: Option<f64>,
    p99: Option<f64>,
    /// Cookies and tags a second that were removed, in mode observe: would have been.
    stripped: f64,
    /// Cookies a second that were hardened, likewise.
    hardened: f64,
}

#[derive(Debug, Clone)]
struct Sums {
    time: i64,
    requests: u64,
    errors: u64,
    added: Times,
    stripped: u64,
    hardened: u64,
}

/// Takes samples for as long as it is polled.
pub(super) async fn keep(view: &View) {
    let mut clock = interval(EVERY);
    loop {
        clock.tick().await;
        let sums = Sums::of(view);
        view.history.lock().unwrap_or_else(PoisonError::into_inner).add(sums);
    }
}

impl View {
    /// The samples until now.
    pub(super) fn samples(&self) -> Vec<Sample> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).samples.iter().cloned().collect()
    }
}

impl Sums {
    fn of(view: &View) -> Self {
        let gathered = Gathered::of(view);
        let requests = gathered.requests();
        let (mut stripped, mut hardened) = (0, 0);
        for (tally, count) in view.told.book.tallies() {
            match tally.action {
                FindingAction::Strip | FindingAction::Expire => stripped += count,
                FindingAction::Harden => hardened += count,
                FindingAction::Cap | FindingAction::Keep => {}
            }
        }
        Self {
            time: telemetry::now().0,
            requests: requests.iter().sum(),
            errors: requests[5],
            added: gathered.added(),
            stripped,
            hardened,
        }
    }
}

impl History {
    fn add(&mut self, sums: Sums) {
        if let Some(last) = &self.last {
            if sums.time <= last.time {
                return;
            }
            if self.samples.len() == KEPT {
                self.samples.pop_front();
            }
            self.samples.push_back(last.until(&sums));
        }
        self.last = Some(sums);
    }
}

impl Sums {
    fn until(&self, later: &Self) -> Sample {
        let seconds = (later.time - self.time) as f64;
        let rate = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
        let added = later.added.since(&self.added);
        Sample {
            time: later.time,
            requests: rate(self.requests, later.requests),
            errors: rate(self.errors, later.errors),
            p50: added.quantile(0.5),
            p99: added.quantile(0.99),
            stripped: rate(self.stripped, later.stripped),
            hardened: rate(self.hardened, later.hardened),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_of_what_happened_between_them() {
        let sums = |time: i64, requests: u64| {
            let mut added = Times::default();
            added.counts[0] = requests;
            Sums { time, requests, errors: requests / 10, added, stripped: 2 * requests, hardened: 0 }
        };
        let mut history = History::default();
        history.add(sums(100, 1000));
        assert!(history.samples.is_empty(), "what was before nobody saw");
        history.add(sums(105, 1100));
        history.add(sums(105, 1200));
        history.add(sums(110, 1100));
        let [one, two] = history.samples.make_contiguous() else { panic!("{history:?}") };
        assert_eq!((one.requests, one.errors, one.stripped, one.time), (20.0, 2.0, 40.0, 105));
        assert!(one.p50.unwrap() < one.p99.unwrap() && one.p99.unwrap() <= 0.000_05);
        assert_eq!((two.requests, two.p50), (0.0, None), "nothing happened, and nothing is made up");
        for second in 0..1000 {
            history.add(sums(200 + second, 2000));
        }
        assert_eq!(history.samples.len(), KEPT);
    }
}
