//! Validators that carry the grant: `ETag: "x"` leaves as `W/"x~G"`, so that a visitor who changed their mind never
//! revalidates the page of the old mind (RFC 9110 §8.8.3, §13.1).
//!
//! `G` is eight hex digits; `~wG` instead of `~G` says that the origin's own tag was weak.

use http::header::{ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Method};

use crate::policy::{Grant, Policy};

/// What is added to the tags of one grant under one policy version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suffix([u8; 8]);

impl Suffix {
    /// Equal grants of equal policy versions have equal suffixes.
    pub fn new(policy: &Policy, grant: &Grant) -> Self {
        Self::salted(policy, grant, 0)
    }

    /// The same for pages that say something more: `salt` stands for that.
    pub fn salted(policy: &Policy, grant: &Grant, salt: u64) -> Self {
        let digest = grant.digest(policy.fingerprint() ^ salt);
        let mut text = [0; 8];
        for (place, digit) in text.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(digest >> (28 - 4 * place) & 0xf) as usize];
        }
        Self(text)
    }
}

/// What a request said of what the client has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditional {
    /// Nothing of ours: a 304 speaks of the origin's own bytes.
    Plain,
    /// It held a tag of ours, or may be for a document: a 304 to it speaks of a filtered page.
    Filtered,
}

/// The origin's tag with the grant in it; `None` if it is no entity tag, and then it must go.
pub fn encode(tag: &[u8], suffix: Suffix) -> Option<HeaderValue> {
    let tag = Tag::parse(tag)?;
    let mut text = Vec::with_capacity(tag.opaque.len() + 14);
    text.extend_from_slice(b"W/\"");
    text.extend_from_slice(tag.opaque);
    text.extend_from_slice(if tag.weak { b"~w" } else { b"~" });
    text.extend_from_slice(&suffix.0);
    text.push(b'"');
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()
}

/// Puts the grant into the tag of a response that depends on it.
pub(super) fn response(headers: &mut HeaderMap, suffix: Suffix) {
    let mut tags = headers.get_all(ETAG).iter();
    match (tags.next(), tags.next()) {
        (None, _) => {}
        (Some(tag), None) => match encode(tag.as_bytes(), suffix) {
            Some(ours) => drop(headers.insert(ETAG, ours)),
            None => drop(headers.remove(ETAG)),
        },
        // Two tags: nobody can say which one the client would send back.
        _ => drop(headers.remove(ETAG)),
    }
}

/// Gives the origin its own tags back. `document` says that the answer may be a page that we filter: then a
/// condition without our tag could revive a copy from before us, or one whose only validator is its date.
pub(super) fn request(headers: &mut HeaderMap, method: &Method, document: bool, suffix: Suffix) -> Conditional {
    let read = matches!(*method, Method::GET | Method::HEAD);
    let conditional = if_none_match(headers, read && document, suffix);
    if_match(headers);
    // Ours are weak, and a weak tag never validates a range (§13.1.5): the whole page it is.
    if headers.get(IF_RANGE).is_some_and(|tag| Tag::parse(tag.as_bytes()).and_then(Tag::decode).is_some()) {
        headers.remove(IF_RANGE);
        headers.remove(RANGE);
    }
    conditional
}

fn if_none_match(headers: &mut HeaderMap, document: bool, suffix: Suffix) -> Conditional {
    let (mut list, mut ours, mut dropped) = (Vec::new(), false, false);
    for line in headers.get_all(IF_NONE_MATCH) {
        for text in list_of_tags(line.as_bytes()) {
            let parsed = Tag::parse(text);
            let decoded = parsed.and_then(Tag::decode);
            ours |= decoded.is_some();
            match decoded {
                Some((tag, found)) if found == suffix => tag.write(&mut list),
                // `*` and malformed tags pass only where they cannot concern a page.
                None if !document => join(&mut list, &[text]),
                Some(_) | None => dropped = true,
            }
        }
    }
    if !ours && !document {
        return Conditional::Plain;
    }
    let kept = !list.is_empty() && !dropped;
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(list)) {
        Ok(value) if !value.is_empty() => drop(headers.insert(IF_NONE_MATCH, value)),
        _ => drop(headers.remove(IF_NONE_MATCH)),
    }
    // The date alone cannot say under which grant the copy was made.
    if !kept {
        headers.remove(IF_MODIFIED_SINCE);
    }
    Conditional::Filtered
}

/// The grant does not matter here: the condition guards the origin's own state against lost updates, so it is
/// mapped back whatever the grant, and never dropped.
fn if_match(headers: &mut HeaderMap) {
    let decoded = |text| Tag::parse(text).and_then(Tag::decode);
    if !headers.get_all(IF_MATCH).iter().any(|line| list_of_tags(line.as_bytes()).any(|tag| decoded(tag).is_some())) {
        return;
    }
    let mut list = Vec::new();
    for line in headers.get_all(IF_MATCH) {
        for text in list_of_tags(line.as_bytes()) {
            match decoded(text) {
                Some((tag, _)) => tag.write(&mut list),
                None => join(&mut list, &[text]),
            }
        }
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(list)) {
        headers.insert(IF_MATCH, value);
    }
}

/// An entity tag, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> Tag<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (weak, quoted) = match text.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let etagc = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        // Blanks are against the grammar, but known from origins, and harmless between quotes.
        opaque.iter().all(|byte| etagc(byte) || *byte == b' ').then_some(Self { weak, opaque })
    }

    /// The origin's tag and the suffix, if this tag is one of ours.
    fn decode(self) -> Option<(Self, Suffix)> {
        let (rest, digits) = self.opaque.split_last_chunk::<8>()?;
        let hex = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !self.weak || !hex {
            return None;
        }
        let (weak, opaque) = match rest.strip_suffix(b"~") {
            Some(opaque) => (false, opaque),
            None => (true, rest.strip_suffix(b"~w")?),
        };
        Some((Self { weak, opaque }, Suffix(*digits)))
    }

    fn write(self, list: &mut Vec<u8>) {
        let prefix: &[u8] = if self.weak { b"W/\"" } else { b"\"" };
        join(list, &[prefix, self.opaque, b"\""]);
    }
}

/// The elements of a list of tags. In a tag a backslash escapes nothing (§8.8.3), so that `list` won't do.
fn list_of_tags(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |byte| {
        quoted ^= *byte == b'"';
        !quoted && *byte == b','
    })
    .map(<[u8]>::trim_ascii)
    .filter(|tag| !tag.is_empty())
}

fn join(list: &mut Vec<u8>, parts: &[&[u8]]) {
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    parts.iter().for_each(|part| list.extend_from_slice(part));
}

#[cfg(test)]
mod tests;
