//! What a client connection is doing, so that its time limits can be held: written by the exchange and the
//! socket, read by `server::watch`. All on one thread; atomics only because tasks must be `Send`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use tokio::time::{Duration, Instant};

use crate::config::Timeouts;

/// State of one client connection. Times are milliseconds since it was accepted, plus one; 0 is "not now".
#[derive(Debug)]
pub struct Activity {
    accepted: Instant,
    exchanges: AtomicU32,
    /// Heads that were read so far.
    heads: AtomicU32,
    /// Times that bytes arrived.
    heard: AtomicU32,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    blocked_since: AtomicU64,
    /// The number of the head from which on none is believed.
    doubtful: AtomicU32,
    flooding: AtomicBool,
    quiet: AtomicBool,
}

/// The limit that a connection has run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// No request for too long.
    Idle,
    /// A request head that does not come to its end.
    Head,
    /// The client does not read what we send.
    Stalled,
}

impl Activity {
    /// A connection that was just accepted and has said nothing.
    pub fn new() -> Self {
        Self {
            accepted: Instant::now(),
            exchanges: AtomicU32::new(0),
            heads: AtomicU32::new(0),
            heard: AtomicU32::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            doubtful: AtomicU32::new(0),
            flooding: AtomicBool::new(false),
            quiet: AtomicBool::new(false),
        }
    }

    /// Bytes arrived. Between requests they are the start of a head.
    pub fn received(&self) {
        self.heard.store(self.heard().wrapping_add(1), Relaxed);
        if self.exchanges.load(Relaxed) == 0 && self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    /// What arrived was whole, and none of it the start of a head that still goes on (HTTP/2, where much is said between
    /// requests: windows, pings, settings).
    pub fn received_whole(&self) {
        self.head_since.store(0, Relaxed);
    }

    /// The client does not take what we write.
    pub fn blocked(&self) {
        if self.blocked_since.load(Relaxed) == 0 {
            self.blocked_since.store(self.now(), Relaxed);
        }
    }

    /// The client took something.
    pub fn unblocked(&self) {
        if self.blocked_since.load(Relaxed) != 0 {
            self.blocked_since.store(0, Relaxed);
        }
    }

    /// A request head was read; its number, from 1.
    pub fn begin(&self) -> u32 {
        self.exchanges.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
        self.heads.fetch_add(1, Relaxed) + 1
    }

    /// A response came to its end, or was given up.
    pub fn end(&self) {
        if self.exchanges.fetch_sub(1, Relaxed) == 1 {
            self.idle_since.store(self.now(), Relaxed);
        }
    }

    /// Something goes on for longer than its exchange, such as a WebSocket over HTTP/2: until what is given goes, the
    /// connection is not idle, and what arrives is no head.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.exchanges.fetch_add(1, Relaxed);
        Hold(Arc::clone(self))
    }

    /// The head of this number contradicts itself about the length of its body; what follows it is in doubt as well.
    pub fn doubt(&self, head: u32) {
        self.doubtful.store(head, Relaxed);
    }

    /// Whether the head of this number is in doubt.
    pub fn is_doubtful(&self, head: u32) -> bool {
        let from = self.doubtful.load(Relaxed);
        from != 0 && head >= from
    }

    /// The client floods the connection with what costs it little.
    pub fn flood(&self) {
        self.flooding.store(true, Relaxed);
    }

    /// Whether it did.
    pub fn is_flooding(&self) -> bool {
        self.flooding.load(Relaxed)
    }

    /// How many request heads were read.
    pub fn heads(&self) -> u32 {
        self.heads.load(Relaxed)
    }

    /// How often bytes arrived; counts round.
    pub fn heard(&self) -> u32 {
        self.heard.load(Relaxed)
    }

    /// Whether a request was ever read.
    pub fn was_asked(&self) -> bool {
        self.heads() != 0
    }

    /// Whether the connection is between two messages, with nothing left to read or to write.
    pub fn quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Relaxed);
    }

    /// Since when nothing was asked or answered, if there is nothing left over of what was before either.
    pub fn quiet_since(&self) -> Option<Instant> {
        let quiet = self.quiet.load(Relaxed) && self.is_idle() && self.blocked_since.load(Relaxed) == 0;
        quiet.then(|| self.at(self.idle_since.load(Relaxed), Duration::ZERO))
    }

    /// Whether nothing is asked and nothing is answered.
    pub fn is_idle(&self) -> bool {
        self.exchanges.load(Relaxed) == 0 && !self.in_head()
    }

    /// Whether a request head has begun and not ended.
    pub fn in_head(&self) -> bool {
        self.head_since.load(Relaxed) != 0
    }

    /// The next limit that will be hit if nothing happens until then.
    pub fn deadline(&self, limits: &Timeouts) -> Option<(Instant, Overdue)> {
        let blocked = self.blocked_since.load(Relaxed);
        if blocked != 0 {
            return Some((self.at(blocked, limits.body_idle), Overdue::Stalled));
        }
        if self.exchanges.load(Relaxed) != 0 {
            return None;
        }
        match self.head_since.load(Relaxed) {
            0 => Some((self.at(self.idle_since.load(Relaxed), limits.idle), Overdue::Idle)),
            since => Some((self.at(since, limits.request_head), Overdue::Head)),
        }
    }

    fn at(&self, since: u64, limit: Duration) -> Instant {
        self.accepted + Duration::from_millis(since) + limit
    }

    fn now(&self) -> u64 {
        self.accepted.elapsed().as_millis() as u64 + 1
    }
}

/// Keeps a connection from being idle.
#[derive(Debug)]
pub struct Hold(Arc<Activity>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}
