//! From a request to a grant: what the visitor decided, what the browser signals, what the law says without either.
//!
//! Pure. Reads and writes our own consent cookie, and reads those of others (`formats`); sets none, keeps no receipts, shows no banner.

mod choice;
mod codec;
pub mod formats;
mod grant;
mod record;
mod signals;

#[cfg(test)]
mod tests;

pub use choice::{Answers, Choice, ConsentId, Item};
pub use codec::{Keys, decode, encode};
pub use grant::{Ask, Basis, Decision, grant, grant_in, required};
pub use record::{Record, read, read_with};
pub use signals::Signals;
