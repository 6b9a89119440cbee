//! Receipts in PostgreSQL, for several proxies with one store: each has a chain of its own, so none waits for another.
//!
//! The connection lives on a thread of its own; calls wait for it with a deadline, so that a database that does not
//! answer is one that is away.

mod change;
mod connect;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::backend::{Backend, ChainState, Filter};
use super::{Error, entry_id};
use crate::cookie::UnixTime;
use crate::receipt::{ChainId, Entry, EntryId, Hash, Head, Reason, Receipt, Row, stamp};

/// Records that one step of a long change takes, so that others get their turn.
const STEP: u64 = 1000;
/// Records that are read at a time.
const PAGE: i64 = 1000;

/// An open connection.
#[derive(Debug)]
pub struct Postgres {
    client: Arc<Client>,
    handle: Handle,
    wait: Duration,
    /// Ends the thread when it is dropped.
    _thread: oneshot::Sender<()>,
}

impl Postgres {
    /// Connects to the database whose URL stands in a file, and makes our tables there if there are none. `wait` is
    /// for how long one call may take.
    ///
    /// # Errors
    /// If it does not answer in time, or refuses.
    pub fn open(url_file: &Path, wait: Duration) -> Result<Self, Error> {
        let config = connect::config(url_file)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new().name("postgres".into());
        // It ends with the sender that we hold.
        thread.spawn(move || runtime.block_on(stopped))?;
        let client = wait_for(&handle, wait, connect::connect(config))?;
        Ok(Self { client: Arc::new(client), handle, wait, _thread: stop })
    }

    fn call<T, F>(&self, work: impl FnOnce(Arc<Client>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        wait_for(&self.handle, self.wait, work(self.client.clone()))
    }

    /// As [`Self::call`], in one transaction, which is undone if `work` fails.
    fn change<T, F>(&self, work: impl FnOnce(Arc<Client>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let client = self.client.clone();
        let work = work(self.client.clone());
        wait_for(&self.handle, self.wait, async move {
            client.batch_execute("BEGIN").await?;
            match work.await {
                Ok(value) => client.batch_execute("COMMIT").await.map(|()| value).map_err(Error::from),
                Err(error) => {
                    let _ = client.batch_execute("ROLLBACK").await;
                    Err(error)
                }
            }
        })
    }
}

/// Runs a future on the thread of a connection, from any thread, asynchronous or not.
fn wait_for<T: Send + 'static>(
    handle: &Handle,
    wait: Duration,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (done, result) = sync_channel(1);
    let task = handle.spawn(async move {
        let _ = done.send(future.await);
    });
    result.recv_timeout(wait).unwrap_or_else(|_| {
        task.abort();
        Err(Error::Busy)
    })
}

impl Backend for Postgres {
    fn append(&mut self, chain: ChainId, entries: &[Entry]) -> Result<Head, Error> {
        let entries = entries.to_vec();
        self.change(|client| async move { change::append(&client, chain, &entries).await })
    }

    fn each(&mut self, filter: &Filter, see: &mut dyn FnMut(Receipt) -> Result<(), Error>) -> Result<(), Error> {
        let mut last = None;
        loop {
            let (filter, after) = (filter.clone(), last.take());
            let page = self.call(|client| async move { change::page(&client, &filter, after, PAGE).await })?;
            for (body, _) in &page {
                if let Entry::Choice(receipt) = Entry::parse(body)? {
                    see(receipt)?;
                }
            }
            if page.len() < PAGE as usize {
                return Ok(());
            }
            last = page.into_iter().next_back().map(|(_, place)| place);
        }
    }

    fn count(&mut self, filter: &Filter) -> Result<u64, Error> {
        let filter = filter.clone();
        self.call(|client| async move { change::count(&client, &filter).await })
    }

    fn erase(&mut self, filter: &Filter, reason: Reason, now: UnixTime) -> Result<u64, Error> {
        let mut erased = 0;
        loop {
            let filter = filter.clone();
            let work = |client: Arc<Client>| async move { change::erase(&client, &filter, reason, now, STEP).await };
            let step = self.change(work)?;
            erased += step;
            if step < STEP {
                return Ok(erased);
            }
        }
    }

    fn purge(&mut self, before: UnixTime, now: UnixTime) -> Result<u64, Error> {
        let mut purged = 0;
        for state in self.chains()? {
            let chain = state.head.chain;
            loop {
                let step =
                    self.change(|client| async move { change::purge(&client, chain, before, now, STEP).await })?;
                purged += step;
                if step < STEP {
                    break;
                }
            }
        }
        let old = Filter { until: Some(before), ..Filter::default() };
        Ok(purged + self.erase(&old, Reason::Retention, now)?)
    }

    fn chains(&mut self) -> Result<Vec<ChainState>, Error> {
        self.call(|client| async move { change::chains(&client).await })
    }

    fn rows(&mut self, chain: ChainId, see: &mut dyn FnMut(&Row<'_>) -> bool) -> Result<(), Error> {
        let mut from = i64::MIN;
        loop {
            let page = self.call(|client| async move { change::rows(&client, chain, from, PAGE).await })?;
            for row in &page {
                let body = row.try_get(4)?;
                let (id, content, hash) =
                    (EntryId(change::fixed(row, 1)?), Hash(change::fixed(row, 2)?), Hash(change::fixed(row, 3)?));
                let position: i64 = row.try_get(0)?;
                from = position.saturating_add(1);
                if !see(&Row { position: position.cast_unsigned(), id, content, hash, body }) {
                    return Ok(());
                }
            }
            if page.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    fn pin(&mut self) -> Result<(), Error> {
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.call(|client| async move { Ok(client.batch_execute(sql).await?) })
    }

    fn backup(&mut self, _: &Path, _: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
        Err(Error::Postgres("it has its own means: `pg_dump --schema=consentry` copies while others write".into()))
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        // What the server says is in the source; the error alone says `db error`.
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        let text = format!("{error}{}", source.unwrap_or_default());
        match error.code().map(SqlState::code) {
            // Classes: connection, resources, the server's own doing (shutdown, start), lock, serialisation.
            Some(code) if !["08", "53", "57", "55", "40"].contains(&&code[..2]) => Self::Postgres(text),
            _ => Self::Away(text),
        }
    }
}
