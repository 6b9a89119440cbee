//! The streaming HTML rewriter: push the bytes of a page, get the bytes that a visitor with this grant may have.
//!
//! Pure: no IO, no clock. lol_html finds the tags; this room reads their URLs as browsers do, asks the policy, and
//! cuts what is not granted out of the bytes as they pass. What it doesn't cut out leaves byte for byte as it came.

mod around;
mod attributes;
pub mod charset;
mod contact;
mod css;
mod data_url;
mod decide;
mod document;
mod elements;
mod ending;
mod escapes;
mod frames;
mod front;
mod insert;
mod iso2022;
mod judge;
mod links;
mod lists;
mod media_type;
mod page;
mod parser;
mod payload;
mod prefilter;
mod references;
mod region;
mod rewriter;
mod roles;
mod script;
mod script_type;
pub mod sniff;
mod speech;
mod style;
mod utf16;
mod xml;

use std::sync::Arc;

use url::Url;

use crate::filter::Csp;
use crate::policy::{Grant, Policy};

pub use contact::Contact;
pub use insert::{Anchor, Banner, Insertions, Link, Spot};
pub use rewriter::Rewriter;
pub use speech::Speech;

/// What the rewriter knows of the page that it is about to read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Says to whom each URL and snippet belongs.
    pub policy: Arc<Policy>,
    /// Says whether those may be used.
    pub grant: Grant,
    /// The address of the document: relative URLs are resolved against it until a `<base href>` says otherwise.
    pub url: Url,
    /// The charset that `Content-Type` names, if it names one. A byte order mark beats it.
    pub charset: Option<&'static encoding_rs::Encoding>,
    /// Whether browsers read it as XML (`application/xhtml+xml`), where any tag may close itself.
    pub xml: bool,
    /// What becomes of elements that are not granted.
    pub gating: Gating,
    /// How much of a page is ever held.
    pub limits: Limits,
    /// What becomes of a page that cannot be rewritten.
    pub on_error: OnError,
    /// Path of the preference centre, to which placeholders link, e.g. `/_consent/`.
    pub preferences: Arc<str>,
    /// What the response says that the page may do: placeholders keep to it.
    pub csp: Csp,
    /// In which language we speak, and what we say.
    pub speech: Speech,
    /// Whether placeholders may offer to allow what is missing: where a tool of the site asks, nobody can tell us.
    pub asks: bool,
    /// What we add to the page.
    pub insert: Insertions,
}

/// How much of a page is ever held. None of it grows with the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the parser may hold: the tag being read and the open elements. A tag that is longer (say, an image
    /// as a `data:` URL) is an error.
    pub memory: usize,
    /// Bytes of an inline script that are judged at a time. A longer one is judged in overlapping windows.
    pub inline_script: usize,
    /// How deep documents may lie in one another (`srcdoc`, `noscript`). A deeper one is an error.
    pub depth: u8,
    /// Findings kept for one page; more are dropped.
    pub findings: usize,
    /// Contacts told of one page ([`Rewriter::contacts`]), granted or not; more are dropped. The proxy wants none.
    pub contacts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 4 << 20, inline_script: 64 << 10, depth: 8, findings: 256, contacts: 0 }
    }
}

/// What becomes of elements that are not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gating {
    /// They go.
    #[default]
    Remove,
    /// They stay, inert: `data-consentry-src` instead of `src`, `type="text/plain"` for scripts, and what they need to
    /// be freed in `data-consentry-needs`. Frames show their placeholder meanwhile.
    Neutralise,
    /// As `Neutralise`, for everybody alike, whatever the grant beyond what is required: for pages that shared caches keep.
    Client,
}

/// What becomes of a page that cannot be rewritten (`on_rewrite_error`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The caller gets the error and must not complete the page.
    #[default]
    Abort,
    /// The rest of the page leaves unfiltered; [`Rewriter::gave_up`] tells.
    Pass,
}

/// Why a page cannot be rewritten. After one, the rest of the page is lost or, with [`OnError::Pass`], unfiltered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A tag is longer, or more elements are open, than [`Limits::memory`] allows.
    #[error("a tag or the open elements need more than the memory limit")]
    Memory,
    /// Documents lie deeper in one another than [`Limits::depth`] allows.
    #[error("documents lie in one another deeper than the limit")]
    Depth,
    /// The parser says why.
    #[error("markup that cannot be read: {0}")]
    Malformed(String),
}

#[cfg(test)]
mod tests;
