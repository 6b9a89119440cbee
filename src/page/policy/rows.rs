//! The lists of the published policy: categories, their services, and the cookies of each.
//!
//! A cookie stands in the category that decides on it, so that a service may stand in two.

use serde::Serialize;

use crate::page::texts::Texts;
use crate::page::{category, web_address};
use crate::policy::{
    CategoryId, CookieRule, Country, LegalBasis, NamePattern, Policy, Region, RegionalLink, Rule, Service, Term,
    translated,
};

/// A category as its readers see it.
#[derive(Debug, Clone, Serialize)]
pub struct CategoryRow<'a> {
    /// The key in the policy.
    pub id: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// Why the site wants it.
    pub purpose: &'a str,
    /// What no longer works without it.
    pub warning: Option<&'a str>,
    /// Never asked, always on.
    pub required: bool,
    /// `Sec-GPC: 1` refuses it.
    pub gpc: bool,
    /// `DNT: 1` refuses it.
    pub dnt: bool,
    /// No cookie of it lives longer.
    pub lifetime: Option<Lifetime>,
    /// Where one opts out of all that is in it, for everybody and for single regions.
    pub opt_out: Vec<LinkRow<'a>>,
    /// What it allows, service by service.
    pub services: Vec<ServiceRow<'a>>,
    /// Cookies of the site itself.
    pub cookies: Vec<CookieRow<'a>>,
}

/// A service, with those of its cookies that this category decides on.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceRow<'a> {
    /// The key in the policy.
    pub id: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// The company behind it; empty where it is the site itself.
    pub vendor: &'a str,
    /// What the site uses it for.
    pub purpose: &'a str,
    /// On what ground of Article 6 GDPR it works.
    pub legal_basis: Option<&'a str>,
    /// What it learns.
    pub data: Vec<&'a str>,
    /// To whom its vendor passes that on.
    pub sharing: Option<&'a str>,
    /// On whose domain its cookies are.
    pub domain: Option<&'a str>,
    /// The vendor's privacy policy.
    pub privacy: Vec<LinkRow<'a>>,
    /// Where the vendor lets one opt out.
    pub opt_out: Vec<LinkRow<'a>>,
    /// What it sets, the policy's own lines first.
    pub cookies: Vec<CookieRow<'a>>,
    /// Keys of localStorage and sessionStorage.
    pub storage: Vec<String>,
}

/// A link, for everybody or for one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkRow<'a> {
    /// For whom; `None` is everybody.
    pub region: Option<String>,
    /// An http or https URL.
    pub url: &'a str,
}

/// A cookie, or all whose names fit a pattern.
#[derive(Debug, Clone, Serialize)]
pub struct CookieRow<'a> {
    /// In the words of the policy.
    pub name: String,
    /// How to read the name.
    pub kind: PatternKind,
    /// How long it lives; `None` where nobody says.
    pub lifetime: Option<Lifetime>,
    /// The built-in catalogue says so, not the policy itself.
    pub catalogue: bool,
    #[serde(skip)]
    pattern: &'a NamePattern,
}

/// How a name is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PatternKind {
    /// As it is.
    Exact,
    /// More may follow; the `*` is not part of it.
    Prefix,
    /// A regular expression.
    Regex,
}

/// How long something lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lifetime {
    /// 0 is a session cookie.
    pub seconds: u64,
    /// The same in words.
    pub words: String,
}

impl Lifetime {
    /// In the language of the texts; of 0 seconds what ends with the browser.
    pub fn of(term: Term, texts: &Texts) -> Self {
        Self { seconds: term.seconds, words: texts.term(term) }
    }
}

/// All categories in the order of the policy.
pub(in crate::page) fn categories<'a>(
    policy: &'a Policy,
    texts: &'a Texts,
    language: &str,
    country: Option<Country>,
) -> Vec<CategoryRow<'a>> {
    let parts = policy.parts();
    let required = parts.categories.iter().position(|category| category.required);
    let rows = parts.categories.iter().zip(0_u8..).map(|(category, index)| {
        let id = CategoryId(index);
        let mut cookies: Vec<_> = parts
            .cookies
            .iter()
            .filter(|rule| rule.category == Some(id))
            .map(|rule| row(texts, &rule.pattern, rule.lifetime, category.lifetime, false))
            .collect();
        if required == Some(usize::from(index)) {
            // What belongs to no service and no line of its own is the site's session.
            let listed = |pattern: &NamePattern| {
                let all = parts.services.iter().flat_map(|service| &service.cookies).chain(&parts.cookies);
                all.into_iter().any(|rule| rule.pattern.to_string() == pattern.to_string())
            };
            let sessions = parts.sessions.iter().filter(|rule| !listed(&rule.pattern));
            cookies.extend(sessions.map(|rule| row(texts, &rule.pattern, None, category.lifetime, false)));
        }
        CategoryRow {
            id: &category.id,
            label: category::label(category, texts, language),
            purpose: category::purpose(category, texts, language),
            warning: category.warning.as_deref().map(|text| translated(text, &category.warnings, language)),
            required: category.required,
            gpc: category.gpc,
            dnt: category.dnt,
            lifetime: category.lifetime.map(|term| Lifetime::of(term, texts)),
            opt_out: links(category.opt_out.as_deref(), &category.opt_out_by_region, country),
            services: parts.services.iter().filter_map(|s| service(policy, s, id, texts, language, country)).collect(),
            cookies,
        }
    });
    rows.collect()
}

