//! The HTTP/2 connection to one origin that all requests of a worker share.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use hyper::client::conn::http2::SendRequest;
use tokio::time::{Duration, Instant, sleep_until};

use super::addresses::Addresses;
use super::line::Line;
use crate::body::Body;

/// An HTTP/2 connection.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) sender: SendRequest<Body>,
    pub(super) line: Arc<Line>,
}

/// Where it is, while there is one.
#[derive(Debug)]
pub(super) struct Slot {
    open: Mutex<Open>,
    /// After how long without a new request it is given up; what is in flight comes to its end on it.
    oldest: Duration,
}

#[derive(Debug, Default)]
struct Open {
    /// With the time of its last request.
    shared: Option<(Shared, Instant)>,
    /// Whether a task looks after it.
    swept: bool,
}

impl Slot {
    pub(super) fn new(oldest: Duration) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), oldest })
    }

    /// A handle on it, if it lives and leads to one of these addresses.
    pub(super) fn take(&self, addresses: &Addresses, now: Instant) -> Option<Shared> {
        let open = &mut self.open().shared;
        open.take_if(|(shared, _)| shared.sender.is_closed() || !addresses.has(&shared.line.to));
        let (shared, used) = open.as_mut()?;
        *used = now;
        Some(shared.clone())
    }

    /// A new one takes the place of the last.
    pub(super) fn put(self: &Arc<Self>, shared: Shared, now: Instant) {
        let mut open = self.open();
        open.shared = Some((shared, now));
        if !std::mem::replace(&mut open.swept, true) {
            tokio::spawn(Self::sweep(Arc::downgrade(self)));
        }
    }

    /// Gives the connection up when nobody has used it for too long.
    async fn sweep(slot: Weak<Self>) {
        while let Some(next) = slot.upgrade().and_then(|slot| slot.close_old(Instant::now())) {
            sleep_until(next).await;
        }
    }

    /// Says when to look again.
    fn close_old(&self, now: Instant) -> Option<Instant> {
        let mut open = self.open();
        open.shared.take_if(|(_, used)| *used + self.oldest <= now);
        open.swept = open.shared.is_some();
        open.shared.as_ref().map(|(_, used)| *used + self.oldest)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no panic under the lock")
    }
}
