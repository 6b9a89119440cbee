//! The words of a cookie policy as types: categories, services, the cookies and tags that they own.
//!
//! Plain data. `config` fills it from YAML; [`super::Policy`] compiles it into indices.

use std::sync::Arc;

use super::published::{Change, LegalBasis, RegionalLink, Translation};
use super::region::Region;
use super::{HostPattern, NamePattern, Term};
pub use crate::cookie::SameSite;

/// Index of a category in its policy. At most [`MAX_CATEGORIES`] exist, so that a set of them is one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CategoryId(pub u8);

/// The number of categories that one policy may name.
pub const MAX_CATEGORIES: usize = 64;

/// Index of a service that the site's policy declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u16);

/// Points into the table of rule sources, from which `explain` tells file and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u32);

/// Where a rule was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSource {
    /// The file, as the operator named it, or `catalogue/NAME.yaml` for built-in knowledge.
    pub file: Arc<str>,
    /// One-based line.
    pub line: u32,
    /// The rule in the words of the file.
    pub text: Box<str>,
}

/// What a visitor grants: `necessary` (never asked), and any others that the policy names.
#[derive(Debug, Clone, Default)]
pub struct Category {
    /// The key in the policy, e.g. `analytics`. A token, so that it fits a structured-field list.
    pub id: Box<str>,
    /// What the visitor reads.
    pub label: Box<str>,
    /// Why the site wants it, in a sentence or two.
    pub purpose: Box<str>,
    /// Never asked, always granted.
    pub required: bool,
    /// `Sec-GPC: 1` refuses it.
    pub gpc: bool,
    /// `DNT: 1` refuses it.
    pub dnt: bool,
    /// No cookie of it lives longer.
    pub lifetime: Option<Term>,
    /// The catalogue's categories that this one takes in, e.g. `analytics` for a site's own "Performance".
    pub catalogue: Vec<Box<str>>,
    /// What no longer works without it, e.g. "You cannot sign in.".
    pub warning: Option<Box<str>>,
    /// Where one opts out of all that is in it.
    pub opt_out: Option<Box<str>>,
    /// The same for single regions, before `opt_out`.
    pub opt_out_by_region: Vec<RegionalLink>,
    /// `label` in other languages; read with [`super::translated`], as are the next two.
    pub labels: Vec<Translation>,
    /// `purpose` in other languages.
    pub purposes: Vec<Translation>,
    /// `warning` in other languages.
    pub warnings: Vec<Translation>,
}

/// A vendor's product: belongs to one category, owns cookies, storage keys and tags.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// The key in the policy, e.g. `google-analytics`.
    pub id: Box<str>,
    /// What the visitor reads.
    pub label: Box<str>,
    /// The company that receives the data.
    pub vendor: Box<str>,
    /// What the site uses it for.
    pub purpose: Box<str>,
    /// Granted with this category, unless the visitor answered for the service itself.
    pub category: CategoryId,
    /// No cookie of it lives longer, unless the cookie's own line declares a lifetime.
    pub lifetime: Option<Term>,
    /// The vendor's privacy policy.
    pub privacy: Option<Box<str>>,
    /// Where the vendor lets one opt out.
    pub opt_out: Option<Box<str>>,
    /// The entry of the catalogue that it completes or overrides.
    pub uses: Option<Box<str>>,
    /// Names of cookies that it sets.
    pub cookies: Vec<CookieRule>,
    /// Names of localStorage and sessionStorage keys.
    pub storage: Vec<StorageRule>,
    /// Hosts and paths that it is loaded from or reports to.
    pub tags: Vec<TagRule>,
    /// Text by which its inline snippets are known.
    pub snippets: Vec<SnippetRule>,
    /// `purpose` in other languages.
    pub purposes: Vec<Translation>,
    /// Why the site may use it; `None` where the policy does not tell.
    pub legal_basis: Option<LegalBasis>,
    /// What it learns, e.g. "IP address".
    pub data: Vec<Box<str>>,
    /// To whom its vendor passes that on.
    pub sharing: Option<Box<str>>,
    /// On whose domain its cookies are, in the words of the published table.
    pub domain: Option<Box<str>>,
    /// `privacy` for single regions.
    pub privacy_by_region: Vec<RegionalLink>,
    /// `opt_out` for single regions.
    pub opt_out_by_region: Vec<RegionalLink>,
}

/// One line of the published cookie table.
#[derive(Debug, Clone)]
pub struct CookieRule {
    /// Which names it speaks of.
    pub pattern: NamePattern,
    /// Where it differs from the service's category, or there is no service (Mailjet lists `_ga` as
    /// essential and `_ga_…` as analytics).
    pub category: Option<CategoryId>,
    /// The published duration; of 0 seconds for a session cookie.
    pub lifetime: Option<Term>,
    /// Where it is written.
    pub rule: RuleId,
}

