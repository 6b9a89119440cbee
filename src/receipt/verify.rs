//! Walks a chain and names the first entry at which it is broken.

use std::collections::BTreeMap;

use super::chain::{Head, Row, genesis, link};
use super::entry::{Entry, content};
use super::hex::{ChainId, Hash};

/// Checks one chain, entry by entry.
#[derive(Debug)]
pub struct Verifier {
    head: Head,
    first: u64,
    base: Hash,
    anchors: Vec<Head>,
    /// Contents that are gone, and whose deletion no entry has told yet.
    erased: BTreeMap<u64, Hash>,
    /// Contents that are there.
    kept: u64,
    deletions: u64,
    purged: Option<(u64, Hash)>,
}

/// A chain in which nothing was changed, removed or moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    /// Its end: to be written down elsewhere, as proof against whoever can write to store and state folder.
    pub head: Head,
    /// Entries that are there with their content.
    pub kept: u64,
    /// Entries whose content was erased, each with its `deletion`.
    pub erased: u64,
    /// Entries that were purged from the beginning.
    pub purged: u64,
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("chain {chain}, record {position}: {flaw}")]
pub struct Broken {
    /// The chain.
    pub chain: ChainId,
    /// The first position that is wrong.
    pub position: u64,
    /// What is wrong there.
    pub flaw: Flaw,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its bytes are not those that were hashed.
    #[error("its content was changed")]
    Changed,
    /// It is not linked to the one before.
    #[error("it is not the record that followed the one before: it was moved or made anew, or its hash was changed")]
    Unlinked,
    /// There is none at this position, but later ones are there.
    #[error("it is missing")]
    Missing,
    /// There is none at this position, and the chain was longer once.
    #[error("it is missing: the end of the chain was cut off")]
    Truncated,
    /// It is linked well, but to a chain that is not the one that was here.
    #[error("it is not the record that was here when the end of the chain was noted: the chain was made anew")]
    Rewritten,
    /// Its content is gone, and no entry says that it was deleted.
    #[error("its content was erased, and no later record says so")]
    ErasedInSilence,
    /// An entry says that its content was erased, but it is there.
    #[error("its content is there, although a later record says that it was deleted")]
    Restored,
    /// It is the first, but no entry says that those before it were purged.
    #[error("the records before it were removed, and no record says so")]
    PurgedInSilence,
    /// It fits, but it is no entry that this version knows.
    #[error("it is in no form that this version knows")]
    Unreadable,
}

impl Verifier {
    /// For the chain whose remaining entries begin at `first`, after an entry with the hash `base`. `anchors` are ends
    /// that it is known to have had, in whatever order.
    pub fn new(chain: ChainId, first: u64, base: Hash, anchors: Vec<Head>) -> Self {
        let head = Head { chain, next: first, hash: base };
        Self { head, first, base, anchors, erased: BTreeMap::new(), kept: 0, deletions: 0, purged: None }
    }

    /// The next entry, in the order of positions.
    ///
    /// # Errors
    /// If the chain is broken here, or was before.
    pub fn see(&mut self, row: &Row<'_>) -> Result<(), Broken> {
        let position = self.head.next;
        let broken = |flaw| Err(Broken { chain: self.head.chain, position, flaw });
        if row.position != position {
            return broken(Flaw::Missing);
        }
        if row.body.is_some_and(|body| content(body) != row.content) {
            return broken(Flaw::Changed);
        }
        if link(self.head.hash, position, row.content) != row.hash {
            return broken(Flaw::Unlinked);
        }
        let rewritten = |anchor: &Head| anchor.next == position + 1 && anchor.hash != row.hash;
        if self.anchors.iter().any(rewritten) {
            return broken(Flaw::Rewritten);
        }
        match row.body.map(Entry::parse) {
            None => {
                self.erased.insert(position, row.content);
            }
            Some(Err(_)) => return broken(Flaw::Unreadable),
            // The column by which a store finds it must not lie either.
            Some(Ok(entry)) if entry.id() != row.id => return broken(Flaw::Changed),
            Some(Ok(entry)) => {
                self.kept += 1;
                self.heed(&entry)?;
            }
        }
        self.head.push(row.content);
        Ok(())
    }

    fn heed(&mut self, entry: &Entry) -> Result<(), Broken> {
        match entry {
            Entry::Choice(_) => {}
            Entry::Deletion(deletion) if deletion.position < self.first => {}
            Entry::Deletion(deletion) => {
                if self.erased.remove(&deletion.position) != Some(deletion.content) {
                    let position = deletion.position;
                    return Err(Broken { chain: self.head.chain, position, flaw: Flaw::Restored });
                }
                self.deletions += 1;
            }
            Entry::Purge(purge) => self.purged = Some((purge.through, purge.hash)),
        }
        Ok(())
    }

    /// After the last entry.
    ///
    /// # Errors
    /// If something is missing.
    pub fn finish(self) -> Result<Whole, Broken> {
        let chain = self.head.chain;
        let broken = |position, flaw| Err(Broken { chain, position, flaw });
        let whole_start = match self.first.checked_sub(1) {
            None => self.base == genesis(chain),
            Some(last) => self.purged == Some((last, self.base)),
        };
        if self.anchors.iter().any(|anchor| anchor.next > self.head.next) {
            return broken(self.head.next, Flaw::Truncated);
        }
        if !whole_start {
            return broken(self.first, Flaw::PurgedInSilence);
        }
        if let Some(position) = self.erased.keys().next() {
            return broken(*position, Flaw::ErasedInSilence);
        }
        Ok(Whole { head: self.head, kept: self.kept, erased: self.deletions, purged: self.first })
    }
}
