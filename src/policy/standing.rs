//! How cookies, tags and snippets stand to a policy, whoever asks: from it and a grant follows the verdict.

use std::ops::Range;

use url::Url;

use super::owners::Adopted;
use super::url::Contacted;
use super::{Classified, Owner, Policy, Rule, Script, catalogue, loader};

/// What is known of a cookie, tag or snippet, before anybody asks for the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Classified(Classified),
    /// The catalogue knows it, but no category of this policy takes its kind in: nobody can ever grant it.
    Homeless(Rule),
    /// Of the site's consent tool, or a session cookie in a policy without a `required` category: nobody needs to
    /// grant it.
    Needed(Rule),
    Unknown,
}

impl Standing {
    pub(super) fn classified(self) -> Option<Classified> {
        match self {
            Self::Classified(found) => Some(found),
            _ => None,
        }
    }
}

impl Policy {
    pub(super) fn tag_standing(&self, url: &Url) -> Standing {
        let Some(contacted) = Contacted::of(url) else { return Standing::Unknown };
        match self.tags.find_contacted(&contacted) {
            Some(found) => Standing::Classified(*found),
            None => {
                let known = self.catalogue.tags.find_contacted(&contacted);
                known.map_or(Standing::Unknown, |entry| self.adopted_as(*entry))
            }
        }
    }

    pub(super) fn storage_standing(&self, key: &str) -> Standing {
        match self.storage.find(key.as_bytes()) {
            Some(found) => Standing::Classified(*found),
            None => {
                self.catalogue.storage.find(key.as_bytes()).map_or(Standing::Unknown, |entry| self.adopted_as(*entry))
            }
        }
    }

    /// Everything known in a script: signatures with their place and whether the site's own, then what it loads.
    /// Text that the site has classified itself is not classified again by the catalogue.
    pub(super) fn each_snippet(&self, script: &Script, mut tell: impl FnMut(Standing, Option<&Range<usize>>, bool)) {
        let own: Vec<_> = self.snippets.hits(script).collect();
        for hit in &own {
            tell(Standing::Classified(*hit.item), Some(&hit.span), true);
        }
        for hit in self.catalogue.snippets.hits(script) {
            // Hits come in order and do not overlap, so only the first that ends behind this start can touch it.
            let next = own.get(own.partition_point(|own| own.span.end <= hit.span.start));
            if next.is_none_or(|own| own.span.start >= hit.span.end) {
                tell(self.adopted_as(*hit.item), Some(&hit.span), false);
            }
        }
        for url in loader::loads(script) {
            tell(self.tag_standing(&url), None, false);
        }
    }

    pub(super) fn adopted_as(&self, entry: catalogue::Entry) -> Standing {
        let rule = Rule::Catalogue(entry.rule);
        if self.tool == Some(entry.service) {
            return Standing::Needed(rule);
        }
        match self.adopted[entry.service] {
            Some(Adopted { owner, lifetime }) => Standing::Classified(Classified { owner, lifetime, rule }),
            None => Standing::Homeless(rule),
        }
    }

    pub(super) fn needed(&self, rule: Rule) -> Standing {
        let Some(category) = self.required else { return Standing::Needed(rule) };
        let owner = Owner { category, service: None };
        Standing::Classified(Classified { owner, lifetime: self.cap(category), rule })
    }
}
