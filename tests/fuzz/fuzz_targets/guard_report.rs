//! Any bytes as what a guard tells: nothing panics, and nothing is taken down that is long or that the policy lets pass.
#![no_main]

use consentry::api::guard::stopped;
use consentry::policy::{Catalogue, CatalogueParts, Finding, FindingAction, Grant, Policy, PolicyParts, Unclassified};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|form: &[u8]| {
    let policy = |unclassified| {
        let parts = PolicyParts { unclassified, ..PolicyParts::default() };
        Policy::compile(parts, Catalogue::compile(CatalogueParts::default()).into())
    };
    let found = stopped(&policy(Unclassified::Strip), &Grant::none(), form);
    assert!(found.len() <= 64);
    assert!(found.iter().all(|found| found.action == FindingAction::Strip && found.name.len() <= Finding::MAX_NAME));
    assert!(stopped(&policy(Unclassified::Keep), &Grant::none(), form).is_empty());
});
