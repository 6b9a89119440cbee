//! The categories of a policy: what visitors grant.

use super::catalogue_file::CATEGORIES;
use super::problem::suggest;
use super::published::{self, Language};
use super::reading::Item;
use super::section::Section;
use crate::policy::{Category, CategoryId, MAX_CATEGORIES};

/// In the order in which visitors see them.
pub(super) struct Categories {
    pub(super) list: Vec<Category>,
}

impl Categories {
    /// `categories:`, or the four of the catalogue.
    pub(super) fn read(item: Option<Item<'_>>, language: &Language) -> Self {
        let Some(item) = item else {
            return Self { list: CATEGORIES.iter().map(|id| default_category(id)).collect() };
        };
        let entries = item.entries();
        if entries.len() > MAX_CATEGORIES {
            item.fail::<()>(format!("{} categories; at most {MAX_CATEGORIES} are possible", entries.len()));
        }
        if entries.is_empty() && item.is_map() {
            item.fail::<()>("no category is named");
        }
        let mut list: Vec<Category> = Vec::new();
        for entry in entries.iter().take(MAX_CATEGORIES) {
            let Some(category) = entry.section(|s| category(s, language)) else { continue };
            for word in &category.catalogue {
                if let Some(other) = list.iter().find(|c| c.catalogue.contains(word)) {
                    let hint = "each of the catalogue's categories belongs to one of the policy's";
                    entry.fail_with::<()>(format!("`{}` takes in the catalogue's `{word}` already", other.id), hint);
                }
            }
            list.push(category);
        }
        Self { list }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.list.iter().any(|category| *category.id == *id)
    }

    /// The category that a value names.
    pub(super) fn id(&self, item: &Item<'_>) -> Option<CategoryId> {
        let text = item.text()?;
        if let Some(index) = self.list.iter().position(|c| *c.id == *text) {
            return Some(CategoryId(index as u8));
        }
        item.fail_with(format!("category `{text}` is not defined"), suggest(text, self.list.iter().map(|c| &*c.id)))
    }

    /// The category that takes in one of the catalogue's.
    pub(super) fn of_catalogue(&self, word: &str) -> Option<CategoryId> {
        let index = self.list.iter().position(|c| c.catalogue.iter().any(|w| **w == *word))?;
        Some(CategoryId(index as u8))
    }
}

fn category(s: &Section<'_>, language: &Language) -> Category {
    let id = s.item.name();
    if matches!(id, "strip" | "keep") || !is_token(id) {
        let hint = "letters, digits, `-`, `_` and `.`, beginning with a letter; not `keep` or `strip`";
        s.item.fail_name::<()>(format!("`{id}` cannot name a category"), Some(hint.to_owned()));
    }
    let default = default_category(id);
    let required = s.or("required", default.required, Item::bool);
    let signal = |key| {
        s.or(key, key == "gpc" && !required, |item| match item.bool()? {
            true if required => item.fail("a required category cannot be refused by a signal"),
            answer => Some(answer),
        })
    };
    let (label, labels) = language.optional(s, "label");
    let (purpose, purposes) = language.optional(s, "purpose");
    let (warning, warnings) = language.optional(s, "warning");
    let (opt_out, opt_out_by_region) = published::links(s, "opt_out");
    Category {
        gpc: signal("gpc"),
        dnt: signal("dnt"),
        label: label.unwrap_or(default.label),
        labels,
        purpose: purpose.unwrap_or(default.purpose),
        purposes,
        warning,
        warnings,
        opt_out,
        opt_out_by_region,
        required,
        lifetime: s.read("lifetime", Item::lifetime).flatten(),
        catalogue: s.or("catalogue", default.catalogue, |item| {
            let words = CATEGORIES.map(|word| (word, word));
            Some(item.one_or_many().iter().filter_map(|item| item.word(&words).map(Into::into)).collect())
        }),
        id: default.id,
    }
}

fn default_category(id: &str) -> Category {
    let known = CATEGORIES.contains(&id);
    let purpose = match id {
        "necessary" => "Needed for the site to work: signing in, the basket, security, your privacy choices.",
        "functional" => "Remembers your preferences and adds features such as videos, maps and chat.",
        "analytics" => "Helps us understand how the site is used, so that we can improve it.",
        "marketing" => "Used by us and our partners to show advertising and to measure it.",
        _ => "",
    };
    let mut label = id.replace(['-', '_'], " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let required = id == "necessary";
    Category {
        id: id.into(),
        label: label.into(),
        purpose: purpose.into(),
        required,
        gpc: !required,
        dnt: false,
        lifetime: None,
        catalogue: if known { vec![id.into()] } else { Vec::new() },
        ..Category::default()
    }
}

/// Fits the structured-field list of the `Consent` header.
pub(super) fn is_token(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.len() <= 64
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
