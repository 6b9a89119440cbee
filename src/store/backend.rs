//! What every kind of store can do.

use std::fmt::Debug;
use std::path::Path;

use super::Error;
use crate::consent::ConsentId;
use crate::cookie::UnixTime;
use crate::receipt::{ChainId, Entry, Hash, Head, Method, Reason, Receipt, Row};

/// Which receipts. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of the site with this first host.
    pub site: Option<Box<str>>,
    /// Of this visitor.
    pub consent: Option<ConsentId>,
    /// Not before.
    pub since: Option<UnixTime>,
    /// Before.
    pub until: Option<UnixTime>,
    /// That came about so.
    pub method: Option<Method>,
}

/// A chain as the store describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainState {
    /// Its end.
    pub head: Head,
    /// The position of the first entry that was not purged.
    pub first: u64,
    /// What that is linked to.
    pub base: Hash,
}

/// A store: several chains of entries. All that one call writes is one transaction and on disk when it returns, except
/// where it says that it works in steps.
pub trait Backend: Debug + Send {
    /// Appends entries to a chain, in their order, and gives its end. Entries that are there already are skipped.
    ///
    /// # Errors
    /// If nothing was written.
    fn append(&mut self, chain: ChainId, entries: &[Entry]) -> Result<Head, Error>;

    /// Shows receipts, oldest first, until `see` fails.
    ///
    /// # Errors
    /// What the store or `see` says.
    fn each(&mut self, filter: &Filter, see: &mut dyn FnMut(Receipt) -> Result<(), Error>) -> Result<(), Error>;

    /// How many receipts [`Self::each`] would show.
    ///
    /// # Errors
    /// What the store says.
    fn count(&mut self, filter: &Filter) -> Result<u64, Error>;

    /// Erases the content of receipts, each with its `deletion`, in steps; gives how many.
    ///
    /// # Errors
    /// What the store says; steps before stand.
    fn erase(&mut self, filter: &Filter, reason: Reason, now: UnixTime) -> Result<u64, Error>;

    /// Removes what is older than `before`, in steps; gives how many receipts and deletions went. The beginning of a
    /// chain goes as a whole; single old receipts behind younger ones (clocks differ) are erased.
    ///
    /// # Errors
    /// What the store says; steps before stand.
    fn purge(&mut self, before: UnixTime, now: UnixTime) -> Result<u64, Error>;

    /// All chains.
    ///
    /// # Errors
    /// What the store says.
    fn chains(&mut self) -> Result<Vec<ChainState>, Error>;

    /// From now on reads see the store as it is at the next one, whatever others write; nothing may be written any more.
    ///
    /// # Errors
    /// What the store says.
    fn pin(&mut self) -> Result<(), Error>;

    /// Copies the whole store into a file that must not exist, while others write. `step` learns how many of how many
    /// pages are done.
    ///
    /// # Errors
    /// If the file exists or cannot be written (what was begun of it is removed), or the store has better means.
    fn backup(&mut self, to: &Path, step: &mut dyn FnMut(u64, u64)) -> Result<(), Error>;

    /// Shows the entries of a chain in order, until `see` gives false.
    ///
    /// # Errors
    /// What the store says.
    fn rows(&mut self, chain: ChainId, see: &mut dyn FnMut(&Row<'_>) -> bool) -> Result<(), Error>;
}
