//! Where reality differs from the policy: what the table of findings says that the policy does not, and the reverse.

mod compare;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::findings::Row;
use crate::policy::{FindingKind, Policy};
use compare::{Comparing, Thing};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The name of the site.
    pub site: Box<str>,
    /// What differs.
    pub drift: Kind,
    /// `cookie`, `tag`, `snippet` or `service`.
    pub kind: Cow<'static, str>,
    /// The cookie's name or declared pattern, the tag's host, or the service's key.
    pub name: Box<str>,
    /// The key of its service, in the policy or else in the catalogue.
    pub service: Option<Box<str>>,
    /// The key of its category in the policy.
    pub category: Option<Box<str>>,
    /// How often it was seen.
    pub count: u64,
    /// In words.
    pub text: String,
    /// YAML that declares it, ready to paste.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paste: Option<String>,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Seen, but not declared.
    Undeclared,
    /// Declared, but never seen.
    NeverSeen,
    /// The origin wants a cookie to live longer than the policy says.
    Longer,
    /// The origin sets a cookie without the attributes that it should have.
    MissingFlags,
    /// A known tracker is in a category that visitors are not asked about.
    TrackerInNecessary,
    /// A cookie made `SameSite=Strict` is left behind when the visitor comes from another site.
    StrictRisk,
}

impl Kind {
    /// As `--json` prints it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Undeclared => "undeclared",
            Self::NeverSeen => "never-seen",
            Self::Longer => "longer",
            Self::MissingFlags => "missing-flags",
            Self::TrackerInNecessary => "tracker-in-necessary",
            Self::StrictRisk => "strict-risk",
        }
    }
}

/// Compares the policy of a site with what was found on it; rows of other sites are left alone.
pub fn drift(site: &str, policy: &Policy, rows: &[Row]) -> Vec<Drift> {
    let mut things: BTreeMap<(FindingKind, &str), Thing<'_>> = BTreeMap::new();
    for row in rows.iter().filter(|row| &*row.site == site) {
        things.entry((row.kind, &*row.name)).and_modify(|thing| thing.add(row)).or_insert_with(|| Thing::new(row));
    }
    let mut comparing = Comparing::new(site, policy);
    for thing in things.values() {
        comparing.thing(thing);
    }
    let mut drift = comparing.end();
    drift.sort_by(|a, b| (a.drift, &a.kind, &a.name).cmp(&(b.drift, &b.kind, &b.name)));
    drift
}
