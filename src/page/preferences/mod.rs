//! The plain page at `{prefix}`: what the site may use, and the forms that change it. No JavaScript.

mod ticks;

use crate::policy::{CategoryId, Country, Grant, Owner, Policy, ServiceId, translated};

use super::local_path;
use super::policy::rows;
use super::texts::Texts;

pub use ticks::{Ticks, Unknown};

/// Everything that the page shows.
#[derive(Debug, Clone, askama::Template)]
#[template(path = "preferences.html")]
pub struct Preferences<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// In the order of the policy.
    pub categories: Vec<CategoryRow<'a>>,
    /// Where the form leads back to: always a path of the same site.
    pub return_to: &'a str,
    /// The browser sends `Sec-GPC: 1` and the policy honours it somewhere.
    pub gpc: bool,
    /// The browser sends `DNT: 1` and the policy honours it somewhere.
    pub dnt: bool,
    /// The choice that holds.
    pub chosen: Option<Chosen>,
    /// What the policy says of each version that came after that choice.
    pub changes: Vec<&'a str>,
    /// Withdrawing leaves the visitor signed in.
    pub keeps_session: bool,
    /// The consent tool of the site, which asks in our place, by its name; empty for one without a name. Then nothing can
    /// be chosen here.
    pub tool: Option<&'a str>,
    named: bool,
    texts: &'a Texts,
    language: &'a str,
}

/// What does not depend on the visitor's choice.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// A language tag (BCP 47): the policy's own texts are shown in it where they were translated.
    pub language: &'a str,
    /// Whether the visitor was shown something in that language, and the browser may ask for another.
    pub named: bool,
    /// All other texts.
    pub texts: &'a Texts,
    /// Where the reader is: links of other regions are left out.
    pub country: Option<Country>,
    /// Withdrawing leaves the visitor signed in.
    pub keeps_session: bool,
    /// See [`Preferences::tool`].
    pub tool: Option<&'a str>,
}

/// What the request says, beside its grant.
#[derive(Debug, Clone, Default)]
pub struct Visit<'a> {
    /// The page to go back to, as received; a foreign one becomes `/`.
    pub return_to: &'a str,
    /// The browser sends `Sec-GPC: 1`.
    pub gpc: bool,
    /// The browser sends `DNT: 1`.
    pub dnt: bool,
    /// The choice that holds.
    pub chosen: Option<Chosen>,
    /// What the policy has gained since.
    pub new: (&'a [CategoryId], &'a [ServiceId]),
}

/// A choice as its visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// When, in words.
    pub at: String,
    /// Under which version of the policy.
    pub version: u64,
    /// By what its receipts are found.
    pub id: String,
}

/// A category as the visitor sees it.
#[derive(Debug, Clone)]
pub struct CategoryRow<'a> {
    /// What the published policy says of it; its services stand below.
    pub about: rows::CategoryRow<'a>,
    /// Granted now.
    pub granted: bool,
    /// Refused by the browser's signal, whatever the visitor ticks; shown locked.
    pub refused_by_signal: bool,
    /// The visitor was not asked about it yet, but has chosen.
    pub new: bool,
    /// The services in it.
    pub services: Vec<ServiceRow<'a>>,
}

/// A service as the visitor sees it.
#[derive(Debug, Clone)]
pub struct ServiceRow<'a> {
    /// What the published policy says of it.
    pub about: rows::ServiceRow<'a>,
    /// Its tick is here; elsewhere only single cookies of it are listed.
    pub home: bool,
    /// Granted now.
    pub granted: bool,
    /// The visitor was not asked about it yet, but has chosen.
    pub new: bool,
}

