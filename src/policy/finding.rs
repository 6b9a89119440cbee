//! What was seen in traffic: one cookie, tag or snippet, to whom it belongs, and what was done with it.
//!
//! Filters and the rewriter return findings; who counts and samples them is not known here.

use serde::{Deserialize, Serialize};

use super::{Owner, Rule};
use crate::cookie::SetCookie;

/// One thing that a filter sees, in the bytes that it stands in: to tell of it costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// What is seen.
    pub kind: FindingKind,
    /// The name of the cookie or key, or the tag's host, as on the wire.
    pub name: &'a [u8],
    /// To whom it belongs; `None` is unclassified.
    pub owner: Option<Owner>,
    /// Which rule says so.
    pub rule: Option<Rule>,
    /// What is done with it, or would be in `observe` mode.
    pub action: FindingAction,
    /// A hardened cookie is shortened too, by this rule.
    pub capped: Option<Rule>,
    /// The line by which the origin sets it, as it came; none for cookies on their way in, tags and deletions.
    pub line: Option<&'a SetCookie<'a>>,
    /// It becomes `SameSite=Strict`, and this answers a navigation from another site, which will not bring it back.
    pub left_behind: bool,
}

/// Who is told of what filters see.
pub trait Witness {
    /// Called once for each thing, in the order of the head.
    fn see(&mut self, sighting: &Sighting<'_>);
}

/// Nobody wants to know.
impl Witness for () {
    fn see(&mut self, _: &Sighting<'_>) {}
}

impl Witness for Vec<Finding> {
    fn see(&mut self, seen: &Sighting<'_>) {
        self.push(Finding {
            capped: seen.capped,
            ..Finding::new(seen.kind, seen.name, seen.owner, seen.rule, seen.action)
        });
    }
}

impl<'a> Sighting<'a> {
    /// Of a thing of which only this is known.
    pub fn new(
        kind: FindingKind,
        name: &'a [u8],
        owner: Option<Owner>,
        rule: Option<Rule>,
        action: FindingAction,
    ) -> Self {
        Self { kind, name, owner, rule, action, capped: None, line: None, left_behind: false }
    }
}

/// One thing seen, to keep. Holds no cookie value and no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was seen.
    pub kind: FindingKind,
    /// The name of the cookie or key or the tag's host, printable and at most [`Finding::MAX_NAME`] bytes; empty for snippets
    /// that no signature names.
    pub name: Box<str>,
    /// To whom it belongs; `None` is unclassified.
    pub owner: Option<Owner>,
    /// Which rule says so.
    pub rule: Option<Rule>,
    /// What was done with it, or would be in `observe` mode.
    pub action: FindingAction,
    /// A hardened cookie was shortened too, by this rule.
    pub capped: Option<Rule>,
}

/// What kind of thing was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// In `Cookie` or `Set-Cookie`.
    Cookie,
    /// An element or header that makes the browser contact a host.
    Tag,
    /// An inline script.
    Snippet,
    /// A key of localStorage or sessionStorage, of which only the guard in the browser can tell.
    Storage,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingAction {
    /// Passed as it came.
    Keep,
    /// Removed.
    Strip,
    /// A session cookie got its attributes.
    Harden,
    /// A cookie's lifetime was shortened to what the policy says.
    Cap,
    /// A cookie was deleted in the browser.
    Expire,
}

impl FindingKind {
    /// As configurations, logs and metrics call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Tag => "tag",
            Self::Snippet => "snippet",
            Self::Storage => "storage",
        }
    }
}

impl FindingAction {
    /// As `explain`, logs and metrics call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Strip => "strip",
            Self::Harden => "harden",
            Self::Cap => "cap",
            Self::Expire => "expire",
        }
    }
}

impl Finding {
    /// Names are a stranger's text and are kept in memory: this bounds them.
    pub const MAX_NAME: usize = 128;

    /// Takes a name as seen on the wire; what cannot be printed becomes U+FFFD.
    pub fn new(
        kind: FindingKind,
        name: &[u8],
        owner: Option<Owner>,
        rule: Option<Rule>,
        action: FindingAction,
    ) -> Self {
        Self { kind, name: Self::name(name), owner, rule, action, capped: None }
    }

    /// A name as it may be kept and shown.
    pub fn name(name: &[u8]) -> Box<str> {
        let text = String::from_utf8_lossy(&name[..name.len().min(Self::MAX_NAME)]);
        let mut text = text.replace(char::is_control, "\u{fffd}");
        text.truncate(text.floor_char_boundary(Self::MAX_NAME));
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_printable() {
        let name = |bytes: &[u8]| Finding::new(FindingKind::Cookie, bytes, None, None, FindingAction::Keep).name;
        assert_eq!(&*name(b"_ga"), "_ga");
        assert_eq!(&*name(b"a\x1b[2J\xff"), "a\u{fffd}[2J\u{fffd}");
        for bytes in [vec![b'a'; 4000], vec![0xff; 4000], "é".repeat(300).into_bytes()] {
            assert!(name(&bytes).len() <= Finding::MAX_NAME && name(&bytes).len() > 100);
        }
    }
}