/// The service as far as it belongs to this category.
fn service<'a>(
    policy: &'a Policy,
    service: &'a Service,
    id: CategoryId,
    texts: &'a Texts,
    language: &str,
    country: Option<Country>,
) -> Option<ServiceRow<'a>> {
    let here = |rule: &&CookieRule| rule.category.unwrap_or(service.category) == id;
    let mut own = service.cookies.iter().filter(here).peekable();
    let home = service.category == id;
    if !home && own.peek().is_none() {
        return None;
    }
    let cap = policy.category(id).lifetime;
    let mut cookies: Vec<_> =
        own.map(|rule| row(texts, &rule.pattern, rule.lifetime.or(service.lifetime), cap, false)).collect();
    let known = service.uses.as_deref().filter(|_| home).and_then(|uses| policy.catalogue().service(uses));
    let limit = shorter(cap, service.lifetime);
    let added = known.iter().flat_map(|known| &known.cookies).filter(|rule| adds(policy, rule));
    cookies.extend(added.map(|rule| row(texts, &rule.pattern, rule.lifetime, limit, true)));
    let stored = known.iter().flat_map(|known| &known.storage);
    let mut storage: Vec<String> =
        service.storage.iter().filter(|_| home).chain(stored).map(|key| key.pattern.to_string()).collect();
    storage.sort();
    storage.dedup();
    Some(ServiceRow {
        id: &service.id,
        label: &service.label,
        vendor: &service.vendor,
        purpose: translated(&service.purpose, &service.purposes, language),
        legal_basis: service.legal_basis.map(|basis| legal_basis(texts, basis)),
        data: service.data.iter().map(|data| &**data).collect(),
        sharing: service.sharing.as_deref(),
        domain: service.domain.as_deref(),
        privacy: links(service.privacy.as_deref(), &service.privacy_by_region, country),
        opt_out: links(service.opt_out.as_deref(), &service.opt_out_by_region, country),
        cookies,
        storage,
    })
}

/// Whether the catalogue's line decides on anything: lines of the policy stand before it.
fn adds(policy: &Policy, rule: &CookieRule) -> bool {
    let name = match &rule.pattern {
        NamePattern::Exact(name) => name.to_string(),
        NamePattern::Prefix(start) => format!("{start}1"),
        NamePattern::Regex(_) => return true,
    };
    !policy.cookie(name.as_bytes()).is_some_and(|found| matches!(found.rule, Rule::Site(_)))
}

fn row<'a>(
    texts: &Texts,
    pattern: &'a NamePattern,
    lifetime: Option<Term>,
    cap: Option<Term>,
    catalogue: bool,
) -> CookieRow<'a> {
    let kind = match pattern {
        NamePattern::Exact(_) => PatternKind::Exact,
        NamePattern::Prefix(_) => PatternKind::Prefix,
        NamePattern::Regex(_) => PatternKind::Regex,
    };
    let lifetime = shorter(lifetime, cap).map(|term| Lifetime::of(term, texts));
    CookieRow { name: pattern.to_string(), kind, lifetime, catalogue, pattern }
}

/// The first of two that are as long: a cookie's own line before what holds for all.
fn shorter(a: Option<Term>, b: Option<Term>) -> Option<Term> {
    a.into_iter().chain(b).min_by_key(|term| term.seconds)
}

impl CookieRow<'_> {
    /// Without the `*` of a prefix, which the page shows apart.
    pub(in crate::page) fn shown(&self) -> &str {
        match self.pattern {
            NamePattern::Exact(text) | NamePattern::Prefix(text) => text,
            NamePattern::Regex(_) => &self.name,
        }
    }

    pub(in crate::page) fn is_prefix(&self) -> bool {
        self.kind == PatternKind::Prefix
    }

    pub(in crate::page) fn is_regex(&self) -> bool {
        self.kind == PatternKind::Regex
    }
}

/// For everybody and for single regions; only the one that holds for a reader whose country is known, if there is one.
fn links<'a>(all: Option<&'a str>, regional: &'a [RegionalLink], country: Option<Country>) -> Vec<LinkRow<'a>> {
    let all = all.into_iter().map(|url| (None, url));
    let regional = regional.iter().map(|link| (Some(link.region), &*link.url));
    let links: Vec<_> = all.chain(regional).filter(|(_, url)| web_address(Some(url)).is_some()).collect();
    let row = |(region, url): &(Option<Region>, &'a str)| LinkRow { region: region.map(|r| r.to_string()), url };
    if let Some(country) = country {
        let here = links.iter().find(|(region, _)| region.is_some_and(|region| region.has(country)));
        if let Some(link) = here.or_else(|| links.iter().find(|(region, _)| region.is_none())) {
            return vec![row(link)];
        }
    }
    links.iter().map(row).collect()
}

fn legal_basis(texts: &Texts, basis: LegalBasis) -> &str {
    match basis {
        LegalBasis::Consent => &texts.basis_consent,
        LegalBasis::Contract => &texts.basis_contract,
        LegalBasis::LegalObligation => &texts.basis_legal_obligation,
        LegalBasis::VitalInterests => &texts.basis_vital_interests,
        LegalBasis::PublicTask => &texts.basis_public_task,
        LegalBasis::LegitimateInterests => &texts.basis_legitimate_interests,
    }
}
