//! A mapping with a known set of keys.
//!
//! Who reads it asks for the keys that it knows; what was not asked for is unknown. So the code that
//! reads is the schema, and nothing can be in one and not in the other.

use std::cell::RefCell;

use super::problem::{did_you_mean, suggest};
use super::reading::Item;

/// A mapping with a known set of keys.
pub(super) struct Section<'a> {
    pub(super) item: Item<'a>,
    entries: Vec<Item<'a>>,
    known: RefCell<Vec<&'static str>>,
    missing: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// Lets `read` ask, and then tells what nobody asked for.
    pub(super) fn read_all<T>(item: &Item<'a>, read: impl FnOnce(&Self) -> T) -> T {
        let section = Self {
            entries: item.entries(),
            known: RefCell::default(),
            missing: RefCell::default(),
            item: item.clone(),
        };
        let value = read(&section);
        section.finish();
        value
    }

    /// The value of a key; absent and empty (`key:`) are the same.
    pub(super) fn get(&self, key: &'static str) -> Option<Item<'a>> {
        self.known.borrow_mut().push(key);
        let found = self.entries.iter().find(|item| item.name() == key);
        #[cfg(test)]
        {
            let path = format!("{}.{key}", self.item.path);
            *self.item.problems.asked.borrow_mut().entry(path).or_default() |= found.is_some();
        }
        found.filter(|item| !item.is_null()).cloned()
    }

    /// What `read` makes of a key; `None` if it is absent or wrong (which is noted).
    pub(super) fn read<T>(&self, key: &'static str, read: impl FnOnce(&Item<'a>) -> Option<T>) -> Option<T> {
        self.get(key).and_then(|item| read(&item))
    }

    /// What `read` makes of a key, or the default.
    pub(super) fn or<T>(&self, key: &'static str, default: T, read: impl FnOnce(&Item<'a>) -> Option<T>) -> T {
        self.read(key, read).unwrap_or(default)
    }

    /// A key that must be there.
    pub(super) fn need<T>(&self, key: &'static str, read: impl FnOnce(&Item<'a>) -> Option<T>) -> Option<T> {
        match self.get(key) {
            Some(item) => read(&item),
            None => {
                self.missing.borrow_mut().push(key);
                None
            }
        }
    }

    fn finish(self) {
        let known = self.known.into_inner();
        let mut missing = self.missing.into_inner();
        for item in &self.entries {
            if !known.contains(&item.name()) {
                let hint = suggest(item.name(), known.iter().copied());
                item.fail_name::<()>(format!("unknown key `{}`", item.name()), Some(hint));
                // One mistake, and not a missing key besides.
                let meant = did_you_mean(item.name(), known.iter().copied());
                missing.retain(|key| Some(*key) != meant);
            }
        }
        for key in missing {
            let what = format!("`{key}` is missing");
            match self.item.is_null() && self.item.path.is_empty() {
                true => self.item.fail_with::<()>(what, "`consentry init` writes a configuration to begin with"),
                false => self.item.fail::<()>(what),
            };
        }
    }
}
