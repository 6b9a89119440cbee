//! The HTTP/2 connection to one origin that all requests of a worker share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use hyper::client::conn::http2::SendRequest;
use tokio::time::{Duration, Instant, sleep_until};

use super::addresses::Addresses;
use crate::body::Body;

/// The connection, while there is one.
#[derive(Debug)]
pub(super) struct Shared {
    slot: Mutex<Slot>,
    /// After how long without a new request it is given up; what is in flight comes to its end on it.
    oldest: Duration,
}

#[derive(Debug, Default)]
struct Slot {
    open: Option<Open>,
    /// Whether a task looks after it.
    swept: bool,
}

#[derive(Debug)]
struct Open {
    sender: SendRequest<Body>,
    to: SocketAddr,
    used: Instant,
}

impl Shared {
    pub(super) fn new(oldest: Duration) -> Arc<Self> {
        Arc::new(Self { slot: Mutex::default(), oldest })
    }

    /// A handle on it, if it lives and leads to one of these addresses.
    pub(super) fn take(&self, addresses: &Addresses, now: Instant) -> Option<SendRequest<Body>> {
        let open = &mut self.slot().open;
        open.take_if(|open| open.sender.is_closed() || !addresses.has(open.to));
        let open = open.as_mut()?;
        open.used = now;
        Some(open.sender.clone())
    }

    /// A new one takes the place of the last.
    pub(super) fn put(self: &Arc<Self>, sender: SendRequest<Body>, to: SocketAddr, now: Instant) {
        let mut slot = self.slot();
        slot.open = Some(Open { sender, to, used: now });
        if !std::mem::replace(&mut slot.swept, true) {
            tokio::spawn(Self::sweep(Arc::downgrade(self)));
        }
    }

    /// Gives the connection up when nobody has used it for too long.
    async fn sweep(shared: Weak<Self>) {
        while let Some(next) = shared.upgrade().and_then(|shared| shared.close_old(Instant::now())) {
            sleep_until(next).await;
        }
    }

    /// Says when to look again.
    fn close_old(&self, now: Instant) -> Option<Instant> {
        let mut slot = self.slot();
        slot.open.take_if(|open| open.used + self.oldest <= now);
        slot.swept = slot.open.is_some();
        slot.open.as_ref().map(|open| open.used + self.oldest)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().expect("no panic under the lock")
    }
}
