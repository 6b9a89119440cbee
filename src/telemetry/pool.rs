//! How many connections a worker has to an origin, and how many of them wait for a request.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Connections of one worker to one origin. Only this worker writes here.
#[derive(Debug, Default)]
pub struct Pool {
    open: AtomicU64,
    idle: AtomicU64,
}

/// Connections to one origin at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// With a request or an upgraded protocol on them.
    pub busy: u64,
    /// Kept for the next request.
    pub idle: u64,
}

impl Pool {
    /// A connection is there, and waits.
    pub fn opened(&self) {
        self.open.fetch_add(1, Relaxed);
        self.idle.fetch_add(1, Relaxed);
    }

    /// A connection is gone; `idle` if it waited.
    pub fn closed(&self, idle: bool) {
        if idle {
            self.busy();
        }
        self.open.fetch_sub(1, Relaxed);
    }

    /// One that waited got a request.
    pub fn busy(&self) {
        self.idle.fetch_sub(1, Relaxed);
    }

    /// One that had requests waits again.
    pub fn idle(&self) {
        self.idle.fetch_add(1, Relaxed);
    }

    /// Those of this moment.
    pub fn connections(&self) -> Connections {
        let (idle, open) = (self.idle.load(Relaxed), self.open.load(Relaxed));
        // Between the two reads one may have come or gone.
        Connections { busy: open.saturating_sub(idle), idle }
    }
}

impl Connections {
    /// Adds those of another worker.
    pub fn add(&mut self, other: Self) {
        self.busy += other.busy;
        self.idle += other.idle;
    }
}
