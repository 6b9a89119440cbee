//! Hosts of services: `host`, `*.domain` (the domain and all below it), `host/path*`, `*/path`.
//!
//! [`UrlIndex`] walks the suffixes of a URL's host, so its cost does not grow with the number of rules.

mod paths;

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;
use url::{Host, Url};

use self::paths::PathRules;
use super::PatternError;
use super::url::{Contacted, comparable_path, contacted_host};

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
    ///
    /// A path without `?` is compared with the path alone, whatever the query; one with `?` with both.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let fail = |why: &str| Err(PatternError(format!("`{text}` {why}")));
        let (host, path) = text.find('/').map_or((text, ""), |slash| text.split_at(slash));
        // Only at the start: a path may hold a URL.
        if path.starts_with("//") && host.ends_with(':') || text.starts_with('/') {
            return fail("is a URL; write it without the scheme: `host` or `host/path`");
        }
        if text.contains('#') || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return fail("holds white space or `#`; write `host` or `host/path`");
        }
        // Judged as it will be compared: `/..` and the like are gone by then.
        let path = normal_path(path);
        if host == "*" && path.bytes().any(|b| !matches!(b, b'/' | b'*')) {
            return Ok(Self { host: "".into(), subdomains: true, path });
        }
        let (host, subdomains) = host.strip_prefix("*.").map_or((host, false), |domain| (domain, true));
        if host == "*" || (host.is_empty() && subdomains) {
            return fail("matches every URL; name a host or a path");
        }
        if host.is_empty() || host.contains(['*', '?', '@', '\\']) {
            return fail("has no usable host; write `host`, `*.domain`, `host/path*` or `*/path`");
        }
        let Ok(url) = Url::parse(&format!("https://{host}/")) else {
            return fail("has no usable host; write `host`, `*.domain`, `host/path*` or `*/path`");
        };
        if host.rsplit(']').next().is_some_and(|after| after.contains(':')) {
            return fail("names a port; leave it out, a rule holds for every port of its host");
        }
        if subdomains && !matches!(url.host(), Some(Host::Domain(_))) {
            return fail("is an address, which has nothing below it; leave out `*.`");
        }
        match contacted_host(&url) {
            // One dot at the end is the DNS root; a second would stay.
            // Nor is anything a host that no name or address is written with, though URLs take it.
            Some(host) if !host.is_empty() && !host.ends_with('.') && host.bytes().all(is_host_byte) => {
                Ok(Self { host: host.into(), subdomains, path })
            }
            _ => fail("has no usable host; write `host`, `*.domain`, `host/path*` or `*/path`"),
        }
    }
}

impl HostPattern {
    /// Of the paths of one host, the one that weighs most is asked first.
    pub(super) fn path_weight(&self) -> impl Ord + use<> {
        paths::weight(&self.path)
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
}

/// The path as the parser would write it in a URL, so that both sides of a comparison are escaped alike.
fn normal_path(path: &str) -> Box<str> {
    if path.is_empty() {
        return path.into();
    }
    match Url::parse(&format!("https://any.invalid{path}")) {
        Ok(url) => comparable_path(&url).into(),
        Err(_) => path.into(),
    }
}

impl fmt::Display for HostPattern {
    /// As written in a policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.host, self.subdomains) {
            ("", _) => write!(f, "*{}", self.path),
            (host, true) => write!(f, "*.{host}{}", self.path),
            (host, false) => write!(f, "{host}{}", self.path),
        }
    }
}

/// Answers "which rule?" for a URL.
#[derive(Debug)]
pub struct UrlIndex<T> {
    /// In the order written.
    items: Vec<T>,
    /// The table never changes, so that no stranger can fill it: a fast hash will do.
    hosts: HashMap<Box<str>, HostRules, RandomState>,
    any_host: PathRules,
}

/// The rules of one host name: for itself, and for all at or below it.
#[derive(Debug, Default)]
struct HostRules {
    here: Rules,
    below: Rules,
}

#[derive(Debug, Default)]
struct Rules {
    host: Option<usize>,
    paths: PathRules,
}

impl<T> UrlIndex<T> {
    /// Takes the patterns in the order in which they are written.
    pub fn new(rules: impl IntoIterator<Item = (HostPattern, T)>) -> Self {
        let mut index = Self { items: Vec::new(), hosts: HashMap::default(), any_host: PathRules::default() };
        for (pattern, item) in rules {
            let at = index.items.len();
            index.items.push(item);
            if pattern.host.is_empty() {
                index.any_host.push(&pattern.path, at);
                continue;
            }
            let host = index.hosts.entry(pattern.host).or_default();
            let rules = if pattern.subdomains { &mut host.below } else { &mut host.here };
            if pattern.path.is_empty() {
                rules.host.get_or_insert(at);
            } else {
                rules.paths.push(&pattern.path, at);
            }
        }
        let tables = index.hosts.values_mut().flat_map(|host| [&mut host.here.paths, &mut host.below.paths]);
        tables.chain([&mut index.any_host]).for_each(PathRules::compile);
        index
    }

    /// The most specific rule: one with a path before one without, the longer host before the shorter, the
    /// longer path before the shorter; rules for any host come last. URLs that contact nobody have none.
    pub fn find(&self, url: &Url) -> Option<&T> {
        self.find_contacted(&Contacted::of(url)?)
    }

    /// As [`find`](Self::find), for a URL that several lists are asked for.
    pub(super) fn find_contacted(&self, contacted: &Contacted<'_>) -> Option<&T> {
        let Contacted { host, path, is_address } = contacted;
        let mut by_host = None;
        let mut suffix = Some(*host).filter(|_| !self.hosts.is_empty());
        while let Some(name) = suffix {
            if let Some(rules) = self.hosts.get(name) {
                // A rule for exactly this host is longer than one for it and all below.
                let here = Some(&rules.here).filter(|_| name.len() == host.len());
                for rules in here.into_iter().chain([&rules.below]) {
                    if let Some(at) = rules.paths.find(path) {
                        return self.items.get(at);
                    }
                    by_host = by_host.or(rules.host);
                }
            }
            let dot = memchr::memchr(b'.', name.as_bytes()).filter(|_| !is_address);
            suffix = dot.map(|dot| &name[dot + 1..]);
        }
        self.items.get(by_host.or_else(|| self.any_host.find(path))?)
    }
}

#[cfg(test)]
mod tests;
