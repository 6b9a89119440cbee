//! How often requests may be sent again: a share of those that are sent, so that origins in trouble get no storm.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Of one worker and site, in fractions of a repetition. Only its worker writes to it.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

/// One repetition is earned by so many requests.
const PRICE: u32 = 5;
/// So many repetitions can be saved up; a worker begins with as many.
const MOST: u32 = 100;

impl Budget {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(MOST * PRICE))
    }

    /// A request is sent for the first time.
    pub(super) fn earn(&self) {
        let saved = self.0.load(Relaxed);
        if saved < MOST * PRICE {
            self.0.store(saved + 1, Relaxed);
        }
    }

    /// Whether one may be sent again; then that is spent.
    pub(super) fn spend(&self) -> bool {
        let left = self.0.load(Relaxed).checked_sub(PRICE);
        if let Some(left) = left {
            self.0.store(left, Relaxed);
        }
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_a_share_of_requests() {
        let budget = Budget::new();
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), MOST as usize);
        let mut repeated = 0;
        for _ in 0..1000 {
            budget.earn();
            repeated += u32::from(budget.spend());
        }
        assert_eq!(repeated, 1000 / PRICE);
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), MOST as usize, "no more are saved up");
    }
}
