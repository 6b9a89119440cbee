//! The attributes of one start tag, found in its own bytes, decoded for judging; and edits of those bytes.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::Encoding;

use super::references;
use crate::page::escape;

/// The bytes of one start tag, from `<` to `>`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'t> {
    pub(super) bytes: &'t [u8],
    pub(super) encoding: &'static Encoding,
    /// Names count as they are written, but for their prefixes, which may be any.
    pub(super) xml: bool,
}

/// One attribute of a start tag. Of doubled ones only the first counts, as in browsers.
#[derive(Debug)]
pub(super) struct Attribute<'t> {
    /// In lower case.
    pub(super) name: &'static str,
    source: Source<'t>,
    /// Where it stands in the tag: the name, and the value without its quotes.
    name_at: Range<usize>,
    value_at: Range<usize>,
}

impl<'t> Attribute<'t> {
    /// The value with its character references decoded.
    pub(super) fn value(&self) -> Cow<'t, str> {
        let raw = &self.source.bytes[self.value_at.clone()];
        let ascii = if raw.is_ascii() { std::str::from_utf8(raw).ok() } else { None };
        let text = match ascii {
            Some(ascii) => Cow::Borrowed(ascii),
            None => self.source.encoding.decode_without_bom_handling(raw).0,
        };
        match text {
            _ if memchr::memchr(b'&', raw).is_none() => text,
            Cow::Borrowed(text) => references::decode(text),
            Cow::Owned(text) => Cow::Owned(references::decode(&text).into_owned()),
        }
    }

    /// An edit that removes it.
    pub(super) fn remove(&self) -> Edit {
        let end = with_quotes(self.source.bytes, self.value_at.clone()).end;
        Edit { at: before(self.source.bytes, self.name_at.start, end)..end, with: String::new() }
    }

    /// An edit that gives it another value.
    pub(super) fn replace(&self, value: &str) -> Edit {
        Edit { at: with_quotes(self.source.bytes, self.value_at.clone()), with: escape::quote(value) }
    }

    /// An edit that keeps its value under another name, where no browser acts on it, after `first`.
    pub(super) fn set_aside(&self, first: &str) -> Edit {
        Edit { at: self.name_at.clone(), with: format!("{first}{}", self.aside()) }
    }

    /// As [`Attribute::replace`], with the value that it had kept under the other name.
    pub(super) fn replace_aside(&self, value: &str) -> [Edit; 2] {
        let kept = format!("{}={} ", self.aside(), escape::quote(&self.value()));
        [Edit { at: self.name_at.start..self.name_at.start, with: kept }, self.replace(value)]
    }

    /// A colon would be a prefix that nobody has declared, in XHTML.
    fn aside(&self) -> String {
        format!("data-consentry-{}", self.name.replace(':', "-"))
    }
}

/// The attributes of the tag that `known` has a name for, in their order.
pub(super) fn read<'t>(source: Source<'t>, known: impl Fn(&str) -> Option<&'static str>) -> Vec<Attribute<'t>> {
    let mut found: Vec<Attribute<'_>> = Vec::new();
    let mut rest = Names::behind(source.bytes, 1);
    while let Some((name_at, value_at)) = rest.next() {
        let mut lower = [0; LONGEST];
        let mut written = &source.bytes[name_at.clone()];
        if source.xml && written.ends_with(b":href") {
            written = b"xlink:href";
        }
        let Some(lower) = lower.get_mut(..written.len()) else { continue };
        lower.copy_from_slice(written);
        lower.make_ascii_lowercase();
        if source.xml && lower != written {
            continue;
        }
        let Some(name) = std::str::from_utf8(lower).ok().and_then(&known) else { continue };
        if found.iter().all(|a| a.name != name) {
            found.push(Attribute { name, source, name_at, value_at });
        }
    }
    found
}

/// No name that anybody asks for is longer.
const LONGEST: usize = 24;

/// Where the tag's own name ends.
pub(super) fn name_end(tag: &[u8]) -> usize {
    tag.iter().position(|byte| is_space(*byte) || matches!(byte, b'/' | b'>')).unwrap_or(tag.len())
}

/// Where the tag that the bytes begin with ends.
pub(super) fn tag_end(bytes: &[u8]) -> usize {
    let mut names = Names::behind(bytes, 1);
    while names.next().is_some() {}
    (names.at + 1).min(bytes.len())
}

/// Goes over the attributes as tokenizers do (HTML §13.2.5.32 ff.): the places of name and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'t> {
    tag: &'t [u8],
    at: usize,
}

impl<'t> Names<'t> {
    /// Those behind the tag's own name, which begins at `name`.
    pub(super) fn behind(tag: &'t [u8], name: usize) -> Self {
        Self::from(tag, name + name_end(&tag[name.min(tag.len())..]))
    }

