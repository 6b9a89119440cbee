//! A site's cookie policy: a file of its own, a mapping in the site, or the built-in `standard`.

use super::categories::{Categories, is_token};
use super::duration;
use super::lifetime;
use super::problem::{Place, did_you_mean};
use super::published::{self, Language};
use super::reading::Item;
use super::rules::Rules;
use super::section::Section;
use crate::policy::{Catalogue, CategoryId, CookieRule, Law, LegalBasis, PolicyParts, Service, Term, Unclassified};

/// 180 days: what the French authority finds reasonable, and our default.
const CHOICE_LIFETIME: u64 = 180 * 86_400;

/// A policy, and where it says what.
#[derive(Debug)]
pub(super) struct PolicyFile {
    pub(super) parts: PolicyParts,
    /// Where each rule stands.
    pub(super) places: Vec<Place>,
}

/// Reads a policy. What is wrong is noted; the result is then of no use but to find more.
pub(super) fn read(s: &Section<'_>, catalogue: &Catalogue) -> PolicyFile {
    let version = s.or("version", 1, version);
    let effective = s.read("effective", published::date);
    let language = Language::read(s);
    let domains = s.or("domains", Vec::new(), published::domains);
    let changes = s.get("changes").map(|item| language.changes(&item, version)).unwrap_or_default();
    let (law, laws) = s.or("law", (Law::default(), Vec::new()), published::laws);
    let ((choice_lifetime, choice_term), good_since, choice_beats_signals) = choice(s, version);

    let categories = Categories::read(s.get("categories"), &language);
    let unclassified = s.or("unclassified", Unclassified::default(), |item| match item.text()? {
        "strip" => Some(Unclassified::Strip),
        "keep" => Some(Unclassified::Keep),
        _ => categories.id(item).map(Unclassified::Category),
    });

    let styles = s.or("styles", false, Item::bool);

    let rules = Rules::default();
    let reader = Reader { catalogue, categories: &categories, rules: &rules, language: &language };
    let (services, cookies) = (s.get("services"), s.get("cookies"));
    let read_services = || services.as_ref().map(|item| reader.services(item)).unwrap_or_default();
    let read_cookies = || cookies.as_ref().map(|item| reader.cookies(item)).unwrap_or_default();
    let start = |item: &Option<Item<'_>>| item.as_ref().map(|item| item.place().start);
    // Rules are numbered as they are read, and the order of the file decides between equals.
    let (services, cookies) = if start(&services) <= start(&cookies) {
        let services = read_services();
        (services, read_cookies())
    } else {
        let cookies = read_cookies();
        (read_services(), cookies)
    };
    let (sessions, catalogue_sessions) = s
        .read("sessions", |item| {
            item.section(|s| {
                let mut sessions = s.get("cookies").map(|item| rules.sessions(&item)).unwrap_or_default();
                // What the catalogue says of all sites takes no `HttpOnly` away; what one says of itself does.
                for hardening in sessions.iter_mut().filter_map(|session| session.hardening.as_mut()) {
                    hardening.readable = !hardening.http_only;
                }
                (sessions, s.or("catalogue", true, Item::bool))
            })
        })
        .unwrap_or((Vec::new(), true));

    let (sources, places) = rules.into_tables();
    let parts = PolicyParts {
        version,
        good_since,
        effective,
        domains,
        changes,
        law,
        laws,
        choice_lifetime,
        choice_term,
        choice_beats_signals,
        unclassified,
        styles,
        services,
        cookies,
        sessions,
        catalogue_sessions,
        consent_tool: None,
        sources,
        categories: categories.list,
        language: language.into_tag(),
    };
    PolicyFile { parts, places }
}

/// A whole number, for visitors are told what is newer.
fn version(item: &Item<'_>) -> Option<u64> {
    let text = item.text()?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if text.replace('_', "") == digits {
        return item.integer(1..=u64::from(u32::MAX));
    }
    let example = if digits.is_empty() || digits.len() > 8 { "2" } else { digits.trim_start_matches('0') };
    let hint =
        format!("write a whole number that grows with each change, e.g. `{example}`; a day stands in `effective`");
    item.fail_with(format!("`{text}` is no version"), hint)
}

