//! Hosts of services: `host`, `*.domain` (the domain and all below it), `host/path*`, `*/path`.

use super::PatternError;

/// A host, or host and path, as written in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    /// Lower case, without `*.`; empty for any host.
    pub host: Box<str>,
    /// Hosts below it match too.
    pub subdomains: bool,
    /// Empty for every path.
    pub path: Box<str>,
}

impl HostPattern {
    /// Reads a pattern as written in a policy.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Ok(Self { host: text.into(), subdomains: false, path: "".into() })
    }
}
