//! What can be proven later: one entry for each act of a visitor, and for each deletion, in a chain of hashes.
//!
//! Pure. An entry's **canonical bytes** are RFC 8785 JSON: keys sorted, no white space, whole numbers, times in UTC as
//! `2026-11-22T05:53:55Z`. Its first key, `act`, names kind and version of the form (`choice/1`, `deletion/1`, `purge/1`);
//! what is absent has no key. They are kept as they were written and never made again, so that a later form can
//! not break an older proof.
//!
//! ```text
//! content = SHA-256(canonical bytes)
//! hash    = SHA-256("consentry chain 1" 00 ‖ hash of the entry before ‖ position, 8 bytes big-endian ‖ content)
//! ```
//! Before the first entry stands SHA-256("consentry chain 1" 00 ‖ chain id). As an entry is linked by the hash of its
//! content, the content can be erased and the chain stays whole; a `deletion` further on says when and why. The
//! random `salt` keeps anybody from guessing an erased content back out of its hash.

mod chain;
pub mod csv;
mod entry;
mod hex;
mod time;
mod verify;

#[cfg(test)]
mod tests;

pub use chain::{Head, Row, genesis, link};
pub use entry::{Deletion, Entry, Malformed, Method, PolicyMark, Purge, Reason, Receipt, content, lists};
pub use hex::{ChainId, EntryId, Hash, Salt};
pub use time::{day_or_time, stamp};
pub use verify::{Broken, Flaw, Verifier, Whole};