impl<'a> Preferences<'a> {
    /// Lays a policy and what holds now out as rows.
    pub fn new(policy: &'a Policy, grant: &Grant, about: About<'a>, visit: Visit<'a>) -> Self {
        let parts = policy.parts();
        let rows = rows::categories(policy, about.texts, about.language, about.country);
        let categories =
            (0..).map(CategoryId).zip(rows).map(|(id, row)| CategoryRow::new(policy, row, id, grant, &visit));
        let heeds = |which: fn(&crate::policy::Category) -> bool| {
            parts.categories.iter().any(|category| !category.required && which(category))
        };
        let since = visit.chosen.as_ref().map_or(u64::MAX, |chosen| chosen.version);
        let changes = parts.changes.iter().filter(|change| change.version > since);
        Self {
            site: about.site,
            prefix: about.prefix,
            categories: categories.collect(),
            return_to: local_path(visit.return_to),
            gpc: visit.gpc && heeds(|category| category.gpc),
            dnt: visit.dnt && heeds(|category| category.dnt),
            changes: changes.map(|change| translated(&change.text, &change.texts, about.language)).collect(),
            chosen: visit.chosen,
            keeps_session: about.keeps_session,
            tool: about.tool,
            named: about.named,
            texts: about.texts,
            language: about.language,
        }
    }

    /// Whether a signal keeps something off that the visitor cannot tick here.
    fn signal_holds(&self) -> bool {
        self.categories.iter().any(|category| category.refused_by_signal)
    }

    /// What names the language in addresses that lead on from here.
    fn on(&self) -> String {
        super::on(self.named, self.language)
    }

    /// Whether the visitor can choose here.
    fn asks(&self) -> bool {
        self.tool.is_none()
    }

    fn has_new(&self) -> bool {
        self.asks()
            && self
                .categories
                .iter()
                .any(|category| category.new || category.services.iter().any(|service| service.new))
    }

    fn new_since(&self) -> String {
        match &self.chosen {
            Some(chosen) => self.texts.put(&self.texts.new_since, "date", &chosen.at),
            None => self.texts.new.to_string(),
        }
    }

    /// The page as HTML.
    pub fn render(&self) -> String {
        super::render(self)
    }
}

impl<'a> CategoryRow<'a> {
    fn new(policy: &Policy, mut row: rows::CategoryRow<'a>, id: CategoryId, grant: &Grant, visit: &Visit<'_>) -> Self {
        let parts = policy.parts();
        let heeded = visit.gpc && row.gpc || visit.dnt && row.dnt;
        let services = std::mem::take(&mut row.services).into_iter().map(|about| {
            let service = policy.service_named(about.id);
            let home = service.is_some_and(|service| policy.service(service).category == id);
            ServiceRow {
                home,
                granted: grant.allows(Owner { category: id, service }),
                new: home && service.is_some_and(|service| visit.new.1.contains(&service)),
                about,
            }
        });
        Self {
            services: services.collect(),
            granted: grant.has_category(id),
            refused_by_signal: heeded && !row.required && !parts.choice_beats_signals,
            new: visit.new.0.contains(&id),
            about: row,
        }
    }

    /// `3 services`
    fn count(&self, texts: &Texts) -> String {
        texts.count(&texts.services, self.services.len() as u64)
    }

    /// Shown locked: the visitor's tick would change nothing.
    fn locked(&self) -> bool {
        self.about.required || self.refused_by_signal
    }

    fn ticked(&self) -> bool {
        self.about.required || (self.granted && !self.refused_by_signal)
    }

    fn service_ticked(&self, service: &ServiceRow<'_>) -> bool {
        self.about.required || (service.granted && !self.refused_by_signal)
    }

    /// Opened where a service differs from its category, for else the tick above it would tell half the truth.
    fn open(&self) -> bool {
        let differs = |service: &ServiceRow<'_>| service.home && service.granted != self.granted;
        !self.locked() && self.services.iter().any(|service| differs(service) || service.new)
    }
}

impl ServiceRow<'_> {
    fn has_details(&self) -> bool {
        let about = &self.about;
        about.legal_basis.is_some()
            || about.sharing.is_some()
            || !(about.data.is_empty()
                && about.cookies.is_empty()
                && about.storage.is_empty()
                && about.privacy.is_empty()
                && about.opt_out.is_empty())
    }
}

#[cfg(test)]
mod tests;
