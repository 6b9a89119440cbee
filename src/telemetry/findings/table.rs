//! Rows by what they are about, in bounded memory whatever names arrive.
//!
//! Strangers choose names. What nobody knows gets half of the table at most, and one site's a part of that; a pattern
//! that the policy or catalogue declares gets a few names of its own, and all further ones are one row. What finds no
//! room is counted.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};

use foldhash::quality::RandomState;

use super::{Known, Row, Scene};
use crate::policy::{Finding, FindingAction, FindingKind, Sighting};

/// Rows of one table; at a few hundred bytes each this is some 2 MiB.
pub(super) const MOST: usize = 4096;
/// Unclassified ones among them.
pub(super) const MOST_UNKNOWN: usize = MOST / 2;
/// Unclassified ones of one site.
pub(super) const MOST_UNKNOWN_OF_SITE: usize = MOST / 8;
/// Names of one rule with which the same is done on one site, before the rest is told together.
pub(super) const NAMES_OF_RULE: u32 = 16;

/// Things for which there was no room: site, kind, action.
pub(super) type Overflow = BTreeMap<(Box<str>, FindingKind, FindingAction), u64>;

/// Rows, found by a hash of what they are about.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: HashMap<u64, Row, BuildHasherDefault<Hashed>>,
    /// How many names there are of a rule.
    of_rule: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    unknown: usize,
    unknown_of: BTreeMap<Box<str>, usize>,
    pub(super) overflow: Overflow,
    /// Its key is secret, so that nobody can choose names that meet.
    hasher: RandomState,
}

impl Table {
    /// An empty one that hashes alike.
    pub(super) fn emptied(&self) -> Self {
        Self { hasher: self.hasher.clone(), ..Self::default() }
    }

    /// Counts one thing.
    pub(super) fn see(&mut self, scene: &Scene<'_>, seen: &Sighting<'_>) {
        let name = &seen.name[..seen.name.len().min(Finding::MAX_NAME)];
        // The rule tells nameless snippets apart.
        let rule = seen.rule.filter(|_| name.is_empty());
        // Few and short writes: this is the cost of a thing that was seen before.
        let what = (seen.kind as u16) << 8 | seen.action as u16;
        let key = match rule {
            None => self.hasher.hash_one((what, scene.site, name)),
            Some(rule) => self.hasher.hash_one((what, scene.site, rule)),
        };
        if let Some(row) = self.rows.get_mut(&key) {
            return row.count(scene, seen);
        }
        if seen.rule.is_none() && !self.has_room_for_unknown(scene.site) {
            return self.overflow(scene.site, seen.kind, seen.action, 1);
        }
        let mut row = Row::new(scene, seen);
        row.count(scene, seen);
        self.insert(key, row);
    }

    /// Adds what another table tells.
    pub(super) fn merge(&mut self, row: Row) -> Option<&Row> {
        let key = self.key(&row);
        if let Some(mine) = self.rows.get_mut(&key) {
            mine.merge(row);
            return None;
        }
        self.insert(key, row)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub(super) fn into_rows(self) -> (impl Iterator<Item = Row>, Overflow) {
        (self.rows.into_values(), self.overflow)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.overflow.is_empty()
    }

    /// A new row, if there is room for it.
    fn insert(&mut self, mut key: u64, mut row: Row) -> Option<&Row> {
        if row.known == Known::Nobody {
            if !self.has_room_for_unknown(&row.site) {
                self.overflow(&row.site, row.kind, row.action, row.count);
                return None;
            }
            self.unknown += 1;
            *self.unknown_of.entry(row.site.clone()).or_default() += 1;
        } else {
            let of_rule = self.hasher.hash_one((&row.site, row.kind, row.action, &row.rule));
            let names = self.of_rule.entry(of_rule).or_default();
            if *names < NAMES_OF_RULE {
                *names += 1;
            } else {
                // It stands for all further ones.
                row.name = row.rule.clone().unwrap_or_default();
                key = self.key(&row);
                if let Some(mine) = self.rows.get_mut(&key) {
                    mine.merge(row);
                    return None;
                }
            }
        }
        if self.rows.len() >= MOST {
            self.overflow(&row.site, row.kind, row.action, row.count);
            return None;
        }
        Some(self.rows.entry(key).or_insert(row))
    }

    fn has_room_for_unknown(&self, site: &str) -> bool {
        self.rows.len() < MOST
            && self.unknown < MOST_UNKNOWN
            && self.unknown_of.get(site).is_none_or(|count| *count < MOST_UNKNOWN_OF_SITE)
    }

    fn overflow(&mut self, site: &str, kind: FindingKind, action: FindingAction, count: u64) {
        *self.overflow.entry((site.into(), kind, action)).or_default() += count;
    }

    fn key(&self, row: &Row) -> u64 {
        self.hasher.hash_one((&row.site, row.kind, row.action, &row.name))
    }
}

/// Takes a hash for itself.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
