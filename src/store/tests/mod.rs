//! What every store must do (`conformance`), what the spool survives, and what the writer does when things fail.

mod conformance;
#[cfg(feature = "postgres")]
mod fleet;
#[cfg(feature = "postgres")]
mod server;
mod spool;
mod writer;

use std::path::Path;

use crate::consent::ConsentId;
use crate::cookie::UnixTime;
use crate::receipt::{ChainId, Entry, EntryId, Hash, Method, PolicyMark, Receipt, Salt};

use super::*;

const CHAIN: ChainId = ChainId([1; 16]);

fn receipt(number: u8, time: i64) -> Receipt {
    Receipt {
        consent: ConsentId([number % 4; 16]),
        granted: vec!["category:analytics".into()],
        id: EntryId([number; 16]),
        ip: None,
        language: "en".into(),
        method: if number.is_multiple_of(2) { Method::AcceptAll } else { Method::Custom },
        policy: PolicyMark { hash: Hash([7; 32]), version: 1 },
        refused: vec!["service:counter".into()],
        salt: Salt([number; 16]),
        site: if number < 100 { "shop.example".into() } else { "other.example".into() },
        time: UnixTime(time),
        user_agent: None,
    }
}

fn entry(number: u8) -> Entry {
    Entry::Choice(receipt(number, i64::from(number) * 86_400))
}

fn entries(numbers: std::ops::Range<u8>) -> Vec<Entry> {
    numbers.map(entry).collect()
}

/// The ids of what the filter finds, in order.
fn found(store: &mut dyn Backend, filter: &Filter) -> Vec<u8> {
    let mut ids = Vec::new();
    store
        .each(filter, &mut |receipt| {
            ids.push(receipt.id.0[0]);
            Ok(())
        })
        .unwrap();
    assert_eq!(store.count(filter).unwrap(), ids.len() as u64);
    ids
}

fn sqlite(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("receipts.sqlite"), Duration::from_secs(5)).unwrap()
}
