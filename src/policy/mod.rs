//! The compiled policy: what a cookie name, a URL or a snippet belongs to, and which rule says so.
//!
//! Pure: no sockets, files or clocks. The site's own rules come first, the built-in catalogue second.

mod catalogue;
mod countries;
mod finding;
mod fingerprint;
mod grant;
mod hosts;
mod lints;
mod loader;
mod model;
mod named;
mod names;
mod owners;
mod published;
mod region;
mod snippets;
mod standing;
mod tables;
mod term;
mod url;
mod verdict;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ::url::Url;

pub use self::url::resolve;
pub use catalogue::{Catalogue, CatalogueParts, CatalogueService};
pub use countries::{Countries, CountriesError};
pub use finding::{Finding, FindingAction, FindingKind, Sighting, Witness};
pub use grant::Grant;
pub use hosts::{HostPattern, UrlIndex};
pub use lints::Lint;
pub use model::*;
use named::Named;
pub use names::{NameIndex, NamePattern, PatternError};
use owners::{Adopted, Owned, adopt, category_id};
pub use published::{Change, LegalBasis, RegionalLink, Translation, link_for, translated};
pub use region::{Country, Region, RegionError};
pub use snippets::{Script, SnippetIndex};
use standing::Standing;
pub use tables::{Tables, vendor_word};
pub use term::{Term, Unit};
pub use verdict::{Action, Verdict};

/// A site's policy, compiled: cookies and URLs are looked up without allocating, unless their name is escaped.
#[derive(Debug)]
pub struct Policy {
    parts: PolicyParts,
    catalogue: Arc<Catalogue>,
    cookies: NameIndex<Classified>,
    storage: NameIndex<Classified>,
    tags: UrlIndex<Classified>,
    snippets: SnippetIndex<Classified>,
    sessions: NameIndex<(Option<Hardening>, RuleId)>,
    /// Cookies of the site's consent tool.
    kept: NameIndex<RuleId>,
    /// For each service of the catalogue what it is to this site; `None` where no category takes it in.
    adopted: Vec<Option<Adopted>>,
    /// The site's consent tool in the catalogue.
    tool: Option<usize>,
    /// What session cookies belong to.
    required: Option<CategoryId>,
    /// Whether any session cookie gets the `__Host-` prefix.
    renames: bool,
    fingerprint: (u64, [u8; 32]),
}

/// To whom a cookie, tag or snippet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The category that must be granted.
    pub category: CategoryId,
    /// The declared service, where there is one; its own answer wins over the category's. A cookie that a service
    /// lists under a `required` category has none, for it is never asked about.
    pub service: Option<ServiceId>,
}

/// Where a rule stands: in the site's policy or in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Of the site's own policy.
    Site(RuleId),
    /// Of the built-in catalogue.
    Catalogue(RuleId),
}

/// What the policy knows of a cookie, tag or snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// To whom it belongs.
    pub owner: Owner,
    /// For cookies: the longest lifetime that the policy declares, in seconds; 0 is a session cookie.
    pub lifetime: Option<u64>,
    /// Which rule says so.
    pub rule: Rule,
}

impl Policy {
    /// Builds the indices. `parts` was checked by `config`: ids point into their tables.
    pub fn compile(parts: PolicyParts, catalogue: Arc<Catalogue>) -> Self {
        let owned = Owned::of(&parts);
        let mut sessions = parts.sessions.iter().chain(&catalogue.parts().sessions);
        Self {
            renames: sessions.any(|session| session.hardening.is_some_and(|hardening| hardening.host_prefix)),
            cookies: NameIndex::new(owned.cookies),
            storage: NameIndex::new(owned.storage),
            tags: UrlIndex::new(owned.tags),
            snippets: SnippetIndex::new(owned.snippets),
            sessions: NameIndex::new(parts.sessions.iter().map(|s| (s.pattern.clone(), (s.hardening, s.rule)))),
            kept: NameIndex::new(
                parts.consent_tool.iter().flat_map(|tool| tool.cookies.iter().map(|name| (name.clone(), tool.rule))),
            ),
            adopted: catalogue.services().iter().map(|service| adopt(&parts, service)).collect(),
            tool: parts.consent_tool.as_ref().and_then(|tool| catalogue.position(tool.service.as_deref()?)),
            required: parts.categories.iter().position(|category| category.required).map(category_id),
            fingerprint: fingerprint::fingerprint(&parts, &catalogue),
            parts,
            catalogue,
        }
    }

    /// What the policy was made from.
    pub fn parts(&self) -> &PolicyParts {
        &self.parts
    }

    /// The same policy on a site that runs a consent tool, named at `source`: its cookies and tags always pass.
    /// With `vendors`, its records answer for single vendors of the IAB.
    pub fn with_consent_tool(
        &self,
        cookies: Vec<NamePattern>,
        service: Option<&str>,
        vendors: bool,
        source: RuleSource,
    ) -> Self {
        let mut parts = self.parts.clone();
        let rule = RuleId(u32::try_from(parts.sources.len()).unwrap_or(u32::MAX));
        parts.sources.push(source);
        parts.consent_tool = Some(ConsentTool { cookies, service: service.map(Into::into), vendors, rule });
        Self::compile(parts, self.catalogue.clone())
    }

