//! Idle connections to one origin, last in, first out.

use std::sync::{Arc, Mutex};

use hyper::client::conn::http1::SendRequest;
use tokio::time::{Duration, Instant};

use crate::body::Body;

/// Idle connections beyond these are closed.
const MOST: usize = 256;

/// Below the 60 s or more after which origins close: the race is rarer when we are first. Apache's default
/// of 5 s is met by trying again.
const OLDEST: Duration = Duration::from_secs(45);

#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Arc<Mutex<Vec<Idle>>>,
}

/// There are connections, and none can take a request yet.
struct Busy;

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

/// A connection in use. Given back when the response was read to its end, closed otherwise.
#[derive(Debug)]
pub struct Lease {
    sender: SendRequest<Body>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

impl Pool {
    /// The connection that was used last among those that can take a request now.
    pub(super) async fn take(&self) -> Option<SendRequest<Body>> {
        match self.ready() {
            Err(Busy) => {
                // Their tasks may not have run since the last response ended: let them, once.
                tokio::task::yield_now().await;
                self.ready().ok().flatten()
            }
            Ok(found) => found,
        }
    }

    /// One that is busy still (an origin that answered before it read the request) is left until it is not.
    fn ready(&self) -> Result<Option<SendRequest<Body>>, Busy> {
        let mut idle = self.idle.lock().expect("no panic under the lock");
        if idle.last().is_some_and(|last| last.since.elapsed() > OLDEST) {
            // All below it are older.
            idle.clear();
        }
        for at in (0..idle.len()).rev() {
            if idle[at].sender.is_closed() {
                idle.remove(at);
            } else if idle[at].sender.is_ready() {
                return Ok(Some(idle.remove(at).sender));
            }
        }
        if idle.is_empty() { Ok(None) } else { Err(Busy) }
    }

    pub(super) fn lease(&self, sender: SendRequest<Body>) -> Lease {
        Lease { sender, idle: Arc::clone(&self.idle) }
    }
}

impl Lease {
    /// The response was read to its end: the connection may carry another request.
    pub fn release(self) {
        if self.sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().expect("no panic under the lock");
        if idle.len() < MOST {
            idle.push(Idle { sender: self.sender, since: Instant::now() });
        }
    }
}