/// A key of localStorage or sessionStorage that belongs to a service.
#[derive(Debug, Clone)]
pub struct StorageRule {
    /// Which keys it speaks of.
    pub pattern: NamePattern,
    /// Where it is written.
    pub rule: RuleId,
}

/// A host, or a host and path, that belongs to a service.
#[derive(Debug, Clone)]
pub struct TagRule {
    /// What it matches.
    pub pattern: HostPattern,
    /// Where it is written.
    pub rule: RuleId,
}

/// Text that gives an inline snippet away.
#[derive(Debug, Clone)]
pub struct SnippetRule {
    /// As found in scripts; white space and the kind of quote do not matter.
    pub text: Box<str>,
    /// Where it is written.
    pub rule: RuleId,
}

/// What happens to cookies and tags that neither the policy nor the catalogue knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unclassified {
    /// Treated as not granted: the safe default.
    #[default]
    Strip,
    /// Let through and reported.
    Keep,
    /// Treated as if of this category.
    Category(CategoryId),
}

/// What holds for a visitor who has not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Law {
    /// Only `required` categories (GDPR, ePrivacy).
    #[default]
    OptIn,
    /// Everything, until refused.
    OptOut,
    /// Everything from the second page after the banner was shown (Mailjet). No valid consent under the GDPR.
    Implied,
}

/// The attributes that a session cookie is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Scripts cannot read it.
    pub http_only: bool,
    /// The policy says that scripts must read it: the origin's `HttpOnly` goes too. The catalogue never does.
    pub readable: bool,
    /// Sent over TLS only.
    pub secure: bool,
    /// `None` leaves the origin's `SameSite` as it is.
    pub same_site: Option<SameSite>,
    /// Remove `Domain`, so that sub-domains do not get it.
    pub host_only: bool,
    /// Rename to `__Host-NAME` towards the browser, and back towards the origin.
    pub host_prefix: bool,
}

impl Hardening {
    /// `HttpOnly; Secure; SameSite=Strict`: what a session cookie gets unless something says otherwise.
    pub const FULL: Self = Self {
        http_only: true,
        readable: false,
        secure: true,
        same_site: Some(SameSite::Strict),
        host_only: false,
        host_prefix: false,
    };
}

/// A session cookie (or one that must be spared), by name.
#[derive(Debug, Clone)]
pub struct SessionRule {
    /// Which names it speaks of.
    pub pattern: NamePattern,
    /// `None`: not a session cookie after all, leave it as it is.
    pub hardening: Option<Hardening>,
    /// Where it is written.
    pub rule: RuleId,
}

/// Everything that a site's policy says; [`super::Policy::compile`] makes it fast to ask.
#[derive(Debug, Clone, Default)]
pub struct PolicyParts {
    /// The operator's own number, raised with each change that visitors should know of.
    pub version: u64,
    /// Choices made under an older version no longer hold.
    pub good_since: u64,
    /// Since when it holds, as `YYYY-MM-DD`.
    pub effective: Option<Box<str>>,
    /// The language of its texts (BCP 47), where they do not say another.
    pub language: Box<str>,
    /// The hosts to which a visitor's consent applies; empty: those of the site.
    pub domains: Vec<Box<str>>,
    /// What is different from earlier versions, in the order of the file.
    pub changes: Vec<Change>,
    /// What holds without a choice, where `laws` says nothing else.
    pub law: Law,
    /// The laws of single regions, of which the first that has a visitor's country counts.
    pub laws: Vec<(Region, Law)>,
    /// A choice older than this, in seconds, no longer holds.
    pub choice_lifetime: u64,
    /// How the policy says that, if it does.
    pub choice_term: Option<Term>,
    /// Whether an explicit choice beats `Sec-GPC` and `DNT`.
    pub choice_beats_signals: bool,
    /// What happens to what nobody knows.
    pub unclassified: Unclassified,
    /// Whether inline style sheets and `style` attributes are read for blocked URLs too.
    pub styles: bool,
    /// In the order in which visitors see them.
    pub categories: Vec<Category>,
    /// In the order of the file.
    pub services: Vec<Service>,
    /// Cookies without a service; `category` is always set here.
    pub cookies: Vec<CookieRule>,
    /// The site's own session cookies and exceptions, before those of the catalogue.
    pub sessions: Vec<SessionRule>,
    /// Whether the catalogue's list of session stacks is used too.
    pub catalogue_sessions: bool,
    /// The consent tool that the site runs beside us: what is its own always passes.
    pub consent_tool: Option<ConsentTool>,
    /// `RuleId` is an index into this.
    pub sources: Vec<RuleSource>,
}

/// What belongs to a consent tool, and so to the visitor's own choice.
#[derive(Debug, Clone)]
pub struct ConsentTool {
    /// The names of its cookies.
    pub cookies: Vec<NamePattern>,
    /// Its entry in the catalogue, whose hosts and snippets are its own too.
    pub service: Option<Box<str>>,
    /// Whether its records answer for single vendors of the IAB.
    pub vendors: bool,
    /// Where the site names it.
    pub rule: RuleId,
}
