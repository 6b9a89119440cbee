//! What is allowed in a policy but probably not meant, for `check` to warn about.

use std::collections::{BTreeSet, HashMap};

use super::model::{Law, RuleId};
use super::owners::{Owned, taking_in};
use super::tables::is_portable;
use super::{CatalogueService, CategoryId, Classified, NamePattern, Policy, Rule};

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The rule of the site's policy that it is about; `None` where it is about the whole.
    pub rule: Option<RuleId>,
    /// One sentence, without a full stop.
    pub text: String,
}

impl Policy {
    /// All warnings: those on the whole first, then rule by rule in the order of the file.
    pub fn lints(&self) -> Vec<Lint> {
        let mut lints: Vec<_> = self.lint_whole().into_iter().map(|text| Lint { rule: None, text }).collect();
        lints.extend(self.lint_cookies());
        lints.extend(self.lint_twice());
        lints.extend(self.lint_regexes());
        lints
    }

    fn lint_whole(&self) -> Vec<String> {
        let mut texts = Vec::new();
        if self.parts.laws.iter().map(|(_, law)| law).chain([&self.parts.law]).any(|law| *law == Law::Implied) {
            texts.push(
                "`law: implied` takes the second page for consent, which is not valid consent under the GDPR".into(),
            );
        }
        if self.required.is_none() {
            texts.push("no category is `required`; what the site cannot do without belongs into one".into());
        }
        for category in self.parts.categories.iter().filter(|c| c.required && (c.gpc || c.dnt)) {
            texts.push(format!("category `{}` is required, so `gpc` and `dnt` do nothing there", category.id));
        }
        let kinds: BTreeSet<&str> = self.catalogue.services().iter().map(|service| &*service.category).collect();
        for kind in kinds.into_iter().filter(|kind| taking_in(&self.parts, kind).is_none()) {
            texts.push(format!(
                "no category takes in the catalogue's `{kind}` services, so they are never granted; \
                 add `catalogue: [{kind}]` to a category"
            ));
        }
        for service in self.parts.services.iter().filter(|service| self.is_required(service.category)) {
            let known = service.uses.as_deref().and_then(|id| self.catalogue.service(id)).filter(|s| is_tracker(s));
            if let Some(known) = known {
                texts.push(format!(
                    "service `{}` is in the required category `{}`, but the catalogue knows it as {}",
                    service.id,
                    self.category(service.category).id,
                    known.category
                ));
            }
        }
        texts
    }

    /// Known trackers among the cookies of required categories.
    fn lint_cookies(&self) -> Vec<Lint> {
        let services = self.parts.services.iter().flat_map(|s| s.cookies.iter().map(|c| (c, Some(s.category))));
        let cookies = services.chain(self.parts.cookies.iter().map(|cookie| (cookie, None)));
        let mut lints: Vec<_> = cookies
            .filter_map(|(cookie, of_service)| {
                let category = cookie.category.or(of_service).filter(|category| self.is_required(*category))?;
                let known = self.tracker_behind(&cookie.pattern, cookie.rule)?;
                Some(Lint { rule: Some(cookie.rule), text: self.tracker_in_required(&cookie.pattern, category, known) })
            })
            .collect();
        lints.sort_by_key(|lint| lint.rule);
        lints
    }

    /// Cookies that stand in the file twice: the second line says nothing.
    fn lint_twice(&self) -> Vec<Lint> {
        let mut first = HashMap::new();
        let twice = |(pattern, found): (NamePattern, Classified)| {
            let Rule::Site(rule) = found.rule else { return None };
            let Classified { owner, rule: Rule::Site(before), .. } = *first.entry(pattern.to_string()).or_insert(found)
            else {
                return None;
            };
            if owner == found.owner {
                return None;
            }
            let line = self.parts.sources.get(before.0 as usize)?.line;
            let text = format!("cookie `{pattern}` stands in line {line} already, which decides; take one of them out");
            Some(Lint { rule: Some(rule), text })
        };
        Owned::of(&self.parts).cookies.into_iter().filter_map(twice).collect()
    }

    /// Regular expressions that the guard in the browser cannot hold to: it lets pass what they may speak of.
    fn lint_regexes(&self) -> Vec<Lint> {
        let parts = &self.parts;
        let services = || parts.services.iter();
        let cookies = services().flat_map(|s| &s.cookies).chain(&parts.cookies).map(|c| (&c.pattern, c.rule));
        let others = services().flat_map(|s| &s.storage).map(|s| (&s.pattern, s.rule));
        let sessions = parts.sessions.iter().map(|s| (&s.pattern, s.rule));
        let strange = cookies.chain(others).chain(sessions).filter(|(pattern, _)| !is_portable(pattern));
        let text = |pattern| {
            format!(
                "browsers do not read `{pattern}` as we do, so their scripts may set all of its kind that no plainer rule \
                 of yours names; use prefixes, or no more than `[…]`, `(…|…)`, `\\d`, `\\w` and repetitions"
            )
        };
        strange.map(|(pattern, rule)| Lint { rule: Some(rule), text: text(pattern) }).collect()
    }

    fn tracker_in_required(&self, pattern: &NamePattern, category: CategoryId, known: &CatalogueService) -> String {
        let category = &self.category(category).id;
        format!(
            "cookie `{pattern}` is in the required category `{category}`, but {} ({}) sets it",
            known.label, known.category
        )
    }

    /// A service for analytics or marketing that sets a cookie which this rule, and no other, puts into its category.
    fn tracker_behind(&self, pattern: &NamePattern, rule: RuleId) -> Option<&CatalogueService> {
        let named = self.catalogue.cookie(literal_head(pattern).as_bytes()).map(|(service, _)| service);
        if named.is_some_and(is_tracker) {
            return named;
        }
        let sets = |service: &&CatalogueService| {
            service.cookies.iter().any(|cookie| {
                let name = match &cookie.pattern {
                    NamePattern::Exact(name) => name.to_string(),
                    NamePattern::Prefix(prefix) => format!("{prefix}1"),
                    NamePattern::Regex(_) => return false,
                };
                pattern.matches(name.as_bytes())
                    && self.cookie(name.as_bytes()).is_some_and(|c| c.rule == Rule::Site(rule))
            })
        };
        self.catalogue.services().iter().filter(|service| is_tracker(service)).find(sets)
    }
}

/// What every name that the pattern matches starts with: `_gat_UA-` of `^_gat_UA-.*`.
fn literal_head(pattern: &NamePattern) -> String {
    match pattern {
        NamePattern::Exact(text) | NamePattern::Prefix(text) => text.to_string(),
        NamePattern::Regex(_) => {
            let text = pattern.to_string();
            text[1..].chars().take_while(|c| c.is_alphanumeric() || "_-%:".contains(*c)).collect()
        }
    }
}

fn is_tracker(service: &CatalogueService) -> bool {
    matches!(&*service.category, "analytics" | "marketing")
}
