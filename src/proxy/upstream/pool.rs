//! Idle connections to one origin, last in, first out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hyper::client::conn::http1::SendRequest;
use tokio::time::{Duration, Instant};

use super::addresses::Addresses;
use super::line::Line;
use super::server::{Busy, InFlight};
use crate::body::Body;

/// Idle connections beyond these are closed.
const MOST: usize = 256;

#[derive(Debug)]
pub(super) struct Pool {
    idle: Arc<Mutex<Vec<Idle>>>,
    /// A connection to another one than these is not used again.
    addresses: Arc<Addresses>,
    /// How long a connection may be idle.
    oldest: Duration,
}

/// There are connections, and none can take a request yet.
struct AllBusy;

#[derive(Debug)]
struct Idle {
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
    Connection(Connection, Arc<Mutex<Vec<Idle>>>),
    Stream(InFlight),
}

impl Pool {
    pub(super) fn new(addresses: Arc<Addresses>, oldest: Duration) -> Self {
        Self { idle: Arc::default(), addresses, oldest }
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
        let mut idle = self.idle.lock().expect("no panic under the lock");
        if idle.last().is_some_and(|last| now.saturating_duration_since(last.since) > self.oldest) {
            // All below it are older.
            idle.clear();
        }
        for at in (0..idle.len()).rev() {
            let Connection { sender, line } = &idle[at].connection;
            if sender.is_closed() || !self.addresses.has(line.to) {
                idle.remove(at);
            } else if idle[at].connection.sender.is_ready() {
                return Ok(Some(idle.remove(at).connection));
            }
        }
        if idle.is_empty() { Ok(None) } else { Err(AllBusy) }
    }

    pub(super) fn lease(&self, connection: Connection) -> Lease {
        Lease { held: Held::Connection(connection, Arc::clone(&self.idle)), busy: None }
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
    pub fn peer(&self) -> SocketAddr {
        match &self.held {
            Held::Connection(connection, _) => connection.line.to,
            Held::Stream(stream) => stream.peer(),
        }
    }

    /// The response was read to its end: the connection may carry another request.
    pub fn release(self) {
        drop(self.busy);
        let Held::Connection(connection, idle) = self.held else { return };
        if connection.sender.is_closed() {
            return;
        }
        let mut idle = idle.lock().expect("no panic under the lock");
        if idle.len() < MOST {
            connection.line.end();
            idle.push(Idle { connection, since: Instant::now() });
        }
    }
}
