//! The listener of those who run this: metrics, health, findings and `explain`, on a thread of its own.
//!
//! It reads what workers count and never makes one wait; it answers while they are busy, and while they drain.

mod answer;
mod explain;
mod exposition;
mod findings;
mod gathered;
mod guard;
mod history;
mod listen;
mod metrics;
mod page;
mod process;
mod query;
mod status;

use std::io::Result;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use crate::config::{Config, Running};
use crate::cookie::UnixTime;
use crate::proxy::Fleet;
use crate::store::Receipts;
use crate::telemetry::counters::Counters;
use crate::telemetry::findings::Book;
use crate::telemetry::{self, Dropped};
use history::History;

/// What can be seen.
#[derive(Debug)]
pub struct View {
    running: Arc<Running>,
    told: Told,
    /// Cancelled from the moment that the drain begins.
    stop: CancellationToken,
    started: UnixTime,
    /// Of the last while, for the page.
    history: Mutex<History>,
}

/// Who tells what is seen.
#[derive(Debug)]
pub struct Told {
    /// Of each worker.
    pub counters: Vec<Arc<Counters>>,
    /// How origins are.
    pub fleet: Arc<Fleet>,
    /// What was found in traffic.
    pub book: Arc<Book>,
    /// How the store is.
    pub receipts: Receipts,
    /// Access lines that were lost.
    pub dropped: Dropped,
    /// Spans that were lost, where any are exported.
    pub spans_dropped: Option<Dropped>,
}

impl View {
    /// The view of a proxy that starts now.
    pub fn new(running: Arc<Running>, told: Told, stop: CancellationToken) -> Self {
        Self { running, told, stop, started: telemetry::now(), history: Mutex::default() }
    }

    /// The configuration of this moment.
    fn config(&self) -> Arc<Config> {
        self.running.config()
    }
}

/// The running listener; dropping it ends and joins it.
#[derive(Debug)]
pub struct Admin {
    end: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Admin {
    /// Starts to answer on a socket that is already bound. The view's configuration has the `admin` section.
    ///
    /// # Errors
    /// If thread or runtime cannot be had, or the certificate cannot be used.
    pub fn start(socket: TcpListener, view: View) -> Result<Self> {
        let door = listen::Door::open(socket, view)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let end = CancellationToken::new();
        let ended = end.clone();
        let serve = move || runtime.block_on(door.serve(ended));
        let thread = std::thread::Builder::new().name("admin".into()).spawn(serve)?;
        Ok(Self { end, thread: Some(thread) })
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.end.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
