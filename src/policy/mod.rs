//! The compiled policy: what a cookie name, a URL or a snippet belongs to, and which rule says so.
//!
//! Pure: no sockets, files or clocks. The site's own rules come first, the built-in catalogue second.

mod catalogue;
mod grant;
mod hosts;
mod model;
mod names;
mod url;

use std::sync::Arc;

use ::url::Url;

pub use self::url::resolve;
pub use catalogue::Catalogue;
pub use grant::Grant;
pub use hosts::{HostPattern, UrlIndex};
pub use model::*;
pub use names::{NameIndex, NamePattern, PatternError};

/// A site's policy, compiled: every question below is answered without allocating.
#[derive(Debug)]
pub struct Policy {
    parts: PolicyParts,
    catalogue: Arc<Catalogue>,
}

/// To whom a cookie, tag or snippet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The category that must be granted.
    pub category: CategoryId,
    /// The declared service, where there is one; its own answer wins over the category's.
    pub service: Option<ServiceId>,
}

/// Where a rule stands: in the site's policy or in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        Self { parts, catalogue }
    }

    /// What the policy was made from.
    pub fn parts(&self) -> &PolicyParts {
        &self.parts
    }

    /// To whom a cookie of this name belongs; `None` if neither policy nor catalogue knows it.
    pub fn cookie(&self, _name: &[u8]) -> Option<Classified> {
        None
    }

    /// To whom a URL belongs that the page makes the browser fetch.
    pub fn tag(&self, _url: &Url) -> Option<Classified> {
        None
    }

    /// To whom an inline snippet belongs.
    pub fn snippet(&self, _text: &str) -> Option<Classified> {
        None
    }

    /// How a cookie of this name is hardened, if it is a session cookie.
    pub fn session(&self, _name: &[u8]) -> Option<(Hardening, Rule)> {
        None
    }

    /// Where a rule is written.
    pub fn source(&self, _rule: Rule) -> &RuleSource {
        &self.parts.sources[0]
    }
}
