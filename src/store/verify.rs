//! Verifies a whole store.

use super::{Backend, Error};
use crate::receipt::{Broken, Flaw, Head, Verifier, Whole};

/// What was found in one chain.
pub type Finding = Result<Whole, Broken>;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Chain by chain.
    pub chains: Vec<Finding>,
}

impl Report {
    /// The first thing that is broken.
    pub fn broken(&self) -> Option<Broken> {
        self.chains.iter().find_map(|finding| finding.err())
    }
}

/// Checks every chain of a store. `anchors` are ends that were noted elsewhere; `step` is called for each record.
///
/// # Errors
/// If the store cannot be read, which says nothing about its chains.
pub fn verify(store: &mut dyn Backend, anchors: &[Head], step: &mut dyn FnMut()) -> Result<Report, Error> {
    let mut report = Report::default();
    let chains = store.chains()?;
    for state in &chains {
        let chain = state.head.chain;
        let known = anchors.iter().filter(|anchor| anchor.chain == chain).chain([&state.head]).copied();
        let mut verifier = Verifier::new(chain, state.first, state.base, known.collect());
        let mut broken = None;
        store.rows(chain, &mut |row| {
            step();
            broken = verifier.see(row).err();
            broken.is_none()
        })?;
        report.chains.push(broken.map_or_else(|| verifier.finish(), Err));
    }
    for anchor in anchors.iter().filter(|anchor| anchor.next > 0) {
        if !chains.iter().any(|state| state.head.chain == anchor.chain) {
            // All of it is gone, and its name with it.
            report.chains.push(Err(Broken { chain: anchor.chain, position: 0, flaw: Flaw::Truncated }));
        }
    }
    Ok(report)
}
