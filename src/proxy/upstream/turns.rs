//! Whose turn it is among the servers of a site, on one worker.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::config::{Balance, Origin};

/// Smooth weighted round robin, as nginx has it: of weights 5, 1 and 1 the first does not get five in a row.
///
/// Only one worker takes turns here, and none is taken while another is: plain loads and stores will do.
#[derive(Debug)]
pub(super) struct Turns {
    balance: Balance,
    servers: Box<[Turn]>,
}

#[derive(Debug)]
struct Turn {
    weight: u32,
    credit: AtomicI64,
}

impl Turns {
    pub(super) fn new(balance: Balance, servers: &[Origin]) -> Self {
        let turn = |origin: &Origin| Turn { weight: origin.weight, credit: AtomicI64::new(0) };
        Self { balance, servers: servers.iter().map(turn).collect() }
    }

    /// The next of those that `may` be taken; `busy` tells how many requests each has in flight.
    pub(super) fn next(&self, may: impl Fn(usize) -> bool, busy: impl Fn(usize) -> u32) -> Option<usize> {
        if self.balance == Balance::RoundRobin {
            return self.round(may);
        }
        // Fractions are compared without dividing.
        let load = |at: usize| (u64::from(busy(at)), u64::from(self.servers[at].weight));
        let order = |a: usize, b: usize| {
            let ((a, a_weight), (b, b_weight)) = (load(a), load(b));
            (a * b_weight).cmp(&(b * a_weight))
        };
        let least = (0..self.servers.len()).filter(|at| may(*at)).min_by(|a, b| order(*a, *b))?;
        self.round(|at| may(at) && order(at, least).is_eq())
    }

    fn round(&self, may: impl Fn(usize) -> bool) -> Option<usize> {
        let (mut total, mut best) = (0, None);
        for (at, turn) in self.servers.iter().enumerate().filter(|(at, _)| may(*at)) {
            let credit = turn.credit.load(Relaxed) + i64::from(turn.weight);
            turn.credit.store(credit, Relaxed);
            total += i64::from(turn.weight);
            if best.is_none_or(|(_, most)| credit > most) {
                best = Some((at, credit));
            }
        }
        let (at, credit) = best?;
        self.servers[at].credit.store(credit - total, Relaxed);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    fn turns(balance: Balance, weights: &[u32]) -> Turns {
        let origin = |weight: &u32| Origin { place: Place::Tcp("a".into(), 1), weight: *weight };
        Turns::new(balance, &weights.iter().map(origin).collect::<Vec<_>>())
    }

    #[test]
    fn turns_are_dealt_by_weight_and_smoothly() {
        let of = |turns: &Turns, count: usize, may: fn(usize) -> bool| -> Vec<usize> {
            (0..count).map(|_| turns.next(may, |_| 0).unwrap()).collect()
        };
        assert_eq!(of(&turns(Balance::RoundRobin, &[1, 1, 1]), 6, |_| true), [0, 1, 2, 0, 1, 2]);
        assert_eq!(of(&turns(Balance::RoundRobin, &[5, 1, 1]), 7, |_| true), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(of(&turns(Balance::LeastRequests, &[3, 1]), 4, |_| true), [0, 0, 1, 0]);
        // The share of one that is away is dealt evenly.
        assert_eq!(of(&turns(Balance::RoundRobin, &[1, 1, 1]), 6, |at| at != 1), [0, 2, 0, 2, 0, 2]);
        assert_eq!(turns(Balance::RoundRobin, &[1]).next(|_| false, |_| 0), None);
        assert_eq!(turns(Balance::LeastRequests, &[1]).next(|_| false, |_| 0), None);
    }

    #[test]
    fn the_least_busy_for_its_weight_is_next() {
        let next = |weights: &[u32], busy: &[u32]| turns(Balance::LeastRequests, weights).next(|_| true, |at| busy[at]);
        assert_eq!(next(&[1, 1, 1], &[2, 1, 3]), Some(1));
        assert_eq!(next(&[3, 1], &[2, 1]), Some(0), "two thirds are less than one");
        assert_eq!(next(&[3, 1], &[4, 1]), Some(1));
    }
}
