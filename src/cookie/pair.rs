//! One `name=value` as both headers carry it; the one parser for both directions.
//!
//! No quotes, no commas, no `$Version`: browsers know none of them, and a parser that does lets one cookie swallow others.

use memchr::memchr;

/// A cookie's name and value, as a server reads them from what a browser sends back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    raw: &'a [u8],
    name_at: usize,
    name: &'a [u8],
    value: &'a [u8],
    nameless: bool,
}

impl<'a> Pair<'a> {
    /// Reads the text between two semicolons. Never fails: what has no name gets the one it comes back under.
    ///
    /// A browser stores `=_ga=1` without a name and sends `_ga=1`, which every server reads as `_ga`; so it is `_ga`
    /// here. Some servers skip any number of `=`, so all of them are skipped. `foo` comes back as `foo`.
    pub fn parse(raw: &'a [u8]) -> Self {
        let name_at = raw.iter().position(|byte| !is_wsp(*byte) && *byte != b'=').unwrap_or(raw.len());
        let (lead, text) = raw.split_at(name_at);
        let equals = memchr(b'=', text);
        let (name, rest) = text.split_at(equals.unwrap_or(text.len()));
        let value = rest.strip_prefix(b"=").unwrap_or(rest);
        let nameless = equals.is_none() || lead.contains(&b'=');
        Self { raw, name_at, name: trim(name), value: trim(value), nameless }
    }

    /// The name that a server reads, without the white space around it. Empty only if there is nothing but `=`.
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// What follows the first `=` after the name, quotes included, without the white space around it.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// All bytes between the semicolons.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether the browser keeps (or kept) it without a name. Such a cookie can pass for any other.
    pub fn nameless(&self) -> bool {
        self.nameless
    }

    /// What stands before and after the name in [`Self::raw`].
    pub(super) fn around_name(&self) -> (&'a [u8], &'a [u8]) {
        (&self.raw[..self.name_at], &self.raw[self.name_at + self.name.len()..])
    }

    /// The length of name and value together as browsers count it (RFC 6265bis §5.7), `=` of nameless ones included.
    pub(super) fn stored_len(&self) -> usize {
        match memchr(b'=', self.raw) {
            Some(at) => trim(&self.raw[..at]).len() + trim(&self.raw[at + 1..]).len(),
            None => trim(self.raw).len(),
        }
    }
}

/// SP and HTAB, which is all that browsers trim.
pub(super) fn is_wsp(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_wsp(*byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_wsp(*byte)).map_or(start, |at| at + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_come_back() {
        for (raw, name, value, nameless) in [
            ("_ga=1", "_ga", "1", false),
            (" \t_ga \t= \t1 \t", "_ga", "1", false),
            ("=_ga=1", "_ga", "1", true),
            (" = _ga=1", "_ga", "1", true),
            ("==\t=_ga=1", "_ga", "1", true),
            ("=_ga", "_ga", "", true),
            ("_ga", "_ga", "", true),
            ("_ga=", "_ga", "", false),
            ("_ga==1", "_ga", "=1", false),
            ("a=b=c", "a", "b=c", false),
            ("\"_ga\"=\"1\"", "\"_ga\"", "\"1\"", false),
            ("$Version=1", "$Version", "1", false),
            ("a=1, b=2", "a", "1, b=2", false),
            ("a b=1", "a b", "1", false),
            ("", "", "", true),
            (" = ", "", "", true),
        ] {
            let pair = Pair::parse(raw.as_bytes());
            assert_eq!(
                (pair.name(), pair.value(), pair.nameless()),
                (name.as_bytes(), value.as_bytes(), nameless),
                "{raw:?}"
            );
        }
    }

    #[test]
    fn white_space_that_browsers_do_not_trim_is_part_of_the_name() {
        assert_eq!(Pair::parse(b"\xa0__Host-a=1").name(), b"\xa0__Host-a");
        assert_eq!(Pair::parse("\u{2000}a=1".as_bytes()).name(), "\u{2000}a".as_bytes());
        assert_eq!(Pair::parse(b"\x0ba=1").name(), b"\x0ba");
    }
}
