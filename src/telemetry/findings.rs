//! What was seen in traffic, told to the operator: each thing once, in bounded memory.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;

use crate::policy::{Finding, FindingAction, FindingKind, Policy};

/// Remembers what a worker has told. Strangers choose the names, so that the table has an end: past it nothing new
/// is told until a restart.
#[derive(Debug, Default)]
pub struct Findings {
    told: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

/// Things told by one worker.
const MOST: usize = 4096;

impl Findings {
    /// Takes what one exchange found on a site in `observe` mode. What would only be kept is not worth a line.
    pub fn observed(&self, site: &str, policy: &Policy, findings: &[Finding]) {
        for finding in findings.iter().filter(|f| f.action != FindingAction::Keep) {
            if self.is_new(site, finding) {
                tell(site, policy, finding);
            }
        }
    }

    fn is_new(&self, site: &str, finding: &Finding) -> bool {
        let key = self.hasher.hash_one((site, finding.kind, &finding.name, finding.action));
        let mut told = self.told.lock().expect("no panic under the lock");
        told.len() < MOST && told.insert(key)
    }
}

fn tell(site: &str, policy: &Policy, finding: &Finding) {
    let category = finding.owner.map_or("unclassified", |owner| &*policy.category(owner.category).id);
    let service = finding.owner.and_then(|owner| owner.service).map_or("-", |id| &*policy.service(id).id);
    let kind = match finding.kind {
        FindingKind::Cookie => "cookie",
        FindingKind::Tag => "tag",
        FindingKind::Snippet => "snippet",
    };
    let action = match finding.action {
        FindingAction::Strip => "removed",
        FindingAction::Harden => "hardened",
        FindingAction::Cap => "shortened",
        FindingAction::Expire => "expired",
        FindingAction::Keep => "kept",
    };
    let name = &*finding.name;
    tracing::info!(site, kind, name, category, service, "Enforced, this would be {action}.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_told_once_and_memory_has_an_end() {
        let findings = Findings::default();
        let finding = |name: &str| Finding::new(FindingKind::Cookie, name.as_bytes(), None, None, FindingAction::Strip);
        assert!(findings.is_new("shop.example", &finding("_ga")));
        assert!(!findings.is_new("shop.example", &finding("_ga")));
        assert!(findings.is_new("other.example", &finding("_ga")));
        for n in 0..2 * MOST {
            findings.is_new("shop.example", &finding(&n.to_string()));
        }
        assert_eq!(findings.told.lock().unwrap().len(), MOST);
    }
}