    /// Whether any session cookie gets the `__Host-` prefix, so that requests may hold its other name.
    pub fn renames(&self) -> bool {
        self.renames
    }

    /// The catalogue that it was compiled with.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// To whom a cookie of this name belongs; `None` if neither policy nor catalogue knows it, or the catalogue
    /// knows it and no category of the policy takes it in ([`Policy::judge_cookie`] tells these apart).
    ///
    /// The site's lists come first (cookies, then sessions), then the catalogue's. Session cookies belong to the
    /// first `required` category.
    pub fn cookie(&self, name: &[u8]) -> Option<Classified> {
        Named::look(self, name).standing(self).classified()
    }

    /// How a cookie of this name is hardened, if it is a session cookie: the site's list says so; else the
    /// catalogue's, if the policy uses it and does not itself put the cookie into a category that visitors choose.
    pub fn session(&self, name: &[u8]) -> Option<(Hardening, Rule)> {
        Named::look(self, name).hardening(self)
    }

    /// To whom a URL belongs that the page makes the browser fetch; `None` as for cookies.
    pub fn tag(&self, url: &Url) -> Option<Classified> {
        self.tag_standing(url).classified()
    }

    /// To whom an inline snippet belongs: by its longest signature, the site's before the catalogue's, else by
    /// the first URL that it loads. A script may hold more than one: [`Policy::judge_snippet`] weighs them all.
    pub fn snippet(&self, text: &str) -> Option<Classified> {
        let script = Script::new(text);
        let mut best: Option<((bool, usize), Classified)> = None;
        let mut first_loaded = None;
        self.each_snippet(&script, |standing, span, site| {
            let Some(found) = standing.classified() else { return };
            match span {
                Some(span) if best.is_none_or(|(key, _)| (site, span.len()) > key) => {
                    best = Some(((site, span.len()), found))
                }
                Some(_) => {}
                None => first_loaded = first_loaded.or(Some(found)),
            }
        });
        best.map(|(_, found)| found).or(first_loaded)
    }

    /// Where a rule is written.
    pub fn source(&self, rule: Rule) -> &RuleSource {
        match rule {
            Rule::Site(rule) => &self.parts.sources[rule.0 as usize],
            Rule::Catalogue(rule) => self.catalogue.source(rule),
        }
    }

    /// Whether what this rule speaks of is the site's consent tool's own.
    pub fn is_of_consent_tool(&self, rule: Rule) -> bool {
        let tool = self.parts.consent_tool.as_ref();
        tool.is_some_and(|tool| match rule {
            Rule::Site(rule) => rule == tool.rule,
            Rule::Catalogue(rule) => {
                self.catalogue.service_of(rule).is_some_and(|known| tool.service.as_deref() == Some(&*known.id))
            }
        })
    }

    /// A category of this policy.
    pub fn category(&self, id: CategoryId) -> &Category {
        &self.parts.categories[usize::from(id.0)]
    }

    /// How long cookies of a category live at most, in seconds.
    fn cap(&self, id: CategoryId) -> Option<u64> {
        self.category(id).lifetime.map(|term| term.seconds)
    }

    /// A service of this policy.
    pub fn service(&self, id: ServiceId) -> &Service {
        &self.parts.services[usize::from(id.0)]
    }

    /// The category with this key.
    pub fn category_named(&self, key: &str) -> Option<CategoryId> {
        self.parts.categories.iter().position(|category| &*category.id == key).map(category_id)
    }

    /// The service with this key.
    pub fn service_named(&self, key: &str) -> Option<ServiceId> {
        (0..).map(ServiceId).zip(&self.parts.services).find(|(_, service)| &*service.id == key).map(|(id, _)| id)
    }

    /// Whether under this grant no tag or snippet could be refused, so that a page need not be read.
    pub fn grants_everything(&self, grant: &Grant) -> bool {
        self.adopted.iter().all(Option::is_some) && grant.covers(self.parts.categories.len())
    }

    /// A hash of all that a response depends on, for validators: equal in every process, but no promise over
    /// releases, for the catalogue is part of it. Choices are kept by [`PolicyParts::version`] instead.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint.0
    }

    /// SHA-256 of the same, for records: whoever has policy and release can show what a visitor was asked about.
    pub fn digest(&self) -> [u8; 32] {
        self.fingerprint.1
    }

    /// The vendors of the IAB for whom the site's consent tool may answer, sorted: those whom the catalogue knows.
    pub fn vendors(&self) -> Vec<u16> {
        let asked = self.parts.consent_tool.as_ref().is_some_and(|tool| tool.vendors);
        let services = self.catalogue.services().iter().filter(|_| asked);
        let mut vendors: Vec<_> = services.filter_map(|service| service.iab_vendor).collect();
        vendors.sort_unstable();
        vendors.dedup();
        vendors
    }

    /// The vendor whose consent this takes beside that of its category, where the site's consent tool answers for it.
    pub fn vendor_of(&self, found: &Classified) -> Option<u16> {
        let Rule::Catalogue(rule) = found.rule else { return None };
        let asked = self.parts.consent_tool.as_ref().is_some_and(|tool| tool.vendors);
        let service = self.catalogue.service_of(rule).filter(|_| asked && !self.is_required(found.owner.category))?;
        service.iab_vendor
    }

    fn is_required(&self, category: CategoryId) -> bool {
        self.category(category).required
    }
}
