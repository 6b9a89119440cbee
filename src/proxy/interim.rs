//! Informational answers (1xx) on their way to the client, ahead of the answer (RFC 9110 §15.2).

use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Response;

/// What waits to be written for one request. The exchange puts it here, and who writes to the client takes it.
#[derive(Debug, Default)]
pub struct Interim {
    heads: Mutex<Vec<Response<()>>>,
    /// The answer itself has not come.
    open: AtomicBool,
    /// There is something to take; asked for with each write.
    waits: AtomicBool,
}

impl Interim {
    /// A request is waiting for its answer: from here on there may be others before it.
    pub fn open(&self) {
        // Of a request before, whose client did not take them in time.
        drop(self.take());
        self.open.store(true, Relaxed);
    }

    /// The answer has come.
    pub fn close(&self) {
        self.open.store(false, Relaxed);
    }

    /// Waits to be written from here on.
    pub fn push(&self, head: Response<()>) {
        self.heads().push(head);
        self.waits.store(true, Relaxed);
    }

    /// Whether the client still waits for the answer.
    pub fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// What there is to write, in its order.
    pub fn take(&self) -> Vec<Response<()>> {
        if !self.waits() {
            return Vec::new();
        }
        self.waits.store(false, Relaxed);
        take(&mut self.heads())
    }

    /// Whether there is something to write.
    pub fn waits(&self) -> bool {
        self.waits.load(Relaxed)
    }

    fn heads(&self) -> MutexGuard<'_, Vec<Response<()>>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
