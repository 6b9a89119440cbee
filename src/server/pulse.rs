//! Whether all workers live, for a watchdog.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::telemetry::counters::Counters;

/// Feels the pulse of the workers.
#[derive(Debug)]
pub struct Pulse {
    workers: Vec<Arc<Counters>>,
    last: Vec<Option<u64>>,
}

impl Pulse {
    pub(super) fn new(workers: Vec<Arc<Counters>>) -> Self {
        Self { last: vec![None; workers.len()], workers }
    }

    /// Whether each worker has moved since it was last asked. Ask no more often than each second.
    pub fn is_felt(&mut self) -> bool {
        let now: Vec<_> = self.workers.iter().map(|worker| Some(worker.beats.load(Relaxed))).collect();
        let felt = now.iter().zip(&self.last).all(|(now, last)| now != last);
        self.last = now;
        felt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_worker_that_hangs_is_enough() {
        let workers: Vec<_> = (0..2).map(|_| Arc::<Counters>::default()).collect();
        let beat = |index: usize| workers[index].beats.fetch_add(1, Relaxed);
        let mut pulse = Pulse::new(workers.clone());
        assert!(pulse.is_felt(), "a worker that has just been started lives");
        beat(0);
        assert!(!pulse.is_felt());
        beat(0);
        beat(1);
        assert!(pulse.is_felt());
        assert!(!pulse.is_felt());
    }
}
