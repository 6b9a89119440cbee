//! The links of a chain.

use aws_lc_rs::digest::{Context, SHA256};

use super::hex::{ChainId, EntryId, Hash};

const DOMAIN: &[u8] = b"consentry chain 1\0";

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which chain.
    pub chain: ChainId,
    /// How many entries it ever had: the position of the next.
    pub next: u64,
    /// The hash of the last entry.
    pub hash: Hash,
}

/// An entry as a store keeps it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// From 0.
    pub position: u64,
    /// The entry's name.
    pub id: EntryId,
    /// The hash of its canonical bytes.
    pub content: Hash,
    /// What the next entry is linked to.
    pub hash: Hash,
    /// The canonical bytes; `None` once they are erased.
    pub body: Option<&'a str>,
}

impl Head {
    /// Of a chain without entries.
    pub fn new(chain: ChainId) -> Self {
        Self { chain, next: 0, hash: genesis(chain) }
    }

    /// Moves on to the entry with this content.
    pub fn push(&mut self, content: Hash) {
        self.hash = link(self.hash, self.next, content);
        self.next += 1;
    }
}

/// What the first entry of a chain is linked to.
pub fn genesis(chain: ChainId) -> Hash {
    sha256(&[DOMAIN, &chain.0])
}

/// The hash of the entry at a position, after the entry with the hash `before`.
pub fn link(before: Hash, position: u64, content: Hash) -> Hash {
    sha256(&[DOMAIN, &before.0, &position.to_be_bytes(), &content.0])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    Hash(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
