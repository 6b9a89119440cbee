//! A reader of one `Set-Cookie` line: spans of the line, judged as a browser would (RFC 6265bis §5.6 and §5.7).
//!
//! It never fails and never allocates; a line that browsers throw away says so with [`SetCookie::ignored`].

use std::ops::Range;

use memchr::memchr;

use super::pair::trim;
use super::{Pair, UnixTime, date};

/// The length of name and value together up to which browsers keep a cookie.
pub(super) const MAX_PAIR: usize = 4096;
/// The length of an attribute's value up to which browsers look at it.
const MAX_ATTRIBUTE: usize = 1024;

/// `SameSite`, which decides whether a cookie travels on requests that other sites cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Sent on same-site requests only.
    Strict,
    /// Sent on cross-site top-level navigations too.
    Lax,
    /// Sent everywhere; browsers want `Secure` with it.
    None,
}

impl SameSite {
    /// As written after `SameSite=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }

    fn parse(value: &[u8]) -> Option<Self> {
        [Self::Strict, Self::Lax, Self::None].into_iter().find(|s| value.eq_ignore_ascii_case(s.as_str().as_bytes()))
    }
}

/// One `Set-Cookie` line, as it came.
#[derive(Debug, Clone, Copy)]
pub struct SetCookie<'a> {
    line: &'a [u8],
    pair: Pair<'a>,
    /// The last valid one of each, wherever they stand: nearly everybody asks for the lifetime.
    max_age: Option<i64>,
    expires: Option<UnixTime>,
}

impl<'a> SetCookie<'a> {
    /// Finds the pair and what bounds the cookie's life; other attributes are read when asked for.
    pub fn parse(line: &'a [u8]) -> Self {
        let end = memchr(b';', line).unwrap_or(line.len());
        let mut cookie = Self { line, pair: Pair::parse(&line[..end]), max_age: None, expires: None };
        for attribute in cookie.attributes().filter(|attribute| attribute.value.len() <= MAX_ATTRIBUTE) {
            match attribute.kind() {
                AttributeKind::MaxAge => cookie.max_age = attribute.max_age().or(cookie.max_age),
                AttributeKind::Expires => cookie.expires = attribute.expires().or(cookie.expires),
                _ => {}
            }
        }
        cookie
    }

    /// The line, as it came.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Name and value.
    pub fn pair(&self) -> Pair<'a> {
        self.pair
    }

    /// The name under which a server will read it back; see [`Pair::parse`].
    pub fn name(&self) -> &'a [u8] {
        self.pair.name()
    }

    /// The value that a server will read back, quotes included.
    pub fn value(&self) -> &'a [u8] {
        self.pair.value()
    }

    /// All attributes in order, also unknown, empty and doubled ones.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        Attributes { line: self.line, at: self.pair.raw().len() }
    }

    /// Whether browsers throw the line away: control bytes, too long, or nothing in it.
    pub fn ignored(&self) -> bool {
        let stored = self.pair.stored_len();
        stored == 0 || stored > MAX_PAIR || self.line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
    }

    /// Whether it removes the cookie from the browser.
    pub fn deletes(&self, now: UnixTime) -> bool {
        self.lifetime(now) == Some(0)
    }

    /// For how many seconds the browser will keep it; `None` until the session ends.
    pub fn lifetime(&self, now: UnixTime) -> Option<u64> {
        // Max-Age wins over Expires.
        let seconds = self.max_age.or_else(|| self.expires.map(|at| at.0.saturating_sub(now.0)))?;
        Some(u64::try_from(seconds).unwrap_or(0))
    }

    /// Sent over TLS only.
    pub fn is_secure(&self) -> bool {
        self.has(AttributeKind::Secure)
    }

    /// Hidden from scripts.
    pub fn is_http_only(&self) -> bool {
        self.has(AttributeKind::HttpOnly)
    }

    /// Kept apart for each top-level site.
    pub fn is_partitioned(&self) -> bool {
        self.has(AttributeKind::Partitioned)
    }

    /// The last one; `None` where it is missing or no known word, so that the browser's default holds.
    pub fn same_site(&self) -> Option<SameSite> {
        self.last(AttributeKind::SameSite, |attribute| Some(SameSite::parse(attribute.value)))?
    }

    /// The path that holds; `None` where the browser takes the directory of the request.
    pub fn path(&self) -> Option<&'a [u8]> {
        self.last(AttributeKind::Path, |attribute| Some(attribute.value)).filter(|path| path.starts_with(b"/"))
    }

    /// The domain that holds, without a leading dot, in the case it was written; `None` for a host-only cookie.
    pub fn domain(&self) -> Option<&'a [u8]> {
        self.last(AttributeKind::Domain, |attribute| Some(attribute.value))
            .map(|domain| domain.strip_prefix(b".").unwrap_or(domain))
            .filter(|domain| !domain.is_empty())
    }

    fn has(&self, kind: AttributeKind) -> bool {
        self.last(kind, |_| Some(())).is_some()
    }

    fn last<T>(&self, kind: AttributeKind, read: impl Fn(&Attribute<'a>) -> Option<T>) -> Option<T> {
        self.attributes().filter(|a| a.kind() == kind && a.value.len() <= MAX_ATTRIBUTE).filter_map(|a| read(&a)).last()
    }
}

