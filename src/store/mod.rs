//! Keeps receipts: acknowledged means on disk.
//!
//! One thread writes (`writer`): what waits together is committed together. Where the store is away, receipts go to a
//! bounded spool beside it and are delivered later, in order; where that fails too, nothing is acknowledged.

mod anchor;
mod backend;
mod durable;
mod handle;
#[cfg(feature = "postgres")]
mod postgres;
mod spool;
mod sqlite;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use anchor::Anchor;
pub use backend::{Backend, ChainState, Filter};
pub use durable::Opener;
pub use handle::{Away, Receipts, Stats, Unrecordable};
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use spool::{Spool, SpoolError};
pub use sqlite::Sqlite;
pub use verify::{Finding, Report, verify};

use crate::config;
use crate::receipt::EntryId;

/// Receipts that may wait for the writer at a time.
const QUEUE: usize = 1024;

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process holds it; later it may work.
    #[error("the store is locked by another process")]
    Busy,
    /// It cannot be reached; later it may work.
    #[error("the store cannot be reached: {0}")]
    Away(String),
    /// What PostgreSQL says.
    #[error("PostgreSQL: {0}")]
    Postgres(String),
    /// What SQLite says.
    #[error("SQLite: {0}")]
    Sqlite(rusqlite::Error),
    /// What the system says.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Written by a later release.
    #[error("the store has the form {0}, which only a later release of consentry knows")]
    Newer(i64),
    /// Something in it is not ours, or was changed.
    #[error("a record cannot be read; `consentry receipts verify` says which: {0}")]
    Malformed(#[from] crate::receipt::Malformed),
    /// The system gives no random numbers.
    #[error("no randomness is to be had")]
    Random,
}

/// The files of a proxy beside its store.
#[derive(Debug, Clone)]
pub struct Place {
    /// What could not be delivered yet.
    pub spool: PathBuf,
    /// The end of this proxy's chain, as it was last seen.
    pub anchor: PathBuf,
}

/// A running store. Dropping it writes what waits, and ends its thread.
#[derive(Debug)]
pub struct Store {
    receipts: Receipts,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Place {
    /// Where a configuration has them.
    pub fn of(config: &config::Config) -> Self {
        let beside = |name: &str| config.state.join(name);
        Self { spool: beside("receipts.spool"), anchor: beside("receipts.head") }
    }
}

impl Store {
    /// Opens or makes the store that a configuration names.
    ///
    /// # Errors
    /// If it cannot be opened or made. One that is only locked is waited for while the spool takes over.
    pub fn start(config: &config::Config) -> Result<Self, Error> {
        let place = Place::of(config);
        make_folder(&config.state)?;
        let settings = config.receipts.clone();
        Self::with(Box::new(move || open(&settings)), &place, &config.receipts)
    }

    /// As [`Self::start`], with a say in how the store is opened.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with(open: Opener, place: &Place, settings: &config::Receipts) -> Result<Self, Error> {
        let (orders, queue) = mpsc::channel(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let stats = Arc::new(Stats { spool: place.spool.clone(), ..Stats::default() });
        let durable = durable::Durable::open(open, place, settings, Arc::clone(&stats))?;
        let writer = writer::Writer::new(durable, settings.retention);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("receipts".into());
        let thread = thread.spawn(move || runtime.block_on(writer.run(queue, stopped)))?;
        Ok(Self { receipts: Receipts::new(orders, stats), stop: Some(stop), thread: Some(thread) })
    }

    /// For those who write and read receipts.
    pub fn receipts(&self) -> Receipts {
        self.receipts.clone()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("The writer of receipts panicked: that is a bug.");
        }
    }
}

/// Opens or makes the store, to write.
fn open(settings: &config::Receipts) -> Result<Box<dyn Backend>, Error> {
    match open_postgres(settings, durable::PATIENCE) {
        Some(store) => store,
        None => Ok(Box::new(Sqlite::open(&settings.store, durable::LOCKED)?)),
    }
}

/// Opens the store, to look at it and to change what is there; `None` if there is none yet. `wait` is for others who
/// use it.
///
/// # Errors
/// If it is there and cannot be opened.
pub fn look(settings: &config::Receipts, wait: Duration) -> Result<Option<Box<dyn Backend>>, Error> {
    match open_postgres(settings, wait.max(LONG)) {
        Some(store) => store.map(Some),
        None if settings.store.exists() => Ok(Some(Box::new(Sqlite::open_existing(&settings.store, wait)?))),
        None => Ok(None),
    }
}

/// For one step of a long change in a database over the network.
const LONG: Duration = Duration::from_secs(60);

#[cfg(feature = "postgres")]
fn open_postgres(settings: &config::Receipts, wait: Duration) -> Option<Result<Box<dyn Backend>, Error>> {
    let url = settings.postgres.as_deref()?;
    Some(Postgres::open(url, wait).map(|store| Box::new(store) as Box<dyn Backend>))
}

/// Without the feature no configuration names one.
#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &config::Receipts, _: Duration) -> Option<Result<Box<dyn Backend>, Error>> {
    None
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

impl Error {
    /// Whether it may pass by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Away(_))
    }
}

/// Random bytes, as names of entries and for salts.
///
/// # Errors
/// If the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

fn entry_id() -> Result<EntryId, Error> {
    random().map(EntryId)
}