    /// Those of a tag from here on.
    pub(super) fn from(tag: &'t [u8], at: usize) -> Self {
        Self { tag, at }
    }

    /// Where it has come to: behind the last attribute that it told of, in the end to the tag's `>`.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next attribute's name as it is written.
    pub(super) fn next_name(&mut self) -> Option<&'t [u8]> {
        self.next().map(|(name, _)| &self.tag[name])
    }

    // In a call's place it costs a third less: who only looks for the end of a tag wants none of what it returns.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(Range<usize>, Range<usize>)> {
        self.skip(|byte| is_space(byte) || byte == b'/');
        let start = self.at;
        if self.byte()? == b'>' {
            return None;
        }
        // An equals sign in the first place belongs to the name.
        self.at += 1;
        self.skip(|byte| !is_space(byte) && !matches!(byte, b'/' | b'>' | b'='));
        let name = start..self.at;
        self.skip(is_space);
        if self.byte() != Some(b'=') {
            // What followed belongs to the next one.
            return Some((name.clone(), name.end..name.end));
        }
        self.at += 1;
        self.skip(is_space);
        let value = match self.byte() {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                let start = self.at;
                let length = memchr::memchr(quote, &self.tag[start..]).unwrap_or(self.tag.len() - start);
                self.at = (start + length + 1).min(self.tag.len());
                start..start + length
            }
            _ => {
                let start = self.at;
                self.skip(|byte| !is_space(byte) && byte != b'>');
                start..self.at
            }
        };
        Some((name, value))
    }

    fn byte(&self) -> Option<u8> {
        self.tag.get(self.at).copied()
    }

    #[inline]
    fn skip(&mut self, while_: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&while_) {
            self.at += 1;
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xc)
}

/// A change of one place of the tag's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    at: Range<usize>,
    with: String,
}

impl Edit {
    /// Writes something where the attributes of the tag begin.
    pub(super) fn insert(tag: &[u8], what: &str) -> Self {
        let at = name_end(tag);
        Self { at: at..at, with: format!(" {what}") }
    }
}

/// Writes the tag with the edits done, and everything between them as it was.
pub(super) fn apply(tag: &[u8], edits: &mut [Edit], out: &mut Vec<u8>) {
    edits.sort_by_key(|edit| edit.at.start);
    let mut done = 0;
    for edit in edits {
        out.extend_from_slice(&tag[done..edit.at.start]);
        out.extend_from_slice(edit.with.as_bytes());
        done = edit.at.end;
    }
    out.extend_from_slice(&tag[done..]);
}

/// Widens the place of a value to its quotes, if it has any.
fn with_quotes(tag: &[u8], value: Range<usize>) -> Range<usize> {
    let opening = value.start.checked_sub(1).and_then(|at| tag.get(at));
    match (opening, tag.get(value.end)) {
        (Some(b'"' | b'\''), closing) if opening == closing => value.start - 1..value.end + 1,
        _ => value,
    }
}

/// Where the removal of an attribute begins: the white space before it goes too, unless the next attribute follows
/// without any (`ping="x"href=y`).
fn before(tag: &[u8], name: usize, end: usize) -> usize {
    match tag.get(end) {
        Some(next) if is_space(*next) || matches!(next, b'/' | b'>') => {
            tag[..name].iter().rposition(|byte| !is_space(*byte)).map_or(name, |at| at + 1)
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_as_tokenizers_find_them() {
        for (tag, wanted) in [
            ("<img>", &[][..]),
            ("<img src=a>", &[("src", "a")]),
            ("<img SRC = 'a b' Href>", &[("src", "a b"), ("href", "")]),
            ("<img/src=\"a\"/href=b/>", &[("src", "a"), ("href", "b/")]),
            ("<img src=a src=b>", &[("src", "a")]),
            ("<img src src=b>", &[("src", "")]),
            ("<img =src=a href=b>", &[("href", "b")]),
            ("<img src==a>", &[("src", "=a")]),
            ("<img src= >", &[("src", "")]),
            ("<img src=>", &[("src", "")]),
            ("<img \"src=a href\n=\nb>", &[("href", "b")]),
            ("<img a=''src=b>", &[("src", "b")]),
            ("<img title='src=x > y' src=b>", &[("src", "b")]),
            ("<img src='a&amp;b&#x2f;'>", &[("src", "a&b/")]),
        ] {
            let source = Source { bytes: tag.as_bytes(), encoding: encoding_rs::UTF_8, xml: false };
            let found = read(source, |name| ["src", "href"].into_iter().find(|known| *known == name));
            let found: Vec<_> = found.iter().map(|a| (a.name, a.value())).collect();
            let wanted: Vec<_> = wanted.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))).collect();
            assert_eq!(found, wanted, "{tag}");
        }
    }
}
