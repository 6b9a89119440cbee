//! Binds, accepts, speaks TLS, holds the limits of connections, drains.
//!
//! One thread a core, each with a runtime, listeners and origin connections of its own: the kernel spreads
//! connections (`SO_REUSEPORT`), and no request waits for a lock that another core holds.

mod accept;
pub mod announced;
mod checks;
mod connection;
mod http1;
mod http2;
mod io;
mod listen;
#[cfg(feature = "otlp")]
mod otlp;
mod peer;
mod pulse;
mod redirect;
mod reload;
mod room;
mod tls;
mod watch;

use std::io::{Error, Result};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

pub use listen::Sockets;
pub use pulse::Pulse;
pub use reload::Reloader;

use crate::admin::{self, Admin};
use crate::config::{Config, Running};
use crate::consent::Keys;
use crate::proxy::{Fleet, Worker};
use crate::store::Store;
use crate::telemetry::counters::Counters;
use crate::telemetry::findings::{self, Book, Keeper};
use crate::telemetry::{self, AccessWriter};
use checks::Checks;
use room::Room;

/// A running proxy.
#[derive(Debug)]
pub struct Server {
    stop: CancellationToken,
    /// Of each worker.
    pulse: Vec<Arc<Counters>>,
    reloader: Reloader,
    workers: Vec<JoinHandle<()>>,
    /// Answers as long as a worker has something in flight.
    _admin: Option<Admin>,
    /// After the workers, so that these keep what they leave.
    _store: Store,
    #[cfg(feature = "otlp")]
    _otlp: Option<otlp::Exporter>,
    _findings: Keeper,
    access: AccessWriter,
}

impl Server {
    /// Starts the workers on sockets that are already bound.
    ///
    /// # Errors
    /// If threads, runtimes or sockets cannot be had, or the key for session tickets cannot be made.
    pub fn start(config: Arc<Config>, keys: Arc<Keys>, store: Store, mut sockets: Sockets) -> Result<Self> {
        let stop = CancellationToken::new();
        let access = AccessWriter::start(config.log.access.as_ref())?;
        let tls = Arc::new(tls::Tls::new(&config).map_err(Error::other)?);
        let (mut workers, mut tables, mut counters, mut swapped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let admin_socket = sockets.take_admin();
        let fleet = Arc::<Fleet>::default();
        let room = Arc::new(Room::new(&config.limits));
        #[cfg(feature = "otlp")]
        let otlp = config.otlp.as_ref().map(otlp::Exporter::start).transpose()?;
        for (index, listeners) in sockets.per_worker(config.workers)?.into_iter().enumerate() {
            let worker =
                Worker::new(Arc::clone(&config), Arc::clone(&keys), store.receipts(), access.log(), Arc::clone(&fleet));
            #[cfg(feature = "otlp")]
            let worker = worker.traced(otlp.as_ref().map(otlp::Exporter::tracer).transpose().map_err(Error::other)?);
            let (worker, room) = (Arc::new(worker), Arc::clone(&room));
            swapped.push(Arc::clone(&worker));
            tables.push(Arc::clone(&worker.findings));
            counters.push(Arc::clone(&worker.counters));
            let (tls, stop) = (Arc::clone(&tls), stop.child_token());
            let thread = std::thread::Builder::new().name(format!("worker-{index}"));
            workers.push(thread.spawn(move || run(worker, room, tls, listeners, stop))?);
        }
        let book = Arc::new(Book::open(config.state.join(findings::FILE), tables));
        let checks = Checks::start(Arc::clone(&config), Arc::clone(&fleet))?;
        let running = Arc::new(Running::new(config, telemetry::now().0));
        let reloader = Reloader::new(Arc::clone(&running), swapped, room, Arc::clone(&tls.certificates), checks);
        let pulse = counters.clone();
        let told = admin::Told {
            counters,
            fleet,
            book: Arc::clone(&book),
            receipts: store.receipts(),
            dropped: access.dropped(),
            #[cfg(feature = "otlp")]
            spans_dropped: otlp.as_ref().map(otlp::Exporter::dropped),
            #[cfg(not(feature = "otlp"))]
            spans_dropped: None,
        };
        let view = admin::View::new(running, told, stop.clone());
        let admin = admin_socket.map(|socket| Admin::start(socket, view)).transpose()?;
        Ok(Self {
            stop,
            pulse,
            reloader,
            workers,
            _admin: admin,
            _store: store,
            #[cfg(feature = "otlp")]
            _otlp: otlp,
            _findings: Keeper::start(book)?,
            access,
        })
    }

    /// Begins to drain: no new connections, requests in flight are finished until the drain limit.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// A token that [`Self::stop`]s the server when cancelled.
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// The file of the access log was moved away: the next line begins a new one.
    pub fn reopen_log(&self) {
        self.access.reopen();
    }

    /// What puts another configuration in the place of the running one.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Whether all workers live.
    pub fn pulse(&self) -> Pulse {
        Pulse::new(self.pulse.clone())
    }

    /// Waits until every worker has drained.
    ///
    /// # Errors
    /// If a worker panicked: that is a bug.
    pub fn join(self) -> std::thread::Result<()> {
        let mut result = Ok(());
        for worker in self.workers {
            let ended = worker.join();
            result = result.and(ended);
        }
        result
    }
}

fn run(
    worker: Arc<Worker>,
    room: Arc<Room>,
    tls: Arc<tls::Tls>,
    listeners: listen::Listeners,
    stop: CancellationToken,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "A worker could not start its runtime.");
            return stop.cancel();
        }
    };
    runtime.block_on(accept::serve(worker, room, tls, listeners, stop));
    // A name that is being looked up must not hold up the end of the process.
    runtime.shutdown_background();
}
