//! Whether an origin is well, as all workers see it: each tells what it met with, and one checker asks.
//!
//! What a request reads here is written when an origin changes its state, and when it fails: no core waits for another.

use std::fmt::Display;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use tokio::time::{Duration, Instant};

/// So many failures in a row take an origin out.
const FAILURES: u32 = 3;
/// For so long at first; twice as long each time that it fails again.
const OUT: Duration = Duration::from_secs(1);
/// And never for longer.
const LONGEST_OUT: Duration = Duration::from_secs(60);

/// The state of one origin.
#[derive(Debug)]
pub struct Health {
    site: Box<str>,
    /// Its URL.
    origin: Box<str>,
    /// In a row.
    failures: AtomicU32,
    /// Until when nothing is sent there, in milliseconds of [`now`]; 0 for one that is in.
    out_until: AtomicU64,
    /// How often in a row it has gone out.
    outs: AtomicU32,
    /// The checks say that it is not well.
    sick: AtomicBool,
}

/// Whether a request is the one by which an origin that is out is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    No,
    Yes,
}

impl Health {
    pub(super) fn new(site: &str, origin: String) -> Self {
        Self {
            site: site.into(),
            origin: origin.into(),
            failures: AtomicU32::new(0),
            out_until: AtomicU64::new(0),
            outs: AtomicU32::new(0),
            sick: AtomicBool::new(false),
        }
    }

    pub(super) fn is_of(&self, site: &str, origin: &str) -> bool {
        (&*self.site, &*self.origin) == (site, origin)
    }

    /// Whether requests go there as long as another one does not have to stand in.
    pub fn is_up(&self) -> bool {
        self.out_until.load(Relaxed) == 0 && !self.sick.load(Relaxed)
    }

    /// Takes the one request by which an origin may come back; nobody else gets it until it had its time.
    pub(super) fn take_trial(&self) -> bool {
        let until = self.out_until.load(Relaxed);
        if until == 0 || self.sick.load(Relaxed) {
            return false;
        }
        let now = now();
        let next = now + millis(out_for(self.outs.load(Relaxed)));
        now >= until && self.out_until.compare_exchange(until, next, Relaxed, Relaxed).is_ok()
    }

    /// It answered.
    pub(super) fn succeeded(&self) {
        if self.failures.load(Relaxed) == 0 {
            return;
        }
        self.failures.store(0, Relaxed);
        if self.out_until.swap(0, Relaxed) != 0 {
            self.outs.store(0, Relaxed);
            let Self { site, origin, .. } = self;
            tracing::info!(%site, %origin, "An origin answers again.");
        }
    }

    /// It could not be reached, kept silent, or answered in a way that is no answer.
    pub(super) fn failed(&self, trial: Trial, why: &dyn Display) {
        if self.failures.fetch_add(1, Relaxed) + 1 < FAILURES && trial == Trial::No {
            return;
        }
        if trial == Trial::Yes {
            let outs = self.outs.fetch_add(1, Relaxed) + 1;
            self.out_until.store(now() + millis(out_for(outs)), Relaxed);
            return;
        }
        // Those that were on their way when it went out change nothing.
        let until = now() + millis(OUT);
        if self.out_until.compare_exchange(0, until, Relaxed, Relaxed).is_ok() {
            let Self { site, origin, .. } = self;
            tracing::warn!(%site, %origin, "An origin fails: {why}");
        }
    }

    /// The checks say that it is well, or is not.
    pub(super) fn checked(&self, well: bool, why: &dyn Display) {
        if self.sick.swap(!well, Relaxed) != well {
            return;
        }
        let Self { site, origin, .. } = self;
        if well {
            // What requests met with before does not count any more.
            self.failures.store(0, Relaxed);
            self.outs.store(0, Relaxed);
            self.out_until.store(0, Relaxed);
            tracing::info!(%site, %origin, "An origin is well again.");
        } else {
            tracing::warn!(%site, %origin, "An origin is not well: {why}");
        }
    }

    /// Nobody checks it.
    pub(super) fn unchecked(&self) {
        self.sick.store(false, Relaxed);
    }
}

fn out_for(outs: u32) -> Duration {
    OUT.saturating_mul(1 << outs.min(10)).min(LONGEST_OUT)
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

/// Milliseconds of this process, never 0.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis() as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health::new("shop.example", "http://127.0.0.1:1".to_owned())
    }

    fn fail(health: &Health, times: u32) {
        (0..times).for_each(|_| health.failed(Trial::No, &"refused"));
    }

    #[test]
    fn failures_in_a_row_take_it_out_and_an_answer_brings_it_back() {
        let health = health();
        fail(&health, FAILURES - 1);
        assert!(health.is_up());
        health.succeeded();
        fail(&health, FAILURES - 1);
        assert!(health.is_up(), "not in a row");
        fail(&health, 1);
        assert!(!health.is_up());
        health.succeeded();
        assert!(health.is_up());
    }

    #[test]
    fn it_is_out_for_longer_each_time_and_tried_by_one_request_alone() {
        let health = health();
        fail(&health, 100);
        let until = |health: &Health| health.out_until.load(Relaxed);
        assert!(until(&health) <= now() + millis(OUT), "many failures at once are one");
        assert!(!health.take_trial(), "not before its time");
        let mut last = 0;
        for _ in 0..8 {
            health.out_until.store(1, Relaxed);
            assert!(health.take_trial());
            assert!(!health.take_trial(), "only one");
            health.failed(Trial::Yes, &"refused");
            let length = until(&health).saturating_sub(now());
            assert!(length + 50 >= last && length <= millis(LONGEST_OUT), "{length} after {last}");
            last = length;
        }
        assert!(last > millis(LONGEST_OUT) - 1000);
        health.succeeded();
        assert_eq!(health.outs.load(Relaxed), 0);
    }

    #[test]
    fn whom_checks_call_sick_stays_out_until_they_call_it_well() {
        let health = health();
        health.checked(false, &"503");
        health.succeeded();
        assert!(!health.is_up());
        fail(&health, FAILURES);
        health.out_until.store(1, Relaxed);
        assert!(!health.take_trial());
        health.checked(true, &"");
        assert!(health.is_up(), "checks know better than requests of long ago");
    }
}
