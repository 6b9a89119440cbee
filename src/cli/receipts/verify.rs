//! `consentry receipts verify`: says whether records are whole, and which is the first that is not.

use std::process::ExitCode;

use super::progress;
use crate::receipt::Head;
use crate::store::{self, Anchor, Backend, Error, Place};

/// Checks all chains against each other and against the ends that were noted.
pub(super) fn run(place: &Place, store: Option<Box<dyn Backend>>, heads: &[Head]) -> Result<ExitCode, Error> {
    // Noted before the store is read: a running proxy may append meanwhile, and never takes away.
    let mut anchors = Anchor::at(&place.anchor).read_all()?;
    anchors.extend_from_slice(heads);
    let Some(mut store) = store else {
        let Some(lost) = anchors.iter().find(|head| head.next > 0) else { return Ok(ExitCode::SUCCESS) };
        println!("broken: chain {}: all of its {} records are missing", lost.chain, lost.next);
        return Ok(ExitCode::FAILURE);
    };
    store.pin()?;
    let records = store.chains()?.iter().map(|state| state.head.next - state.first).sum();
    let bar = progress(records, "records");
    let report = store::verify(&mut *store, &anchors, &mut || bar.inc(1));
    bar.finish_and_clear();
    let report = report?;
    for finding in &report.chains {
        match finding {
            Ok(whole) => {
                let Head { chain, next, hash } = whole.head;
                let (kept, erased, purged) = (whole.kept, whole.erased, whole.purged);
                println!("whole: {chain}:{next}:{hash} ({kept} records, {erased} erased, {purged} purged)");
                if !anchors.iter().any(|anchor| anchor.chain == chain) {
                    println!("  nobody noted its end here, so records that were cut off its end would not show");
                }
            }
            Err(broken) => println!("broken: {broken}"),
        }
    }
    Ok(if report.broken().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Reads `CHAIN:RECORDS:HASH`.
pub(super) fn head(text: &str) -> Result<Head, String> {
    let parse = || {
        let mut parts = text.split(':');
        let head = Head {
            chain: parts.next()?.parse().ok()?,
            next: parts.next()?.parse().ok()?,
            hash: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(head)
    };
    parse().ok_or_else(|| "write what `verify` printed: CHAIN:RECORDS:HASH".to_owned())
}
