//! What a scan has found so far: pages, cookies and tags, and to whom the policy says they belong.

use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use crate::cookie::{SetCookie, UnixTime};
use crate::html::Contact;
use crate::policy::{CatalogueService, Classified, Finding, FindingKind, NamePattern, Policy, Rule, RuleId};

/// Cookies and tags kept each; a site that has more is playing with us.
const MOST: usize = 2000;

/// Everything that a scan has to tell.
#[derive(Debug)]
pub(super) struct Found<'p> {
    policy: &'p Policy,
    pub(super) pages: Vec<Visited>,
    /// What could not be read, and why.
    pub(super) problems: Vec<Problem>,
    pub(super) cookies: BTreeMap<Vec<u8>, Cookie<'p>>,
    pub(super) tags: BTreeMap<(String, String, Option<&'p str>), Tag<'p>>,
    /// Addresses that `robots.txt` asks to leave alone.
    pub(super) forbidden: usize,
}

/// A page that was read.
#[derive(Debug, Serialize)]
pub(super) struct Visited {
    pub(super) url: String,
    pub(super) status: u16,
}

/// A page that was not.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    pub(super) url: String,
    pub(super) what: String,
}

/// To whom something belongs; all `None` where nobody knows.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Owner<'p> {
    /// The catalogue's key.
    pub(super) service: Option<&'p str>,
    pub(super) category: Option<&'p str>,
    #[serde(skip)]
    pub(super) entry: Option<&'p CatalogueService>,
    /// The pattern that knows it, for cookies.
    #[serde(skip)]
    pub(super) pattern: Option<&'p NamePattern>,
    #[serde(skip)]
    pub(super) rule: Option<RuleId>,
}

/// A cookie that the server set.
#[derive(Debug, Serialize)]
pub(super) struct Cookie<'p> {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) owner: Owner<'p>,
    /// The longest seen, in seconds; 0 ends with the browser.
    pub(super) lifetime: u64,
    pub(super) http_only: bool,
    pub(super) secure: bool,
    pub(super) same_site: Option<&'static str>,
    /// What `Domain` says; `None` for one host alone.
    pub(super) domain: Option<String>,
    /// Browsers would not keep it as it was set.
    pub(super) refused: bool,
    /// The path of the page that set it first.
    pub(super) first_page: String,
}

/// An element or inline script.
#[derive(Debug, Serialize)]
pub(super) struct Tag<'p> {
    /// `None` for inline scripts.
    pub(super) host: Option<String>,
    pub(super) element: String,
    #[serde(flatten)]
    pub(super) owner: Owner<'p>,
    /// The path of the page that held it first.
    pub(super) first_page: String,
}

/// A cookie that a service sets by script, as far as the catalogue knows.
#[derive(Debug, Serialize)]
pub(super) struct Expected<'p> {
    pub(super) service: &'p str,
    pub(super) category: &'p str,
    /// In the words of the policy.
    pub(super) name: String,
    /// In seconds; `None` where nobody says.
    pub(super) lifetime: Option<u64>,
}

