//! The closed loop: some connections that each keep some requests in flight, for a while.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::client::{Ask, Connection, Protocol, Target};

/// How many ask at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) protocol: Protocol,
    pub(crate) connections: usize,
    /// Requests in flight on each connection.
    pub(crate) depth: u32,
}

impl Shape {
    /// Sixteen clients with one request each, or four with eight.
    pub(crate) fn usual(protocol: Protocol) -> Self {
        match protocol {
            Protocol::H1 => Self { protocol, connections: 16, depth: 1 },
            Protocol::H2 => Self { protocol, connections: 4, depth: 8 },
        }
    }
}

/// What was done between the warm-up and the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    /// Of bodies.
    pub(crate) bytes: u64,
    /// What the proxy used.
    pub(crate) cpu: Duration,
    pub(crate) time: Duration,
}

/// Asks for `warm + time`, and tells of what lay in `time`. `cpu` reads what the proxy has used so far.
pub(crate) fn run(
    target: &Target,
    ask: Ask<'_>,
    shape: Shape,
    (warm, time): (Duration, Duration),
    cpu: impl Fn() -> Duration,
) -> Result<Done> {
    let (requests, bytes, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let ready = Barrier::new(shape.connections + 1);
    thread::scope(|scope| {
        let client = || {
            let opened = Connection::open(target, shape.protocol, ask);
            ready.wait();
            let mut connection = opened?;
            connection.ask(shape.depth)?;
            let mut flying = shape.depth;
            while flying > 0 {
                let come = connection.wait()?;
                requests.fetch_add(u64::from(come.answers), Ordering::Relaxed);
                bytes.fetch_add(come.bytes as u64, Ordering::Relaxed);
                if stop.load(Ordering::Relaxed) {
                    flying -= come.answers;
                } else if come.answers > 0 {
                    connection.ask(come.answers)?;
                }
            }
            Ok(())
        };
        let clients: Vec<_> = (0..shape.connections).map(|_| scope.spawn(client)).collect();
        let read = || (requests.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed), cpu(), Instant::now());
        ready.wait();
        thread::sleep(warm);
        let before = read();
        thread::sleep(time);
        // On a busy machine nobody may have had an answer yet.
        while requests.load(Ordering::Relaxed) == before.0 && clients.iter().any(|client| !client.is_finished()) {
            thread::sleep(Duration::from_millis(10));
        }
        let after = read();
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().expect("a client does not panic").map_err(|error: crate::Error| error)?;
        }
        if after.0 == before.0 {
            return Err("no request was answered".into());
        }
        let (requests, bytes) = (after.0 - before.0, after.1 - before.1);
        Ok(Done { requests, bytes, cpu: after.2 - before.2, time: after.3 - before.3 })
    })
}
