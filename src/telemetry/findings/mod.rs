//! What was seen in traffic, counted in bounded memory: one table a worker, and a book that gathers them.
//!
//! A worker writes to its own table alone. Whoever reads takes the table away and leaves an empty one, so that
//! no request ever waits for more than the exchange of two pointers.

mod book;
mod file;
mod row;
mod table;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use book::{Book, Keeper, Report, Tally};
pub use file::{FILE, read};
pub use row::{Known, Lines, Row};
use table::Table;

use crate::cookie::UnixTime;
use crate::policy::{Finding, Policy, Sighting, Witness};

/// What one worker has seen since it was last asked.
#[derive(Debug, Default)]
pub struct Findings {
    table: Mutex<Table>,
}

/// Where something is seen.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The site's name.
    pub site: &'a str,
    /// By which it is judged.
    pub policy: &'a Policy,
    /// The path of the page, without its query.
    pub page: &'a str,
    /// Whether what is decided is done.
    pub applied: bool,
    /// When.
    pub now: UnixTime,
}

/// Takes down what filters see in one exchange.
#[derive(Debug)]
pub struct Looking<'a> {
    table: MutexGuard<'a, Table>,
    scene: Scene<'a>,
}

impl Findings {
    /// For as long as the filters of one head run, and no longer: it holds the worker's table.
    pub fn look<'a>(&'a self, scene: Scene<'a>) -> Looking<'a> {
        Looking { table: self.table(), scene }
    }

    /// Takes down what was found in a page.
    pub fn found(&self, scene: Scene<'_>, findings: &[Finding]) {
        if findings.is_empty() {
            return;
        }
        let mut looking = self.look(scene);
        for finding in findings {
            let Finding { kind, name, owner, rule, action, .. } = finding;
            looking.see(&Sighting::new(*kind, name.as_bytes(), *owner, *rule, *action));
        }
    }

    fn take(&self) -> Table {
        // The key of the hash stays with the worker: a new one would cost a system call.
        let mut table = self.table();
        let empty = table.emptied();
        std::mem::replace(&mut *table, empty)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A table of counters has no state that a panic could leave half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Looking<'_> {
    fn see(&mut self, sighting: &Sighting<'_>) {
        self.table.see(&self.scene, sighting);
    }
}
