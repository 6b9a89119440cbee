//! Idle connections to one origin, last in, first out.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use hyper::client::conn::http1::SendRequest;
use tokio::time::{Duration, Instant, sleep_until};

use super::addresses::Addresses;
use super::line::Line;
use super::server::{Busy, InFlight};
use crate::body::Body;
use crate::telemetry::spans::Address;

/// Idle connections beyond these are closed.
const MOST: usize = 256;

#[derive(Debug)]
pub(super) struct Pool {
    shelf: Arc<Shelf>,
    /// A connection to another one than these is not used again.
    addresses: Arc<Addresses>,
}

/// Where idle connections wait.
#[derive(Debug)]
struct Shelf {
    idle: Mutex<Idle>,
    /// How long a connection may be idle.
    oldest: Duration,
}

/// The connection that was used last is the last.
#[derive(Debug, Default)]
struct Idle {
    kept: Vec<Kept>,
    /// Whether a task closes those that get too old.
    swept: bool,
}

/// There are connections, and none can take a request yet.
struct AllBusy;

#[derive(Debug)]
struct Kept {
    connection: Connection,
    since: Instant,
}

/// An HTTP/1.1 connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sender: SendRequest<Body>,
    pub(super) line: Arc<Line>,
}

/// What an exchange holds of an origin: a connection of its own or a stream of a shared one, and its place in the count
/// of requests. The connection is given back when the response was read to its end, closed otherwise.
#[derive(Debug)]
pub struct Lease {
    held: Held,
    busy: Option<Busy>,
}

#[derive(Debug)]
enum Held {
    Connection(Connection, Arc<Shelf>),
    Stream(InFlight),
}

impl Pool {
    pub(super) fn new(addresses: Arc<Addresses>, oldest: Duration) -> Self {
        Self { shelf: Arc::new(Shelf { idle: Mutex::default(), oldest }), addresses }
    }

    /// The connection that was used last among those that can take a request now.
    pub(super) async fn take(&self, now: Instant) -> Option<Connection> {
        match self.ready(now) {
            Err(AllBusy) => {
                // Their tasks may not have run since the last response ended: let them, once.
                tokio::task::yield_now().await;
                self.ready(now).ok().flatten()
            }
            Ok(found) => found,
        }
    }

    /// One that is busy still (an origin that answered before it read the request) is left until it is not.
    fn ready(&self, now: Instant) -> Result<Option<Connection>, AllBusy> {
        let Idle { kept, .. } = &mut *self.shelf.idle();
        if kept.last().is_some_and(|last| now.saturating_duration_since(last.since) > self.shelf.oldest) {
            // All below it are older.
            kept.clear();
        }
        for at in (0..kept.len()).rev() {
            let Connection { sender, line } = &kept[at].connection;
            if sender.is_closed() || !self.addresses.has(&line.to) {
                kept.remove(at);
            } else if sender.is_ready() {
                return Ok(Some(kept.remove(at).connection));
            }
        }
        if kept.is_empty() { Ok(None) } else { Err(AllBusy) }
    }

    pub(super) fn lease(&self, connection: Connection) -> Lease {
        Lease { held: Held::Connection(connection, Arc::clone(&self.shelf)), busy: None }
    }
}

impl Lease {
    /// Of a connection that others use too.
    pub(super) fn of_stream(stream: InFlight) -> Self {
        Self { held: Held::Stream(stream), busy: None }
    }

    /// Counted until it goes.
    pub(super) fn counted(self, busy: Option<Busy>) -> Self {
        Self { busy, ..self }
    }

    /// Who answers.
    pub fn peer(&self) -> &Address {
        match &self.held {
            Held::Connection(connection, _) => &connection.line.to,
            Held::Stream(stream) => stream.peer(),
        }
    }

    /// The response was read to its end: the connection may carry another request.
    pub fn release(self) {
        drop(self.busy);
        let Held::Connection(connection, shelf) = self.held else { return };
        if !connection.sender.is_closed() {
            Shelf::keep(&shelf, connection, Instant::now());
        }
    }
}

impl Shelf {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().expect("no panic under the lock")
    }

    fn keep(shelf: &Arc<Self>, connection: Connection, since: Instant) {
        let mut idle = shelf.idle();
        if idle.kept.len() < MOST {
            connection.line.end();
            idle.kept.push(Kept { connection, since });
        }
        if !std::mem::replace(&mut idle.swept, true) {
            tokio::spawn(Self::sweep(Arc::downgrade(shelf)));
        }
    }

    /// Closes what was idle for too long, until nothing is left: after a rush the connections at the bottom are never asked
    /// for again, and an origin may have no time limit of its own.
    async fn sweep(shelf: Weak<Self>) {
        while let Some(next) = shelf.upgrade().and_then(|shelf| shelf.close_old(Instant::now())) {
            sleep_until(next).await;
        }
    }

    /// Says when the next one will be too old.
    fn close_old(&self, now: Instant) -> Option<Instant> {
        let mut idle = self.idle();
        let old = idle.kept.partition_point(|kept| kept.since + self.oldest <= now);
        idle.kept.drain(..old);
        idle.swept = !idle.kept.is_empty();
        idle.kept.first().map(|first| first.since + self.oldest)
    }
}
