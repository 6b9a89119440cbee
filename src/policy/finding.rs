//! What was seen in traffic: one cookie, tag or snippet, to whom it belongs, and what was done with it.
//!
//! Filters and the rewriter return findings; who counts and samples them is not known here.

use super::{Owner, Rule};

/// One thing seen. Holds no cookie value and no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was seen.
    pub kind: FindingKind,
    /// The cookie's name or the tag's host, printable and at most [`Finding::MAX_NAME`] bytes; empty for snippets
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// In `Cookie` or `Set-Cookie`.
    Cookie,
    /// An element or header that makes the browser contact a host.
    Tag,
    /// An inline script.
    Snippet,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
        let text = String::from_utf8_lossy(&name[..name.len().min(Self::MAX_NAME)]);
        let mut text = text.replace(char::is_control, "\u{fffd}");
        text.truncate(text.floor_char_boundary(Self::MAX_NAME));
        Self { kind, name: text.into(), owner, rule, action, capped: None }
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