/// `choice:` as lifetime, `good_since` and `beats_signals`.
fn choice(s: &Section<'_>, version: u64) -> ((u64, Option<Term>), u64, bool) {
    let default = (CHOICE_LIFETIME, Some(Term::of([0, 0, 0, 180, 0, 0, 0])));
    let read = |s: &Section<'_>| {
        let lifetime = s.or("lifetime", default, |item| match item.lifetime()? {
            // Visitors are asked again rather early than late.
            Some(term) if term.seconds >= 86_400 => Some((item.parse(duration::parse)?.as_secs(), Some(term))),
            _ => item.fail("a choice must hold for a day at least"),
        });
        let good_since = s.or("good_since", 1, |item| match item.integer(1..=u64::from(u32::MAX))? {
            since if since <= version => Some(since),
            since => item.fail(format!("{since} is newer than the policy, whose version is {version}")),
        });
        (lifetime, good_since, s.or("beats_signals", false, Item::bool))
    };
    s.read("choice", |item| item.section(read)).unwrap_or((default, 1, false))
}

struct Reader<'p> {
    catalogue: &'p Catalogue,
    categories: &'p Categories,
    rules: &'p Rules,
    language: &'p Language,
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
            known.or_else(|| {
                let meant = did_you_mean(name, self.catalogue.services().iter().map(|entry| &*entry.id));
                let hint = match meant {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => "leave out `uses` for a service of your own".to_owned(),
                };
                item.fail_with(format!("the catalogue has no service `{name}`"), hint)
            })
        });
        let category = match s.get("category") {
            Some(item) => self.categories.id(&item),
            None => self.category_of(s, uses.map(|entry| &*entry.category)),
        };
        let or_known = |key, known: Option<&str>| s.read(key, Item::boxed).or_else(|| known.map(Into::into));
        let label = or_known("label", uses.map(|entry| &*entry.label)).unwrap_or_else(|| id.into());
        let (purpose, purposes) = self.language.optional(s, "purpose");
        let (privacy, privacy_by_region) = published::links(s, "privacy");
        let (opt_out, opt_out_by_region) = published::links(s, "opt_out");
        let service = Service {
            id: id.into(),
            label,
            vendor: or_known("vendor", uses.map(|entry| &*entry.vendor)).unwrap_or_default(),
            purpose: purpose.or_else(|| uses.map(|entry| entry.purpose.clone())).unwrap_or_default(),
            purposes,
            lifetime: s.read("lifetime", Item::lifetime).flatten(),
            legal_basis: s.read("legal_basis", |item| item.word(&LegalBasis::WORDS)),
            data: s.or("data", Vec::new(), |item| Some(item.one_or_many().iter().filter_map(Item::boxed).collect())),
            sharing: s.read("sharing", Item::boxed),
            domain: s.read("domain", Item::boxed),
            privacy: privacy.or_else(|| uses.and_then(|entry| entry.privacy.clone())),
            privacy_by_region,
            opt_out: opt_out.or_else(|| uses.and_then(|entry| entry.opt_out.clone())),
            opt_out_by_region,
            uses: uses.map(|entry| entry.id.clone()),
            cookies: s.get("cookies").map(|item| self.service_cookies(&item)).unwrap_or_default(),
            storage: s.get("storage").map(|item| self.rules.storage(&item)).unwrap_or_default(),
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
        self.rules.cookies(
            item,
            |text| self.categories.has(text),
            |_, s| s?.read("category", |item| self.categories.id(item)),
        )
    }

    /// `cookies:` of the policy itself, where each must name its category.
    fn cookies(&self, item: &Item<'_>) -> Vec<CookieRule> {
        self.rules.cookies(
            item,
            |text| self.categories.has(text),
            |item, s| match s {
                Some(s) => s.need("category", |item| self.categories.id(item)),
                None => {
                    let said = item.peek_text().filter(|text| lifetime::parse(text).is_ok()).unwrap_or("1 year");
                    let hint = format!("write `{}: {{ category: necessary, lifetime: {said} }}`", item.name());
                    item.fail_name("a cookie without a service needs a category", Some(hint))
                }
            },
        )
    }
}
