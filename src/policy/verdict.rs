//! What to do with a cookie, tag or snippet under a grant, and which rule says so.

use url::Url;

use super::named::Named;
use super::{CatalogueService, Classified, Grant, Hardening, Owner, Policy, Rule, Script, Standing, Unclassified};

/// Whether it may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It passes; a filter may still shorten or harden a cookie.
    Keep,
    /// It is removed.
    Strip,
}

/// What was decided, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub action: Action,
    /// To whom it belongs; `None` where no category of the policy has it.
    pub classified: Option<Classified>,
    /// The rule behind the decision. There is one without `classified` where the catalogue knows a thing that no
    /// category takes in (stripped), and for the site's consent tool and session cookies of a policy without a `required` category
    /// (kept).
    pub rule: Option<Rule>,
    /// For cookies that pass: the longest lifetime that the policy allows, in seconds; 0 is a session cookie.
    pub lifetime: Option<u64>,
}

impl Policy {
    /// Decides on a cookie, in either direction, by its name as a browser sends it.
    ///
    /// Lines that delete a cookie pass whatever this says; that is the filter's to see.
    pub fn judge_cookie(&self, grant: &Grant, name: &[u8]) -> Verdict {
        self.judge_named(grant, &Named::look(self, name))
    }

    /// As [`Self::judge_cookie`] and [`Self::session`] in one, for a cookie that is being set.
    pub fn judge_set_cookie(&self, grant: &Grant, name: &[u8]) -> (Verdict, Option<(Hardening, Rule)>) {
        let named = Named::look(self, name);
        (self.judge_named(grant, &named), named.hardening(self))
    }

    fn judge_named(&self, grant: &Grant, named: &Named<'_>) -> Verdict {
        let unclassified = Verdict { action: Action::Strip, classified: None, rule: None, lifetime: None };
        match (named.standing(self), self.parts.unclassified) {
            (Standing::Unknown, Unclassified::Strip) => unclassified,
            (Standing::Unknown, Unclassified::Keep) => Verdict { action: Action::Keep, ..unclassified },
            (Standing::Unknown, Unclassified::Category(category)) => {
                Verdict { action: keep_if(grant.has_category(category)), lifetime: self.cap(category), ..unclassified }
            }
            (known, _) => self.judge(grant, known, || named.service(self)),
        }
    }

    /// Decides on a URL that the page makes the browser fetch. What nobody knows passes, whatever the policy says
    /// of unclassified cookies: the page's own images are such URLs.
    pub fn judge_tag(&self, grant: &Grant, url: &Url) -> Verdict {
        self.judge_known(grant, self.tag_standing(url))
    }

    /// Decides on a key of localStorage or sessionStorage, which only the guard in the browser sees. What nobody knows
    /// passes: the page's own keys are not declared as cookies are.
    pub fn judge_storage(&self, grant: &Grant, key: &str) -> Verdict {
        self.judge_known(grant, self.storage_standing(key))
    }

    /// Decides on an inline script. It is one piece, so it goes if any part of it belongs to a service that is not
    /// granted; the verdict then names that one. What nobody knows passes.
    pub fn judge_snippet(&self, grant: &Grant, text: &str) -> Verdict {
        let mut verdict: Option<Verdict> = None;
        self.each_snippet(&Script::new(text), |standing, _, _| {
            let next = self.judge_known(grant, standing);
            let replaces = verdict.is_none_or(|old| match (old.action, next.action) {
                (Action::Strip, _) => false,
                (Action::Keep, Action::Strip) => true,
                (Action::Keep, Action::Keep) => old.rule.is_none(),
            });
            if replaces {
                verdict = Some(next);
            }
        });
        verdict.unwrap_or_else(|| self.judge_known(grant, Standing::Unknown))
    }

    fn judge_known(&self, grant: &Grant, standing: Standing) -> Verdict {
        self.judge(grant, standing, || match standing.classified()?.rule {
            Rule::Catalogue(rule) => self.catalogue.service_of(rule),
            Rule::Site(_) => None,
        })
    }

    /// `service` is whose the catalogue holds it to be.
    fn judge<'p>(
        &self,
        grant: &Grant,
        standing: Standing,
        service: impl FnOnce() -> Option<&'p CatalogueService>,
    ) -> Verdict {
        let plain = |action, rule| Verdict { action, classified: None, rule, lifetime: None };
        match standing {
            Standing::Classified(found) => Verdict {
                action: keep_if(grant.allows(found.owner) && !self.lacks_vendor(grant, found.owner, service)),
                classified: Some(found),
                rule: Some(found.rule),
                lifetime: found.lifetime,
            },
            Standing::Homeless(rule) => plain(Action::Strip, Some(rule)),
            Standing::Needed(rule) => plain(Action::Keep, Some(rule)),
            Standing::Unknown => plain(Action::Keep, None),
        }
    }

    /// Whether it takes the consent of a vendor who has none.
    fn lacks_vendor<'p>(
        &self,
        grant: &Grant,
        owner: Owner,
        service: impl FnOnce() -> Option<&'p CatalogueService>,
    ) -> bool {
        let refused = grant.refused_vendors();
        !refused.is_empty()
            && !self.is_required(owner.category)
            && service().and_then(|known| known.iab_vendor).is_some_and(|vendor| refused.contains(&vendor))
    }
}

fn keep_if(granted: bool) -> Action {
    if granted { Action::Keep } else { Action::Strip }
}
