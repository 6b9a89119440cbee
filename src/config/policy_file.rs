//! A site's cookie policy: a file of its own, a mapping in the site, or the built-in `standard`.

use super::catalogue_file::CATEGORIES;
use super::problem::suggest;
use super::reading::{Item, Section};
use super::rules::{Rules, storage};
use crate::policy::{
    Catalogue, Category, CategoryId, CookieRule, Law, MAX_CATEGORIES, PolicyParts, Service, Unclassified,
};

/// 180 days: what the French authority finds reasonable, and our default.
const CHOICE_LIFETIME: u64 = 180 * 86_400;

/// A policy, and what belongs to it but decides nothing.
#[derive(Debug)]
pub(super) struct PolicyFile {
    pub(super) parts: PolicyParts,
    pub(super) effective: Option<Box<str>>,
}

/// Reads a policy. What is wrong is noted; the result is then of no use but to find more.
pub(super) fn read(s: &Section<'_>, catalogue: &Catalogue) -> PolicyFile {
    let version = s.or("version", 1, |item| item.integer(1..=u64::from(u32::MAX)));
    let effective = s.read("effective", date);
    let law = s.or("law", Law::default(), law);
    let (choice_lifetime, good_since, choice_beats_signals) = choice(s, version);

    let categories = Categories::read(s.get("categories"));
    if !categories.list.iter().any(|c| c.required) {
        let item = s.get("categories").unwrap_or_else(|| s.item.clone());
        item.warn("no category is required", "visitors who refuse lose every cookie that the policy names");
    }
    let unclassified = s.or("unclassified", Unclassified::default(), |item| match item.text()? {
        "strip" => Some(Unclassified::Strip),
        "keep" => Some(Unclassified::Keep),
        _ => categories.id(item).map(Unclassified::Category),
    });

    let rules = Rules::default();
    let reader = Reader { catalogue, categories: &categories, rules: &rules };
    let services = s.get("services").map(|item| reader.services(&item)).unwrap_or_default();
    let cookies = s.get("cookies").map(|item| reader.cookies(&item)).unwrap_or_default();
    let (sessions, catalogue_sessions) = s
        .read("sessions", |item| {
            item.section(|s| {
                let sessions = s.get("cookies").map(|item| rules.sessions(&item)).unwrap_or_default();
                (sessions, s.or("catalogue", true, Item::bool))
            })
        })
        .unwrap_or((Vec::new(), true));

    let parts = PolicyParts {
        version,
        good_since,
        law,
        choice_lifetime,
        choice_beats_signals,
        unclassified,
        services,
        cookies,
        sessions,
        catalogue_sessions,
        sources: rules.into_sources(),
        categories: categories.list,
    };
    PolicyFile { parts, effective }
}

fn law(item: &Item<'_>) -> Option<Law> {
    let law = item.word(&[("opt-in", Law::OptIn), ("opt-out", Law::OptOut), ("implied", Law::Implied)])?;
    if law == Law::Implied {
        item.warn("implied consent is no valid consent under the GDPR", "write `law: opt-in` for visitors from the EU");
    }
    Some(law)
}

/// `choice:` as lifetime, `good_since` and `beats_signals`.
fn choice(s: &Section<'_>, version: u64) -> (u64, u64, bool) {
    let read = |s: &Section<'_>| {
        let lifetime = s.or("lifetime", CHOICE_LIFETIME, |item| match item.lifetime()? {
            Some(seconds) if seconds >= 86_400 => Some(seconds),
            _ => item.fail("a choice must hold for a day at least"),
        });
        let good_since = s.or("good_since", 1, |item| match item.integer(1..=u64::from(u32::MAX))? {
            since if since <= version => Some(since),
            since => item.fail(format!("{since} is newer than the policy, whose version is {version}")),
        });
        (lifetime, good_since, s.or("beats_signals", false, Item::bool))
    };
    s.read("choice", |item| item.section(read)).unwrap_or((CHOICE_LIFETIME, 1, false))
}

/// `YYYY-MM-DD`, a day that exists.
fn date(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, len| (part.len() == len).then(|| part.parse::<u32>().ok()).flatten();
    if let [year, month, day] = parts[..]
        && let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if (1..=days).contains(&day) {
            return Some(text.into());
        }
    }
    item.fail(format!("`{text}` is no date; write e.g. `2026-01-31`"))
}

struct Categories {
    list: Vec<Category>,
}