/// One attribute of a `Set-Cookie` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Without the white space around it, in the case it was written.
    pub name: &'a [u8],
    /// Without the white space around it, quotes included; empty for a flag.
    pub value: &'a [u8],
    /// Where it stands in the line, from its `;` to before the next.
    pub span: Range<usize>,
    /// Where the value stands in the line.
    pub value_span: Range<usize>,
}

impl Attribute<'_> {
    /// What browsers take it for.
    pub fn kind(&self) -> AttributeKind {
        use AttributeKind::*;
        // By length first: no more than two of the words that browsers know are equally long.
        let known: &[(&str, AttributeKind)] = match self.name.len() {
            4 => &[("Path", Path)],
            6 => &[("Domain", Domain), ("Secure", Secure)],
            7 => &[("Expires", Expires), ("Max-Age", MaxAge)],
            8 => &[("HttpOnly", HttpOnly), ("SameSite", SameSite)],
            11 => &[("Partitioned", Partitioned)],
            _ => &[],
        };
        known.iter().find(|(name, _)| self.name.eq_ignore_ascii_case(name.as_bytes())).map_or(Other, |(_, kind)| *kind)
    }

    /// The value as `Max-Age` reads it: an optional `-` and digits; too large a number is the largest.
    pub(super) fn max_age(&self) -> Option<i64> {
        let (digits, sign) = self.value.strip_prefix(b"-").map_or((self.value, 1), |digits| (digits, -1));
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let seconds =
            digits.iter().fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        Some(sign * seconds)
    }

    /// The value as `Expires` reads it.
    pub(super) fn expires(&self) -> Option<UnixTime> {
        date::parse(self.value)
    }
}

/// The attributes that browsers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// A date.
    Expires,
    /// Seconds from now; wins over `Expires`.
    MaxAge,
    /// Sub-domains get the cookie too.
    Domain,
    /// The part of the site that gets the cookie.
    Path,
    /// TLS only.
    Secure,
    /// Not for scripts.
    HttpOnly,
    /// Whether it travels on cross-site requests.
    SameSite,
    /// A jar for each top-level site.
    Partitioned,
    /// Anything else; browsers skip it.
    Other,
}

struct Attributes<'a> {
    line: &'a [u8],
    /// On a `;`, or at the end.
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let start = self.at;
        let text = self.line.get(start + 1..)?;
        let text = &text[..memchr(b';', text).unwrap_or(text.len())];
        self.at = start + 1 + text.len();
        let (name, value) = match memchr(b'=', text) {
            Some(equals) => (&text[..equals], &text[equals + 1..]),
            None => (text, &text[text.len()..]),
        };
        let trimmed = trim(value);
        // White space before the value: all of it where the value is empty.
        let lead = value.iter().take_while(|byte| super::pair::is_wsp(**byte)).count();
        let value_at = self.at - value.len() + lead;
        Some(Attribute {
            name: trim(name),
            value: trimmed,
            span: start..self.at,
            value_span: value_at..value_at + trimmed.len(),
        })
    }
}
