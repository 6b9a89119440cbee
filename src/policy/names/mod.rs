//! Cookie and storage names: exact, `prefix*`, or `^regex`; the most specific pattern wins.
//!
//! [`NameIndex`] asks all patterns at once, on the name as sent and on the percent-decoded one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use foldhash::fast::RandomState;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// How a name is matched: exact text, `prefix*`, or a regular expression that starts with `^`.
#[derive(Debug, Clone)]
pub enum NamePattern {
    /// The whole name.
    Exact(Box<str>),
    /// Names that start so; written with a `*` at the end.
    Prefix(Box<str>),
    /// Written with a `^` at the start.
    Regex(Regex),
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(pub String);

/// Names are bytes, not text: `.` must match an 8-bit name too. Part of the pattern's text, so that
/// whoever compiles that text again means the same.
const FLAGS: &str = "(?s-u)";

/// Bytes of one compiled pattern. Policies are the operator's own, so this catches slips
/// (`{1,100000}`), not attacks; matching is linear in any case.
const REGEX_SIZE: usize = 256 << 10;

/// A regular expression that matches these three matches everything.
const UNLIKE_NAMES: [&[u8]; 3] = [b"kq7zvwxjyhptw", b"ZQ-0183.WXJ_KD", b"_7-7_7-7_7-7"];

impl NamePattern {
    /// Reads a pattern as written in a policy.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError("the name is empty; write a name, `prefix*` or `^regex`".into()));
        }
        if text.chars().any(char::is_control) {
            return Err(PatternError(format!("`{}` holds a control character; remove it", text.escape_debug())));
        }
        if text.starts_with('^') {
            return Self::parse_regex(text);
        }
        let (stem, prefix) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
        if stem.contains('*') {
            return Err(PatternError(format!(
                "`{text}` has a `*` that is not at its end; write a regular expression that starts with `^`"
            )));
        }
        match (stem, prefix) {
            ("", _) => Err(PatternError(matches_everything(text))),
            (stem, true) => Ok(Self::Prefix(stem.into())),
            (stem, false) => Ok(Self::Exact(stem.into())),
        }
    }

    /// Whether this pattern alone matches these very bytes.
    pub fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.as_bytes() == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_bytes()),
            Self::Regex(regex) => regex.is_match(name),
        }
    }

    fn parse_regex(text: &str) -> Result<Self, PatternError> {
        let regex = RegexBuilder::new(&format!("{FLAGS}{text}"))
            .size_limit(REGEX_SIZE)
            .build()
            .map_err(|error| PatternError(explain_regex(text, &error)))?;
        if UNLIKE_NAMES.iter().all(|name| regex.is_match(name)) {
            return Err(PatternError(matches_everything(text)));
        }
        Ok(Self::Regex(regex))
    }
}

fn matches_everything(text: &str) -> String {
    format!("`{text}` matches every name; name the cookies, or say with `unclassified` what happens to the rest")
}

