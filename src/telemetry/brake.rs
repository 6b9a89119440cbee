//! Holds back lines of the log that would come once a request: a few in a while, and how many more there were.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::cookie::UnixTime;

/// How long a few lines are enough, in seconds.
const WHILE: i64 = 10;
/// Lines in that time.
const FEW: u64 = 5;

/// One kind of line. Several threads may use it; counts are then right, and a line too many may pass.
#[derive(Debug, Default)]
pub struct Brake {
    /// Which while it is, counted from 1970.
    at: AtomicI64,
    passed: AtomicU64,
    held: AtomicU64,
}

impl Brake {
    /// Whether a line may be written now, and how many were held back since the last one that was.
    pub fn pass(&self, now: UnixTime) -> Option<u64> {
        let at = now.0 / WHILE;
        if self.at.swap(at, Relaxed) != at {
            self.passed.store(0, Relaxed);
        }
        if self.passed.fetch_add(1, Relaxed) < FEW {
            return Some(self.held.swap(0, Relaxed));
        }
        self.held.fetch_add(1, Relaxed);
        None
    }

    /// How many were held back, once the while in which that happened is over: nobody may come after them to tell.
    pub fn rest(&self, now: UnixTime) -> Option<u64> {
        let is_over = self.held.load(Relaxed) > 0 && self.at.load(Relaxed) != now.0 / WHILE;
        is_over.then(|| self.held.swap(0, Relaxed)).filter(|held| *held > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_pass_and_the_others_are_counted() {
        let brake = Brake::default();
        let start = UnixTime(1_000);
        let passed = (0..100).filter(|_| brake.pass(start).is_some()).count();
        assert_eq!(passed, 5);
        assert_eq!(brake.rest(start), None, "more may come");
        assert_eq!(brake.pass(UnixTime(1_010)), Some(95));
        assert_eq!(brake.pass(UnixTime(1_010)), Some(0));
        assert_eq!(brake.rest(UnixTime(1_030)), None, "all was told");
        while brake.pass(UnixTime(1_030)).is_some() {}
        assert_eq!(brake.rest(UnixTime(1_040)), Some(1));
        assert_eq!(brake.rest(UnixTime(1_050)), None);
    }
}
