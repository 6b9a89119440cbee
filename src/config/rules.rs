//! What policies and the catalogue have in common: cookies, storage keys, hosts, snippets, session cookies.

use std::cell::RefCell;

use super::problem::Place;
use super::reading::Item;
use super::section::Section;
use super::tree::Value;
use crate::policy::{
    CategoryId, CookieRule, Hardening, HostPattern, NamePattern, RuleId, RuleSource, SameSite, SessionRule,
    SnippetRule, StorageRule, TagRule,
};

/// Shorter ones would be found in every second script.
const SHORTEST_SNIPPET: usize = 4;

/// Gives every rule its number and remembers where it is written.
#[derive(Debug, Default)]
pub(super) struct Rules {
    sources: RefCell<Vec<RuleSource>>,
    places: RefCell<Vec<Place>>,
}

impl Rules {
    fn note(&self, item: &Item<'_>) -> RuleId {
        let brief = item.node.brief();
        let text = match (item.name(), &*brief) {
            ("", _) => brief,
            (name, "") => name.to_owned(),
            (name, _) => format!("{name}: {brief}"),
        };
        let mut sources = self.sources.borrow_mut();
        let id = RuleId(sources.len() as u32);
        self.places.borrow_mut().push(item.name_place());
        sources.push(RuleSource { file: item.source.name.clone(), line: item.name_place().line, text: text.into() });
        id
    }

    /// The table of sources, and where in the file each of them is.
    pub(super) fn into_tables(self) -> (Vec<RuleSource>, Vec<Place>) {
        (self.sources.into_inner(), self.places.into_inner())
    }

    /// `cookies:`; `category` reads the category from the long form, or says what the short form means, for which
    /// `is_category` tells one from a lifetime.
    pub(super) fn cookies(
        &self,
        item: &Item<'_>,
        is_category: impl Fn(&str) -> bool,
        category: impl Fn(&Item<'_>, Option<&Section<'_>>) -> Option<CategoryId>,
    ) -> Vec<CookieRule> {
        let read = |item: &Item<'_>| {
            let pattern = name_pattern(item);
            let (lifetime, category) = if item.is_map() {
                item.section(|s| (s.read("lifetime", Item::lifetime).flatten(), category(item, Some(s))))?
            } else {
                if let Some(text) = item.peek_text().filter(|text| is_category(text)) {
                    let hint = format!("write `{}: {{ category: {text} }}`", item.name());
                    return item.fail_with(format!("`{text}` is a category, where a lifetime is meant"), hint);
                }
                let lifetime = if item.is_null() { Some(None) } else { item.lifetime() };
                let category = category(item, None);
                (lifetime?, category)
            };
            Some(CookieRule { pattern: pattern?, category, lifetime, rule: self.note(item) })
        };
        item.entries().iter().filter_map(read).collect()
    }

    /// `hosts:`
    pub(super) fn tags(&self, item: &Item<'_>) -> Vec<TagRule> {
        let read = |item: &Item<'_>| {
            let pattern = item.parse(HostPattern::parse)?;
            Some(TagRule { pattern, rule: self.note(item) })
        };
        item.one_or_many().iter().filter_map(read).collect()
    }

    /// `storage:`
    pub(super) fn storage(&self, item: &Item<'_>) -> Vec<StorageRule> {
        let read = |item: &Item<'_>| {
            let pattern = item.parse(NamePattern::parse)?;
            Some(StorageRule { pattern, rule: self.note(item) })
        };
        item.one_or_many().iter().filter_map(read).collect()
    }

    /// `inline:`
    pub(super) fn snippets(&self, item: &Item<'_>) -> Vec<SnippetRule> {
        let read = |item: &Item<'_>| {
            let text = item.text()?;
            if text.chars().filter(|c| !c.is_whitespace()).count() < SHORTEST_SNIPPET {
                return item.fail(format!("`{text}` is too short to tell one script from another"));
            }
            Some(SnippetRule { text: text.into(), rule: self.note(item) })
        };
        item.one_or_many().iter().filter_map(read).collect()
    }

    /// Session cookies: `NAME: {…}` hardens, `NAME: keep` spares.
    pub(super) fn sessions(&self, item: &Item<'_>) -> Vec<SessionRule> {
        let read = |item: &Item<'_>| {
            let pattern = name_pattern(item);
            let hardening = match &item.node.value {
                Value::Text(_) => item.word(&[("keep", None)])?,
                _ => Some(item.section(hardening)?),
            };
            Some(SessionRule { pattern: pattern?, hardening, rule: self.note(item) })
        };
        item.entries().iter().filter_map(read).collect()
    }
}

fn name_pattern(item: &Item<'_>) -> Option<NamePattern> {
    NamePattern::parse(item.name()).map_or_else(|error| item.fail_name(error.to_string(), None), Some)
}

fn hardening(s: &Section<'_>) -> Hardening {
    let full = Hardening::FULL;
    let same_sites = [
        ("strict", Some(SameSite::Strict)),
        ("lax", Some(SameSite::Lax)),
        ("none", Some(SameSite::None)),
        ("keep", None),
    ];
    let hardening = Hardening {
        readable: full.readable,
        http_only: s.or("http_only", full.http_only, Item::bool),
        secure: s.or("secure", full.secure, Item::bool),
        same_site: s.or("same_site", full.same_site, |item| item.word(&same_sites)),
        host_only: s.or("host_only", full.host_only, Item::bool),
        host_prefix: s.or("host_prefix", full.host_prefix, Item::bool),
    };
    if !hardening.secure && hardening.host_prefix {
        s.item.fail_with::<()>("`host_prefix` needs `secure`", "browsers refuse a `__Host-` cookie without `Secure`");
    }
    if !hardening.secure && hardening.same_site == Some(SameSite::None) {
        s.item.fail_with::<()>("`same_site: none` needs `secure`", "browsers refuse `SameSite=None` without `Secure`");
    }
    hardening
}
