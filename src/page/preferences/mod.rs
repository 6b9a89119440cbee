//! The plain page at `{prefix}`: what the site may use, and the form that changes it. No JavaScript.

mod ticks;

use crate::policy::{
    Category, CategoryId, CookieRule, Grant, NamePattern, Owner, Policy, PolicyParts, Service, ServiceId,
};

use super::{duration, path::local_path, web_address};

pub use ticks::{Ticks, Unknown};

/// Everything that the page shows.
#[derive(Debug, Clone, askama::Template)]
#[template(path = "preferences.html")]
pub struct Preferences<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// In the order of the policy.
    pub categories: Vec<CategoryRow<'a>>,
    /// Where the form leads back to: always a path of the same site.
    pub return_to: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// The browser sends `Sec-GPC: 1` and the policy honours it somewhere.
    pub gpc: bool,
    /// When the visitor last chose, in words.
    pub chosen_at: Option<&'a str>,
}

/// What the request says, beside its grant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visit<'a> {
    /// The page to go back to, as received; a foreign one becomes `/`.
    pub return_to: &'a str,
    /// The browser sends `Sec-GPC: 1`.
    pub gpc: bool,
    /// When the visitor last chose, in words.
    pub chosen_at: Option<&'a str>,
}

/// A category as the visitor sees it.
#[derive(Debug, Clone)]
pub struct CategoryRow<'a> {
    /// The key in the policy.
    pub id: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// Why the site wants it.
    pub purpose: &'a str,
    /// Always on; shown locked.
    pub required: bool,
    /// Granted now.
    pub granted: bool,
    /// Refused by the browser's signal, whatever the visitor ticks; shown locked.
    pub refused_by_signal: bool,
    /// The services in it.
    pub services: Vec<ServiceRow<'a>>,
    /// Cookies of it that belong to no service.
    pub cookies: Vec<CookieRow<'a>>,
}

/// A service as the visitor sees it.
#[derive(Debug, Clone)]
pub struct ServiceRow<'a> {
    /// The key in the policy.
    pub id: &'a str,
    /// What it is called.
    pub label: &'a str,
    /// The company behind it; empty where it is the site itself.
    pub vendor: &'a str,
    /// What the site uses it for.
    pub purpose: &'a str,
    /// Granted now.
    pub granted: bool,
    /// The vendor's privacy policy, an http or https URL.
    pub privacy: Option<&'a str>,
    /// Where the vendor lets one opt out, an http or https URL.
    pub opt_out: Option<&'a str>,
    /// What it sets.
    pub cookies: Vec<CookieRow<'a>>,
}

/// A cookie as the visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieRow<'a> {
    /// Its name, or the start of its name.
    pub name: &'a str,
    /// More may follow the name.
    pub prefix: bool,
    /// How long it lives, in words; empty where the policy does not say.
    pub lifetime: String,
}

impl<'a> Preferences<'a> {
    /// Lays a policy and what holds now out as rows.
    pub fn new(policy: &'a Policy, grant: &Grant, site: &'a str, prefix: &'a str, visit: Visit<'a>) -> Self {
        let parts = policy.parts();
        let locked = visit.gpc && !parts.choice_beats_signals;
        let categories = (0_u8..).zip(&parts.categories).map(|(index, category)| {
            let id = CategoryId(index);
            CategoryRow::new(policy, category, id, grant, locked && category.gpc)
        });
        Self {
            site,
            categories: categories.collect(),
            return_to: local_path(visit.return_to),
            prefix,
            gpc: visit.gpc && parts.categories.iter().any(|category| category.gpc && !category.required),
            chosen_at: visit.chosen_at,
        }
    }

    /// Whether a signal keeps something off that the visitor cannot tick here.
    fn signal_holds(&self) -> bool {
        self.categories.iter().any(|category| category.refused_by_signal)
    }

    /// The page as HTML.
    pub fn render(&self) -> String {
        super::render(self)
    }
}

impl<'a> CategoryRow<'a> {
    fn new(policy: &'a Policy, category: &'a Category, id: CategoryId, grant: &Grant, refused_by_signal: bool) -> Self {
        let PolicyParts { services, cookies, .. } = policy.parts();
        let services = (0_u16..).zip(services).filter(|(_, service)| service.category == id);
        Self {
            id: &category.id,
            label: &category.label,
            purpose: &category.purpose,
            required: category.required,
            granted: grant.has_category(id),
            refused_by_signal: refused_by_signal && !category.required,
            services: services
                .map(|(index, service)| {
                    let owner = Owner { category: id, service: Some(ServiceId(index)) };
                    ServiceRow::new(policy, service, grant.allows(owner))
                })
                .collect(),
            cookies: cookies.iter().filter(|rule| rule.category == Some(id)).map(|rule| cookie(rule, None)).collect(),
        }
    }

    /// Shown locked: the visitor's tick would change nothing.
    fn locked(&self) -> bool {
        self.required || self.refused_by_signal
    }

    fn ticked(&self) -> bool {
        self.required || (self.granted && !self.refused_by_signal)
    }

    fn service_ticked(&self, service: &ServiceRow<'_>) -> bool {
        self.required || (service.granted && !self.refused_by_signal)
    }

    /// Opened where a service differs from its category, for else the tick above it would tell half the truth.
    fn open(&self) -> bool {
        !self.locked() && self.services.iter().any(|service| service.granted != self.granted)
    }
}

impl<'a> ServiceRow<'a> {
    fn new(policy: &'a Policy, service: &'a Service, granted: bool) -> Self {
        // A service that is taken from the catalogue brings the cookies that the policy does not speak of itself.
        let known = service.uses.as_deref().and_then(|uses| policy.catalogue().service(uses));
        let declared = |rule: &CookieRule| {
            let parts = policy.parts();
            let mut own = parts.services.iter().flat_map(|service| &service.cookies).chain(&parts.cookies);
            own.any(|other| other.pattern.to_string() == rule.pattern.to_string())
        };
        let brought = known.into_iter().flat_map(|known| &known.cookies).filter(|rule| !declared(rule));
        Self {
            id: &service.id,
            label: &service.label,
            vendor: &service.vendor,
            purpose: &service.purpose,
            granted,
            privacy: web_address(service.privacy.as_deref()),
            opt_out: web_address(service.opt_out.as_deref()),
            cookies: service.cookies.iter().chain(brought).map(|rule| cookie(rule, service.lifetime)).collect(),
        }
    }
}

fn cookie(rule: &CookieRule, of_service: Option<u64>) -> CookieRow<'_> {
    let (name, prefix) = match &rule.pattern {
        NamePattern::Exact(name) => (&**name, false),
        NamePattern::Prefix(start) => (&**start, true),
        NamePattern::Regex(regex) => (regex.as_str(), false),
    };
    let lifetime = rule.lifetime.or(of_service).map(duration::words).unwrap_or_default();
    CookieRow { name, prefix, lifetime }
}

#[cfg(test)]
mod tests;
