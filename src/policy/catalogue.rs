//! The built-in knowledge of services, cookies and session stacks, shared by all sites.
//!
//! It knows no policy: to which category of a site a service belongs is for [`super::Policy`] to say.

use std::collections::HashMap;

use url::Url;

use super::model::{CookieRule, Hardening, RuleId, RuleSource, SessionRule, SnippetRule, StorageRule, TagRule};
use super::snippets::SnippetIndex;
use super::{NameIndex, UrlIndex};

/// A service of the built-in catalogue. Its category is a word that each policy maps to its own.
#[derive(Debug, Clone)]
pub struct CatalogueService {
    /// The key under which `uses:` finds it.
    pub id: Box<str>,
    /// What visitors read.
    pub label: Box<str>,
    /// The company behind it.
    pub vendor: Box<str>,
    /// Our one-sentence description.
    pub purpose: Box<str>,
    /// `necessary`, `functional`, `analytics` or `marketing`.
    pub category: Box<str>,
    /// The vendor's number in the IAB's Global Vendor List, without whose consent a TC string grants none of it.
    pub iab_vendor: Option<u16>,
    /// The vendor's privacy policy.
    pub privacy: Option<Box<str>>,
    /// Where the vendor lets one opt out.
    pub opt_out: Option<Box<str>>,
    /// Names of cookies that it sets (their `category` is unused).
    pub cookies: Vec<CookieRule>,
    /// Names of localStorage and sessionStorage keys.
    pub storage: Vec<StorageRule>,
    /// Hosts and paths that it is loaded from or reports to.
    pub tags: Vec<TagRule>,
    /// Text by which its inline snippets are known.
    pub snippets: Vec<SnippetRule>,
}

/// Everything that the built-in catalogue says.
#[derive(Debug, Clone, Default)]
pub struct CatalogueParts {
    /// In the order of the files.
    pub services: Vec<CatalogueService>,
    /// Session, CSRF, load-balancer and SSO cookies of legacy stacks, with the hardening that each bears.
    pub sessions: Vec<SessionRule>,
    /// `RuleId` is an index into this.
    pub sources: Vec<RuleSource>,
}

/// Compiled once a process; policies look here for what they do not say themselves.
#[derive(Debug)]
pub struct Catalogue {
    parts: CatalogueParts,
    ids: HashMap<Box<str>, usize>,
    pub(super) cookies: NameIndex<Entry>,
    pub(super) storage: NameIndex<Entry>,
    pub(super) tags: UrlIndex<Entry>,
    pub(super) snippets: SnippetIndex<Entry>,
    pub(super) sessions: NameIndex<(Option<Hardening>, RuleId)>,
    /// The service of each rule, by its number; `None` for those of sessions.
    owners: Box<[Option<u32>]>,
}

/// What an index leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Index into [`Catalogue::services`].
    pub(super) service: usize,
    pub(super) rule: RuleId,
}

impl Catalogue {
    /// Builds the indices. The first of two equal patterns counts, in the order of `parts`.
    pub fn compile(parts: CatalogueParts) -> Self {
        let services = || parts.services.iter().enumerate();
        let mut ids = HashMap::new();
        for (service, entry) in services() {
            ids.entry(entry.id.clone()).or_insert(service);
        }
        let cookies = NameIndex::new(services().flat_map(|(service, entry)| {
            entry.cookies.iter().map(move |c| (c.pattern.clone(), Entry { service, rule: c.rule }))
        }));
        let storage = NameIndex::new(services().flat_map(|(service, entry)| {
            entry.storage.iter().map(move |s| (s.pattern.clone(), Entry { service, rule: s.rule }))
        }));
        let tags = UrlIndex::new(services().flat_map(|(service, entry)| {
            entry.tags.iter().map(move |t| (t.pattern.clone(), Entry { service, rule: t.rule }))
        }));
        let snippets = SnippetIndex::new(services().flat_map(|(service, entry)| {
            entry.snippets.iter().map(move |s| (&*s.text, Entry { service, rule: s.rule }))
        }));
        let sessions = NameIndex::new(parts.sessions.iter().map(|s| (s.pattern.clone(), (s.hardening, s.rule))));
        let owners = owners(&parts);
        Self { ids, cookies, storage, tags, snippets, sessions, owners, parts }
    }

    /// The entry that `uses:` names.
    pub fn service(&self, id: &str) -> Option<&CatalogueService> {
        self.services().get(self.position(id)?)
    }

    /// All entries, in the order of the files.
    pub fn services(&self) -> &[CatalogueService] {
        &self.parts.services
    }

    /// What the catalogue was made from.
    pub fn parts(&self) -> &CatalogueParts {
        &self.parts
    }

    /// The service that sets a cookie of this name.
    pub fn cookie(&self, name: &[u8]) -> Option<(&CatalogueService, RuleId)> {
        self.cookies.find(name).map(|entry| (&self.parts.services[entry.service], entry.rule))
    }

    /// The service that stores something under this key in browsers.
    pub fn stored(&self, key: &str) -> Option<(&CatalogueService, RuleId)> {
        self.storage.find(key.as_bytes()).map(|entry| (&self.parts.services[entry.service], entry.rule))
    }

    /// The service that a URL leads to.
    pub fn tag(&self, url: &Url) -> Option<(&CatalogueService, RuleId)> {
        self.tags.find(url).map(|entry| (&self.parts.services[entry.service], entry.rule))
    }

    /// How a session cookie of a known stack is hardened; `None` inside: a known one that must stay as it is.
    pub fn session(&self, name: &[u8]) -> Option<(Option<Hardening>, RuleId)> {
        self.sessions.find(name).copied()
    }

    /// Where a rule of the catalogue is written.
    pub fn source(&self, rule: RuleId) -> &RuleSource {
        &self.parts.sources[rule.0 as usize]
    }

    /// The service whose cookie, host or signature this rule is; none for session cookies.
    pub fn service_of(&self, rule: RuleId) -> Option<&CatalogueService> {
        let owner = (*self.owners.get(rule.0 as usize)?)?;
        self.services().get(owner as usize)
    }

    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// Whether the service of this entry is one that sites work by.
    pub(super) fn is_necessary(&self, entry: &Entry) -> bool {
        &*self.parts.services[entry.service].category == "necessary"
    }
}

fn owners(parts: &CatalogueParts) -> Box<[Option<u32>]> {
    let mut owners = vec![None; parts.sources.len()];
    for (at, service) in (0..).zip(&parts.services) {
        let cookies = service.cookies.iter().map(|cookie| cookie.rule);
        let storage = service.storage.iter().map(|key| key.rule);
        let tags = service.tags.iter().map(|tag| tag.rule);
        let snippets = service.snippets.iter().map(|snippet| snippet.rule);
        for rule in cookies.chain(storage).chain(tags).chain(snippets) {
            if let Some(owner) = owners.get_mut(rule.0 as usize) {
                owner.get_or_insert(at);
            }
        }
    }
    owners.into()
}
