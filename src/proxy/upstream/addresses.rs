//! The addresses behind an origin's name, looked up again as time goes by, so that a change needs no restart.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::task::spawn_blocking;
use tokio::time::{Duration, Instant};

use super::connect::bare;
use super::fleet::Lookup;
use crate::config::Place;
use crate::telemetry::spans::Address;

/// Addresses of one origin, in the order in which they are tried.
pub(super) struct Addresses {
    /// Without the brackets of IPv6; `None` if there is nothing to look up.
    name: Option<(Box<str>, u16)>,
    /// How long an answer is believed.
    believed: Duration,
    lookup: Lookup,
    known: Mutex<Known>,
}

struct Known {
    list: Arc<[Address]>,
    /// When they were looked up; `None` if they should be before they are used.
    read: Option<Instant>,
    /// Somebody is at it.
    looking: bool,
}

impl Addresses {
    pub(super) fn new(place: &Place, believed: Duration, lookup: Lookup) -> Self {
        let (name, literal) = match place {
            Place::Unix(path) => (None, Some(Address::Unix(Arc::clone(path)))),
            Place::Tcp(host, port) => match bare(host).parse::<IpAddr>() {
                Ok(ip) => (None, Some(Address::Tcp(SocketAddr::new(ip, *port)))),
                Err(_) => (Some((host.clone(), *port)), None),
            },
        };
        let known = Known { list: literal.into_iter().collect(), read: None, looking: false };
        Self { name, believed, lookup, known: Mutex::new(known) }
    }

    /// Where to connect to now. A name that cannot be looked up keeps the addresses that it had.
    pub(super) async fn list(&self) -> io::Result<Arc<[Address]>> {
        {
            let known = self.known.lock().expect("no panic under the lock");
            let fresh = known.read.is_some_and(|read| read.elapsed() < self.believed);
            if self.name.is_none() || fresh {
                return Ok(Arc::clone(&known.list));
            }
        }
        self.look_up().await
    }

    /// Whether this still is one of them.
    pub(super) fn has(&self, address: &Address) -> bool {
        self.name.is_none() || self.known.lock().expect("no panic under the lock").list.contains(address)
    }

    /// Whether it is time to look again; whoever is told so does it.
    pub(super) fn take_due(&self, now: Instant) -> bool {
        if self.name.is_none() {
            return false;
        }
        let mut known = self.known.lock().expect("no panic under the lock");
        // What was never read, or is doubted, is read by the next who connects.
        let due = known.read.is_some_and(|read| now.saturating_duration_since(read) >= self.believed);
        let mine = due && !known.looking;
        known.looking |= mine;
        mine
    }

    /// Nobody could be reached: the next who connects looks first.
    pub(super) fn doubt(&self) {
        self.known.lock().expect("no panic under the lock").read = None;
    }

    /// Asks, and gives what holds then.
    pub(super) async fn look_up(&self) -> io::Result<Arc<[Address]>> {
        let found = match self.name.clone() {
            Some((host, port)) => {
                let lookup = Arc::clone(&self.lookup);
                spawn_blocking(move || lookup(&host, port)).await.map_err(io::Error::other).flatten()
            }
            None => Ok(Vec::new()),
        };
        let mut known = self.known.lock().expect("no panic under the lock");
        known.looking = false;
        match found {
            Ok(found) if !found.is_empty() => {
                known.list = found.into_iter().map(Address::Tcp).collect();
                known.read = Some(Instant::now());
            }
            Ok(_) if known.list.is_empty() => return Err(io::Error::other("the name has no address")),
            Err(error) if known.list.is_empty() => return Err(error),
            // The old ones for as long again: they may well be right, and the resolver is in trouble.
            Ok(_) | Err(_) => known.read = Some(Instant::now()),
        }
        Ok(Arc::clone(&known.list))
    }
}

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addresses").field("name", &self.name).finish_non_exhaustive()
    }
}