impl Categories {
    fn read(item: Option<Item<'_>>) -> Self {
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
            let Some(category) = entry.section(category) else { continue };
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

    /// The category that a value names.
    fn id(&self, item: &Item<'_>) -> Option<CategoryId> {
        let text = item.text()?;
        if let Some(index) = self.list.iter().position(|c| *c.id == *text) {
            return Some(CategoryId(index as u8));
        }
        item.fail_with(format!("category `{text}` is not defined"), suggest(text, self.list.iter().map(|c| &*c.id)))
    }

    /// The category that takes in one of the catalogue's.
    fn of_catalogue(&self, word: &str) -> Option<CategoryId> {
        let index = self.list.iter().position(|c| c.catalogue.iter().any(|w| **w == *word))?;
        Some(CategoryId(index as u8))
    }
}

fn category(s: &Section<'_>) -> Category {
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
    Category {
        gpc: signal("gpc"),
        dnt: signal("dnt"),
        label: s.or("label", default.label, Item::boxed),
        purpose: s.or("purpose", default.purpose, Item::boxed),
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
    }
}

/// Fits the structured-field list of the `Consent` header.
fn is_token(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.len() <= 64
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

struct Reader<'p> {
    catalogue: &'p Catalogue,
    categories: &'p Categories,
    rules: &'p Rules,
}

impl Reader<'_> {
    fn services(&self, item: &Item<'_>) -> Vec<Service> {
        let entries = item.entries();
        if entries.len() > usize::from(u16::MAX) {
            item.fail::<()>("too many services");
        }
        entries.iter().filter_map(|entry| entry.section(|s| self.service(s)).flatten()).collect()
    }

    fn service(&self, s: &Section<'_>) -> Option<Service> {
        let id = s.item.name();
        if !is_token(id) {
            let hint = "letters, digits, `-`, `_` and `.`, beginning with a letter";
            s.item.fail_name::<()>(format!("`{id}` cannot name a service"), Some(hint.to_owned()));
        }
        let uses = s.read("uses", |item| {
            let name = item.text()?;
            let known = self.catalogue.service(name);
            known.or_else(|| item.fail(format!("the catalogue has no service `{name}`")))
        });
        let named = s.get("category");
        let category = match &named {
            Some(item) => self.categories.id(item),
            None => self.category_of(s, uses.map(|entry| &*entry.category)),
        };
        if let (Some(id), Some(entry)) = (category, uses)
            && self.categories.list[usize::from(id.0)].required
            && &*entry.category != "necessary"
            && let Some(item) = &named
        {
            let what = format!("{} is known as `{}` but the category is required", entry.label, entry.category);
            item.warn(what, "visitors cannot refuse it; that is not lawful for trackers in the EU");
        }
        let or_known = |key, known: Option<&str>| s.read(key, Item::boxed).or_else(|| known.map(Into::into));
        let label = or_known("label", uses.map(|entry| &*entry.label)).unwrap_or_else(|| id.into());
        let service = Service {
            id: id.into(),
            label,
            vendor: or_known("vendor", uses.map(|entry| &*entry.vendor)).unwrap_or_default(),
            purpose: or_known("purpose", uses.map(|entry| &*entry.purpose)).unwrap_or_default(),
            lifetime: s.read("lifetime", Item::lifetime).flatten(),
            privacy: s.read("privacy", link).or_else(|| uses.and_then(|entry| entry.privacy.clone())),
            opt_out: s.read("opt_out", link).or_else(|| uses.and_then(|entry| entry.opt_out.clone())),
            uses: uses.map(|entry| entry.id.clone()),
            cookies: s.get("cookies").map(|item| self.service_cookies(&item)).unwrap_or_default(),
            storage: s.get("storage").map(|item| storage(&item)).unwrap_or_default(),
            tags: s.get("hosts").map(|item| self.rules.tags(&item)).unwrap_or_default(),
            snippets: s.get("inline").map(|item| self.rules.snippets(&item)).unwrap_or_default(),
            category: category?,
        };
        Some(service)
    }

    /// Where a service goes that names no category itself.
    fn category_of(&self, s: &Section<'_>, word: Option<&str>) -> Option<CategoryId> {
        let Some(word) = word else {
            if s.get("uses").is_some() {
                return None; // told already
            }
            let hint = match self.catalogue.service(s.item.name()) {
                Some(entry) => format!("the catalogue knows it; write `uses: {}`", entry.id),
                None => {
                    format!("one of {}", self.categories.list.iter().map(|c| &*c.id).collect::<Vec<_>>().join(", "))
                }
            };
            return s.item.fail_with("`category` is missing", hint);
        };
        self.categories.of_catalogue(word).or_else(|| {
            let hint = format!("name its `category`, or write `catalogue: [{word}]` in one of the categories");
            s.item.fail_with(format!("no category takes in the catalogue's `{word}`"), hint)
        })
    }

    fn service_cookies(&self, item: &Item<'_>) -> Vec<CookieRule> {
        self.rules.cookies(item, |_, s| s?.read("category", |item| self.categories.id(item)))
    }

    /// `cookies:` of the policy itself, where each must name its category.
    fn cookies(&self, item: &Item<'_>) -> Vec<CookieRule> {
        self.rules.cookies(item, |item, s| match s {
            Some(s) => s.need("category", |item| self.categories.id(item)),
            None => {
                let hint = format!("write `{}: {{ category: necessary, lifetime: 1 year }}`", item.name());
                item.fail_name("a cookie without a service needs a category", Some(hint))
            }
        })
    }
}

/// A link that visitors may follow.
fn link(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(text.into()),
        _ => item.fail(format!("`{text}` is no http(s) address")),
    }
}