fn explain_regex(text: &str, error: &regex::Error) -> String {
    match error {
        // The crate draws the pattern and an arrow; its last line is the reason.
        regex::Error::Syntax(drawing) => {
            let reason = drawing.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{text}` is not a valid regular expression: {reason}; correct it, or write a name or `prefix*`")
        }
        _ => format!("the regular expression `{text}` grows too large; use smaller repetitions"),
    }
}

impl fmt::Display for NamePattern {
    /// As written in a policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Regex(regex) => f.write_str(regex.as_str().trim_start_matches(FLAGS)),
        }
    }
}

/// Answers "which pattern?" in a time that does not grow with their number.
#[derive(Debug)]
pub struct NameIndex<T> {
    /// In the order written.
    items: Vec<T>,
    /// The table never changes, so that no stranger can fill it: a fast hash will do.
    exact: HashMap<Box<[u8]>, usize, RandomState>,
    prefixes: PrefixTable,
    regexes: RegexSet,
    /// From the set's numbering to `items`.
    regex_items: Vec<usize>,
}

/// How specific a match is: the derived order is the order of precedence, least first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Exact,
    Prefix(std::cmp::Reverse<usize>),
    Regex(usize),
}

impl<T> NameIndex<T> {
    /// Takes the patterns in the order in which they are written.
    pub fn new(rules: impl IntoIterator<Item = (NamePattern, T)>) -> Self {
        let mut items = Vec::new();
        let mut exact = HashMap::default();
        let mut prefixes = Vec::new();
        let mut regexes = Vec::new();
        let mut regex_items = Vec::new();
        for (pattern, item) in rules {
            let at = items.len();
            items.push(item);
            match pattern {
                NamePattern::Exact(name) => {
                    exact.entry(Box::from(name.as_bytes())).or_insert(at);
                }
                NamePattern::Prefix(prefix) => prefixes.push((Box::from(prefix.as_bytes()), at)),
                NamePattern::Regex(regex) => {
                    regexes.push(regex.as_str().to_owned());
                    regex_items.push(at);
                }
            }
        }
        let regexes = RegexSetBuilder::new(&regexes)
            .size_limit(usize::MAX)
            .build()
            .expect("each pattern was compiled alone before, and the size of the set is not limited");
        Self { items, exact, prefixes: PrefixTable::new(prefixes), regexes, regex_items }
    }

    /// The most specific rule for the name as sent or percent-decoded; as sent wins between equals.
    ///
    /// Allocates only for names that hold a `%XX`, or that a regular expression matches.
    pub fn find(&self, name: &[u8]) -> Option<&T> {
        self.find_form(&Form::of(name))
    }

    /// As [`find`](Self::find), for a name that several lists are asked for.
    pub(super) fn find_form(&self, name: &Form<'_>) -> Option<&T> {
        if self.items.is_empty() {
            return None;
        }
        let raw = self.ranked(name.sent);
        let Some(decoded) = &name.decoded else { return self.items.get(raw?.1) };
        let (_, at) = match (raw, self.ranked(decoded)) {
            (Some(raw), Some(decoded)) => std::cmp::min_by_key(raw, decoded, |(rank, _)| *rank),
            (raw, decoded) => raw.or(decoded)?,
        };
        self.items.get(at)
    }

    fn ranked(&self, name: &[u8]) -> Option<(Rank, usize)> {
        if let Some(at) = self.exact.get(name) {
            return Some((Rank::Exact, *at));
        }
        if let Some((len, at)) = self.prefixes.longest(name) {
            return Some((Rank::Prefix(std::cmp::Reverse(len)), at));
        }
        // Most names match none: ask that first, for it needs no list of matches.
        if self.regex_items.is_empty() || !self.regexes.is_match(name) {
            return None;
        }
        let first = self.regexes.matches(name).iter().next()?;
        Some((Rank::Regex(first), *self.regex_items.get(first)?))
    }
}

/// A name as sent, and as percent-decoded where that is another.
#[derive(Debug)]
pub(super) struct Form<'n> {
    sent: &'n [u8],
    decoded: Option<Vec<u8>>,
}

impl<'n> Form<'n> {
    pub(super) fn of(sent: &'n [u8]) -> Self {
        if memchr::memchr(b'%', sent).is_none() {
            return Self { sent, decoded: None };
        }
        let decoded = match percent_encoding::percent_decode(sent).into() {
            Cow::Borrowed(_) => None,
            Cow::Owned(decoded) => Some(decoded),
        };
        Self { sent, decoded }
    }
}

/// Prefixes in byte order, each with a link to the longest other one that it starts with.
#[derive(Debug, Default)]
struct PrefixTable {
    entries: Vec<PrefixEntry>,
    /// Where those of each first byte stand.
    first: Vec<Range<usize>>,
}

#[derive(Debug)]
struct PrefixEntry {
    prefix: Box<[u8]>,
    parent: Option<usize>,
    item: usize,
}

impl PrefixTable {
    fn new(mut rules: Vec<(Box<[u8]>, usize)>) -> Self {
        // The item number is the second key, so the first written of equal prefixes stays.
        rules.sort();
        rules.dedup_by(|later, earlier| later.0 == earlier.0);
        let mut entries: Vec<PrefixEntry> = Vec::with_capacity(rules.len());
        for (prefix, item) in rules {
            let mut parent = entries.len().checked_sub(1);
            while let Some(at) = parent.filter(|at| !prefix.starts_with(&entries[*at].prefix)) {
                parent = entries[at].parent;
            }
            entries.push(PrefixEntry { prefix, parent, item });
        }
        let from = |byte: usize| entries.partition_point(|entry| usize::from(entry.prefix[0]) < byte);
        let first = (0..256).map(|byte| from(byte)..from(byte + 1)).collect();
        Self { entries, first }
    }

    /// Length and item of the longest prefix of `name`.
    fn longest(&self, name: &[u8]) -> Option<(usize, usize)> {
        // All entries between a prefix of `name` and `name` itself start with that prefix, so the links
        // of the last entry not after `name` lead through every prefix of it.
        let Range { start, end } = self.first.get(usize::from(*name.first()?))?.clone();
        let behind = self.entries[start..end].partition_point(|entry| *entry.prefix <= *name);
        let mut at = (start + behind).checked_sub(1).filter(|at| *at >= start);
        while let Some(entry) = at.map(|at| &self.entries[at]) {
            if name.starts_with(&entry.prefix) {
                return Some((entry.prefix.len(), entry.item));
            }
            at = entry.parent;
        }
        None
    }
}

#[cfg(test)]
mod tests;
