//! Receipts in one SQLite file: WAL, synced at each commit, read by `sqlite3` as well.

mod change;
mod schema;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::types::Value;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row as SqlRow, Transaction, TransactionBehavior,
};

use super::backend::{Backend, ChainState, Filter};
use super::{Error, entry_id};
use crate::cookie::UnixTime;
use crate::receipt::{ChainId, Deletion, Entry, EntryId, Hash, Head, Purge, Reason, Receipt, Row, stamp};

/// Records that one step of a long change takes, so that nobody waits long for the lock.
const STEP: u64 = 1000;
/// Pages that one step of a backup takes.
const PAGES: i32 = 256;

/// An open database.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Opens a database or makes it, readable by its owner alone. `wait` is for how long another process may lock it.
    ///
    /// # Errors
    /// If it cannot be opened or made, is locked, or is none of ours.
    pub fn open(path: &Path, wait: Duration) -> Result<Self, Error> {
        let explain = |e: std::io::Error| std::io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        // SQLite gives its other files the mode of this one.
        OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(explain)?;
        Self::open_existing(path, wait)
    }

    /// As [`Self::open`], for those who only look: never makes one.
    ///
    /// # Errors
    /// As [`Self::open`], and if there is none.
    pub fn open_existing(path: &Path, wait: Duration) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(wait)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What is erased is overwritten, not only forgotten.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        schema::migrate(&mut connection)?;
        Ok(Self { connection })
    }

    fn copy(&self, to: &Path, step: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
        let mut target = Connection::open(to)?;
        let backup = Backup::new(&self.connection, &mut target)?;
        let mut tries = 0;
        loop {
            match backup.step(PAGES)? {
                StepResult::Done => break,
                StepResult::More => tries = 0,
                _ if tries == 100 => return Err(Error::Busy),
                _ => {
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
            let progress = backup.progress();
            let (whole, left) = (progress.pagecount.max(0) as u64, progress.remaining.max(0) as u64);
            step(whole.saturating_sub(left), whole);
        }
        drop(backup);
        // One file, whatever the original needs beside it.
        target.pragma_update(None, "journal_mode", "delete")?;
        Ok(())
    }

    fn change<T>(&mut self, change: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        // Immediate: who reads the head of a chain has the right to append to it.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = change(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Takes what was erased out of the log too; where somebody reads, the next checkpoint does it.
    fn forget(&self) {
        let _ = self.connection.pragma_update(None, "wal_checkpoint", "truncate");
    }
}

impl Backend for Sqlite {
    fn append(&mut self, chain: ChainId, entries: &[Entry]) -> Result<Head, Error> {
        self.change(|tx| {
            let mut head = change::head(tx, chain)?;
            for entry in entries {
                change::push(tx, &mut head, entry)?;
            }
            change::save(tx, head)?;
            Ok(head)
        })
    }

    fn each(&mut self, filter: &Filter, see: &mut dyn FnMut(Receipt) -> Result<(), Error>) -> Result<(), Error> {
        let (condition, values) = condition(filter);
        let sql = format!("SELECT body FROM record WHERE {condition} ORDER BY time, chain, position");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if let Entry::Choice(receipt) = Entry::parse(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)? {
                see(receipt)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, filter: &Filter) -> Result<u64, Error> {
        let (condition, values) = condition(filter);
        let sql = format!("SELECT count(*) FROM record WHERE {condition}");
        let count: i64 = self.connection.query_row(&sql, rusqlite::params_from_iter(values), |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    fn erase(&mut self, filter: &Filter, reason: Reason, now: UnixTime) -> Result<u64, Error> {
        let mut erased = 0;
        loop {
            let step = self.change(|tx| change::erase(tx, filter, reason, now, STEP))?;
            erased += step;
            if step < STEP {
                break;
            }
        }
        if erased > 0 {
            self.forget();
        }
        Ok(erased)
    }

    fn purge(&mut self, before: UnixTime, now: UnixTime) -> Result<u64, Error> {
        let mut purged = 0;
        for state in self.chains()? {
            loop {
                let step = self.change(|tx| change::purge(tx, state.head.chain, before, now, STEP))?;
                purged += step;
                if step < STEP {
                    break;
                }
            }
        }
        let old = Filter { until: Some(before), ..Filter::default() };
        purged += self.erase(&old, Reason::Retention, now)?;
        if purged > 0 {
            self.forget();
        }
        Ok(purged)
    }

    fn chains(&mut self) -> Result<Vec<ChainState>, Error> {
        let mut statement = self.connection.prepare_cached("SELECT id, next, head, first, base FROM chain")?;
        let states = statement.query_map([], |row| {
            Ok(ChainState { head: change::head_of(row)?, first: position(row, 3)?, base: Hash(row.get(4)?) })
        })?;
        Ok(states.collect::<Result<_, _>>()?)
    }

    fn pin(&mut self) -> Result<(), Error> {
        Ok(self.connection.execute_batch("BEGIN DEFERRED")?)
    }

    fn backup(&mut self, to: &Path, step: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        match self.copy(to, step) {
            Ok(()) => Ok(file.sync_all()?),
            Err(error) => {
                let _ = std::fs::remove_file(to);
                Err(error)
            }
        }
    }

    fn rows(&mut self, chain: ChainId, see: &mut dyn FnMut(&Row<'_>) -> bool) -> Result<(), Error> {
        let sql = "SELECT position, id, content, hash, body FROM record WHERE chain = ?1 ORDER BY position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([chain.0])?;
        while let Some(row) = rows.next()? {
            let body = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            let (id, content, hash) = (EntryId(row.get(1)?), Hash(row.get(2)?), Hash(row.get(3)?));
            if !see(&Row { position: position(row, 0)?, id, content, hash, body }) {
                break;
            }
        }
        Ok(())
    }
}

fn position(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

/// The filter as SQL, and its values.
fn condition(filter: &Filter) -> (String, Vec<Value>) {
    let mut sql = String::from("act = 'choice/1'");
    let mut values = Vec::new();
    let mut add = |test: &str, value: Option<String>| {
        if let Some(value) = value {
            values.push(value.into());
            sql += &format!(" AND {test} ?{}", values.len());
        }
    };
    add("consent =", filter.consent.map(|id| id.to_string()));
    add("site =", filter.site.as_deref().map(str::to_owned));
    add("method =", filter.method.map(|method| method.name().to_owned()));
    // Stamps sort as the times that they stand for.
    add("time >=", filter.since.map(stamp));
    add("time <", filter.until.map(stamp));
    (sql, values)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Sqlite(error),
        }
    }
}