impl<'p> Found<'p> {
    /// Nothing yet. `policy` says who is who.
    pub(super) fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            pages: Vec::new(),
            problems: Vec::new(),
            cookies: BTreeMap::new(),
            tags: BTreeMap::new(),
            forbidden: 0,
        }
    }

    pub(super) fn problem(&mut self, url: &Url, what: impl Into<String>) {
        if self.problems.len() < MOST {
            self.problems.push(Problem { url: address(url), what: what.into() });
        }
    }

    /// A cookie of the answer to `url`; `kept` tells whether a browser keeps it.
    pub(super) fn cookie(&mut self, cookie: &SetCookie<'_>, url: &Url, kept: bool, now: UnixTime) {
        if cookie.name().is_empty() || cookie.deletes(now) {
            return;
        }
        let lifetime = cookie.lifetime(now).map_or(0, meant);
        if let Some(known) = self.cookies.get_mut(cookie.name()) {
            known.lifetime = known.lifetime.max(lifetime);
            known.http_only &= cookie.is_http_only();
            known.secure &= cookie.is_secure();
            known.refused &= !kept;
            return;
        }
        if self.cookies.len() == MOST {
            return;
        }
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found = Cookie {
            name: lossy(cookie.name()),
            owner: self.owner_of_cookie(cookie.name()),
            lifetime,
            http_only: cookie.is_http_only(),
            secure: cookie.is_secure(),
            same_site: cookie.same_site().map(|same_site| same_site.as_str()),
            domain: cookie.domain().map(lossy),
            refused: !kept,
            first_page: url.path().to_owned(),
        };
        self.cookies.insert(cookie.name().to_vec(), found);
    }

    /// Whom a page contacts. Unknown hosts of the site's own domain are its own business.
    pub(super) fn contact(&mut self, contact: &Contact, page: &Url) {
        let (Some(host), "http" | "https") = (contact.url.host_str(), contact.url.scheme()) else { return };
        let owner = self.policy.tag(&contact.url).map(|found| self.owner(found)).unwrap_or_default();
        if owner.category.is_some() || !is_same_site(&contact.url, page) {
            self.tag(Some(host.to_owned()), contact.element.clone().into(), owner, page);
        }
    }

    /// An inline script that was recognised.
    pub(super) fn snippet(&mut self, finding: &Finding, page: &Url) {
        let (FindingKind::Snippet, Some(owner), Some(rule)) = (finding.kind, finding.owner, finding.rule) else {
            return;
        };
        let owner = self.owner(Classified { owner, lifetime: None, rule });
        self.tag(None, "script".into(), owner, page);
    }

    fn tag(&mut self, host: Option<String>, element: String, owner: Owner<'p>, page: &Url) {
        let key = (host.clone().unwrap_or_default(), element.clone(), owner.service);
        if self.tags.len() < MOST {
            let first_page = page.path().to_owned();
            self.tags.entry(key).or_insert(Tag { host, element, owner, first_page });
        }
    }

    /// What the services found set by script, beside what was seen.
    pub(super) fn expected(&self) -> Vec<Expected<'p>> {
        let mut services: Vec<&CatalogueService> = self.services().into_iter().map(|(service, _)| service).collect();
        services.retain(|service| self.tags.values().any(|tag| tag.owner.service == Some(&service.id)));
        let seen = |rule| self.cookies.values().any(|cookie| cookie.owner.rule == Some(rule));
        let all = services.into_iter().flat_map(|service| {
            service.cookies.iter().filter(|cookie| !seen(cookie.rule)).map(|cookie| Expected {
                service: &service.id,
                category: &service.category,
                name: cookie.pattern.to_string(),
                lifetime: cookie.lifetime.map(|term| term.seconds),
            })
        });
        all.collect()
    }

    /// The services of the catalogue that were found, in the order of their keys, and where first.
    pub(super) fn services(&self) -> Vec<(&'p CatalogueService, &str)> {
        let tags = self.tags.values().map(|tag| (tag.owner, &*tag.first_page));
        let cookies = self.cookies.values().map(|cookie| (cookie.owner, &*cookie.first_page));
        let mut services: Vec<_> = tags.chain(cookies).filter_map(|(owner, page)| Some((owner.entry?, page))).collect();
        services.sort_by_key(|(service, _)| &*service.id);
        services.dedup_by_key(|(service, _)| &*service.id);
        services
    }

    fn owner_of_cookie(&self, name: &[u8]) -> Owner<'p> {
        let Some(found) = self.policy.cookie(name) else { return Owner::default() };
        let mut owner = self.owner(found);
        if let Rule::Catalogue(rule) = found.rule {
            let of_service = owner.entry.and_then(|entry| entry.cookies.iter().find(|cookie| cookie.rule == rule));
            let sessions = &self.policy.catalogue().parts().sessions;
            let session = || sessions.iter().find(|session| session.rule == rule).map(|session| &session.pattern);
            owner.pattern = of_service.map(|cookie| &cookie.pattern).or_else(session);
        }
        owner
    }

    fn owner(&self, found: Classified) -> Owner<'p> {
        let category = Some(&*self.policy.category(found.owner.category).id);
        let Rule::Catalogue(rule) = found.rule else { return Owner { category, ..Owner::default() } };
        let entry = self.policy.catalogue().service_of(rule);
        Owner { service: entry.map(|entry| &*entry.id), category, entry, pattern: None, rule: Some(rule) }
    }
}

/// What a site means by a lifetime: an `Expires` is a moment old when it arrives, and may have begun before.
fn meant(seconds: u64) -> u64 {
    const DAY: u64 = 86_400;
    // For ever; no browser keeps anything for so long.
    let seconds = seconds.min(100 * 365 * DAY);
    let unit = match seconds {
        0..=120 => 1,
        _ if seconds.is_multiple_of(3_600) => 1,
        _ if seconds > 2 * DAY => DAY,
        7_201.. if !seconds.is_multiple_of(60) => 3_600,
        _ => 60,
    };
    seconds.div_ceil(unit) * unit
}

/// Without query and fragment, which may hold personal data, and without credentials.
fn address(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.into()
}

impl Visited {
    pub(super) fn new(url: &Url, status: u16) -> Self {
        Self { url: address(url), status }
    }
}

/// Whether both are of one registrable domain.
fn is_same_site(url: &Url, page: &Url) -> bool {
    let (Some(host), Some(own)) = (url.host_str(), page.host_str()) else { return false };
    let domain = |host| psl::domain_str(host);
    host == own || (url.domain().is_some() && domain(host).is_some() && domain(host) == domain(own))
}
