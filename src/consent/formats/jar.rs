//! The tool's own cookies of one request.

use super::{Reading, Spec};
use crate::cookie::Pair;

/// The most that browsers keep in one cookie; more never came out of one.
const MAX_VALUE: usize = 4096;
/// More cookies of one tool than any browser would send.
const MAX_COOKIES: usize = 64;

/// The cookies that are the tool's.
pub(super) struct Jar<'a> {
    pairs: Vec<Pair<'a>>,
    /// The site's own name for the record.
    pub(super) renamed: Option<&'a str>,
    spec: &'static Spec,
}

impl<'a> Jar<'a> {
    pub(super) fn new(pairs: Vec<Pair<'a>>, renamed: Option<&'a str>, spec: &'static Spec) -> Self {
        Self { pairs, renamed, spec }
    }

    /// What only reads as if it had the name is somebody else's; what is too long was not written by the tool.
    pub(super) fn is_doubtful(&self) -> bool {
        self.pairs.len() > MAX_COOKIES
            || self.pairs.iter().any(|pair| pair.nameless() || pair.value().len() > MAX_VALUE)
    }

    /// All cookies, in the order of the request.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.pairs.iter().map(|pair| (pair.name(), pair.value()))
    }

    /// The values of the cookie of this name: more than one where several paths or domains have it.
    pub(super) fn values(&self, name: impl AsRef<[u8]>) -> impl Iterator<Item = &'a [u8]> {
        self.all().filter(move |(known, _)| *known == name.as_ref()).map(|(_, value)| value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Whether there is a cookie of this name, and every copy holds this value.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.has(name) && self.values(name).all(|known| known == value.as_bytes())
    }

    /// Reads each cookie that holds the record: of copies the strictest counts, of different names the one that decides.
    pub(super) fn records(&self, read: impl Fn(&'a [u8]) -> Reading) -> Reading {
        self.records_by_name(|_, value| read(value))
    }

    /// As [`Self::records`], where the form depends on the name.
    pub(super) fn records_by_name(&self, read: impl Fn(&'a [u8], &'a [u8]) -> Reading) -> Reading {
        let mut names: Vec<(&[u8], Reading)> = Vec::new();
        for (name, value) in self.all().filter(|(name, _)| self.is_record(name)) {
            let next = read(name, value);
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, reading)) => *reading = std::mem::replace(reading, Reading::None).strictest(next),
                None => names.push((name, next)),
            }
        }
        names.into_iter().fold(Reading::None, |all, (_, next)| all.beside(next))
    }

    fn is_record(&self, name: &[u8]) -> bool {
        let is_companion = self.spec.companions.iter().any(|end| name.ends_with(end.as_bytes()));
        !is_companion
            && match self.renamed {
                Some(renamed) => fits(renamed, name),
                None => self.spec.record.iter().any(|pattern| fits(pattern, name)),
            }
    }
}

/// Whether a name is that of a pattern, whose `*` at the end (or the beginning) stands for anything.
pub(super) fn fits(pattern: &str, name: &[u8]) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start.as_bytes()),
        (None, Some(end)) => name.ends_with(end.as_bytes()),
        (None, None) => name == pattern.as_bytes(),
    }
}
