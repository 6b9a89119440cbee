//! The findings of all workers and of earlier runs, and the thread that gathers and saves them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::table::Table;
use super::{Findings, Row, file};
use crate::policy::{FindingAction, FindingKind};
use crate::telemetry;

/// How long findings stay with the workers.
const GATHER: Duration = Duration::from_secs(2);
/// How many times that until counts are written down; what is new is at once.
const SAVE: u32 = 15;
/// In seconds, three months: what was not seen for so long is forgotten with the next start.
const FORGET: i64 = 90 * 86_400;

/// Everything that was found.
#[derive(Debug)]
pub struct Book {
    workers: Vec<Arc<Findings>>,
    path: PathBuf,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    table: Table,
    overflow: u64,
    tallies: BTreeMap<Tally, u64>,
    risks: BTreeMap<Box<str>, u64>,
    /// Cookies of which it was said that they are one: site and name.
    warned: BTreeSet<(Box<str>, Box<str>)>,
    /// Since it was last saved: anything, and the rows that there are.
    changed: bool,
    grown: bool,
}

/// What is counted together for metrics, since the start of this process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// The name of the site.
    pub site: Box<str>,
    /// What was seen.
    pub kind: FindingKind,
    /// The key of the category, `unclassified`, or `overflow` for what found no room in a table.
    pub category: Box<str>,
    /// What was done with it.
    pub action: FindingAction,
}

/// What the book says now.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By site, kind, name and action.
    pub rows: Vec<Row>,
    /// How many things found no room in the table.
    pub overflow: u64,
    /// Counts since the start of this process.
    pub tallies: BTreeMap<Tally, u64>,
    /// Since then, by site: session cookies made `SameSite=Strict` for visitors who came from another site.
    pub risks: BTreeMap<Box<str>, u64>,
}

impl Book {
    /// Opens the book at `path` for these workers. One that cannot be read is told of, and begun anew.
    pub fn open(path: PathBuf, workers: Vec<Arc<Findings>>) -> Self {
        let mut pages = Pages::default();
        match file::load(&path) {
            Ok(saved) => {
                pages.overflow = saved.overflow;
                let since = telemetry::now().0 - FORGET;
                for row in saved.rows.into_iter().filter(|row| row.last >= since) {
                    pages.table.merge(row);
                }
                pages.take_overflow();
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let file = path.display();
                tracing::warn!(%error, %file, "The findings of earlier runs cannot be read; a new table is begun.");
            }
        }
        Self { workers, path, pages: Mutex::new(pages) }
    }

    /// All that was found until now.
    pub fn report(&self) -> Report {
        let pages = self.gather();
        let mut rows: Vec<_> = pages.table.rows().cloned().collect();
        rows.sort_by(|a, b| (&a.site, a.kind, &a.name, a.action).cmp(&(&b.site, b.kind, &b.name, b.action)));
        Report { rows, overflow: pages.overflow, tallies: pages.tallies.clone(), risks: pages.risks.clone() }
    }

    /// The counts alone, since the start of this process.
    pub fn tallies(&self) -> BTreeMap<Tally, u64> {
        self.gather().tallies.clone()
    }

    /// Takes what the workers have found since the last time.
    fn gather(&self) -> MutexGuard<'_, Pages> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in &self.workers {
            let found = worker.take();
            if !found.is_empty() {
                pages.add(found);
            }
        }
        pages
    }

    fn save(&self) {
        let (rows, overflow) = {
            let mut pages = self.gather();
            pages.grown = false;
            if !std::mem::take(&mut pages.changed) {
                return;
            }
            (pages.table.rows().cloned().collect(), pages.overflow)
        };
        if let Err(error) = file::save(&self.path, overflow, rows) {
            self.pages.lock().unwrap_or_else(PoisonError::into_inner).changed = true;
            let file = self.path.display();
            tracing::warn!(%error, %file, "The findings cannot be saved.");
        }
    }
}

impl Pages {
    fn add(&mut self, found: Table) {
        self.changed = true;
        let (rows, overflow) = found.into_rows();
        for ((site, kind, action), count) in overflow {
            self.overflow += count;
            *self.tallies.entry(Tally { site, kind, category: "overflow".into(), action }).or_default() += count;
        }
        for row in rows {
            let category = row.category.clone().unwrap_or_else(|| "unclassified".into());
            let tally = Tally { site: row.site.clone(), kind: row.kind, category, action: row.action };
            *self.tallies.entry(tally).or_default() += row.count;
            if row.left_behind > 0 {
                *self.risks.entry(row.site.clone()).or_default() += row.left_behind;
                self.warn(&row);
            }
            if let Some(new) = self.table.merge(row) {
                tell(new);
                self.grown = true;
            }
        }
        self.take_overflow();
    }

    /// Says once of a cookie that visitors may arrive without it.
    fn warn(&mut self, row: &Row) {
        const MOST: usize = 1024;
        let Row { site, name, last_page, .. } = row;
        if self.warned.len() < MOST && self.warned.insert((site.clone(), name.clone())) {
            let page = last_page;
            tracing::warn!(%site, %name, %page, "A visitor from another site got a session cookie with SameSite=Strict.");
        }
    }

    /// What found no room in the book itself. Its category was known, and counted.
    fn take_overflow(&mut self) {
        self.overflow += std::mem::take(&mut self.table.overflow).into_values().sum::<u64>();
    }
}

/// Says once what `enforce` would do. What would only be kept is not worth a line.
fn tell(row: &Row) {
    if row.applied || row.action == FindingAction::Keep {
        return;
    }
    let Row { site, name, .. } = row;
    let (category, service) =
        (row.category.as_deref().unwrap_or("unclassified"), row.service.as_deref().unwrap_or("-"));
    let action = match row.action {
        FindingAction::Strip => "removed",
        FindingAction::Harden => "hardened",
        FindingAction::Cap => "shortened",
        FindingAction::Expire => "expired",
        FindingAction::Keep => "kept",
    };
    let kind = row.kind.word();
    tracing::info!(%site, kind, %name, category, service, "Enforced, this would be {action}.");
}

/// The thread that gathers and saves; a last time when it is dropped.
#[derive(Debug)]
pub struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// If there can be none.
    pub fn start(book: Arc<Book>) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let keep = move || {
            let mut rounds: u32 = 0;
            while stopped.recv_timeout(GATHER) == Err(RecvTimeoutError::Timeout) {
                rounds = rounds.wrapping_add(1);
                let grown = book.gather().grown;
                if grown || rounds.is_multiple_of(SAVE) {
                    book.save();
                }
            }
            book.save();
        };
        let thread = std::thread::Builder::new().name("findings".into()).spawn(keep)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
