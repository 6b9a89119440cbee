//! The tokens of HTML content (HTML §13.2.5), as far as their places go.

use memchr::{memchr, memmem};

use super::class::{self, Class, Classes};
use super::name::Name;
use crate::html::attributes::Names;

/// What comes next in HTML content.
#[derive(Debug)]
pub(super) enum Token<'t> {
    /// A part of a run of text.
    Text,
    /// A comment, a declaration, or whatever else browsers take for a comment.
    Comment,
    /// A start tag.
    Start(Start<'t>),
    /// An end tag, by its name.
    End(Name<'t>),
}

/// What there is to know of a start tag.
#[derive(Debug)]
pub(super) struct Start<'t> {
    pub(super) name: Name<'t>,
    pub(super) class: Class,
    pub(super) has_content: bool,
    /// It has an attribute for which elements of its class may matter.
    pub(super) matters: bool,
}

/// Bytes of text before the next token.
#[inline]
pub(super) fn text(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(b'<') => 0,
        _ => memchr(b'<', bytes).unwrap_or(bytes.len()),
    }
}

/// Reads the next token, and how many bytes it has; `None` if it is not complete.
#[inline]
pub(super) fn read<'t>(bytes: &'t [u8], classes: &mut Classes) -> Option<(Token<'t>, usize)> {
    let (first, rest) = bytes.split_first()?;
    if *first != b'<' {
        return Some((Token::Text, text(bytes)));
    }
    match rest.first()? {
        byte if byte.is_ascii_alphabetic() => start(bytes, classes),
        b'/' if bytes.get(2)?.is_ascii_alphabetic() => {
            let (name, behind) = Name::read(bytes, 2)?;
            let mut attributes = Names::from(bytes, behind);
            while attributes.next().is_some() {}
            Some((Token::End(name), end(bytes, &attributes)?))
        }
        b'/' => bogus(bytes, 2),
        b'!' => declaration(bytes),
        b'?' => bogus(bytes, 2),
        _ => Some((Token::Text, 1 + text(rest))),
    }
}

#[inline]
fn start<'t>(bytes: &'t [u8], classes: &mut Classes) -> Option<(Token<'t>, usize)> {
    let (name, behind) = Name::read(bytes, 1)?;
    let (class, has_content) = classes.of(name);
    let mut attributes = Names::from(bytes, behind);
    let mut matters = false;
    match class {
        Class::Judged(kind) => {
            while let Some(attribute) = attributes.next_name() {
                matters |= class::matters(kind, attribute);
            }
        }
        _ => while attributes.next().is_some() {},
    }
    let length = end(bytes, &attributes)?;
    Some((Token::Start(Start { name, class, has_content, matters }), length))
}

/// How long a tag is whose attributes have been read; `None` if they stopped where the bytes do.
#[inline]
fn end(bytes: &[u8], attributes: &Names<'_>) -> Option<usize> {
    bytes.get(attributes.at()).map(|_| attributes.at() + 1)
}

/// The name of the start tag that these bytes begin, though more of it must come.
pub(super) fn begins(bytes: &[u8]) -> Option<Name<'_>> {
    bytes.strip_prefix(b"<").filter(|name| name.first().is_some_and(u8::is_ascii_alphabetic))?;
    Name::read(bytes, 1).map(|(name, _)| name)
}

/// What browsers take for a comment up to the next `>` (HTML §13.2.5.41); a `<!DOCTYPE>` ends there too.
fn bogus(bytes: &[u8], from: usize) -> Option<(Token<'_>, usize)> {
    memchr(b'>', &bytes[from..]).map(|length| (Token::Comment, from + length + 1))
}

/// What begins with `<!`.
fn declaration(bytes: &[u8]) -> Option<(Token<'_>, usize)> {
    if bytes.len() < 4 && b"<!--".starts_with(bytes) {
        return None;
    }
    let Some(text) = bytes.strip_prefix(b"<!--") else { return bogus(bytes, 2) };
    // HTML §13.2.5.43 f.: it may end with the dashes that it begins with.
    for (end, length) in [(&b">"[..], 5), (b"->", 6)] {
        if text.starts_with(end) {
            return Some((Token::Comment, length));
        }
    }
    let mut from = 0;
    loop {
        let dashes = from + memmem::find(&text[from..], b"--")?;
        match (text.get(dashes + 2)?, text.get(dashes + 3)) {
            (b'>', _) => return Some((Token::Comment, 4 + dashes + 3)),
            (b'!', Some(b'>')) => return Some((Token::Comment, 4 + dashes + 4)),
            (b'!', None) => return None,
            _ => from = dashes + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_where_those_of_browsers_end() {
        for (bytes, wanted) in [
            ("", None),
            ("text<b>", Some(4)),
            ("text", Some(4)),
            ("< a<b", Some(3)),
            ("<", None),
            ("<1<b>", Some(2)),
            ("<b>x", Some(3)),
            ("<b", None),
            ("<b a='>'>x", Some(9)),
            ("<b a='>", None),
            ("<b a=\">\" c>", Some(11)),
            ("<b a=x'>'>", Some(8)),
            ("<b a=b='>'>", Some(9)),
            ("<b '>'>", Some(5)),
            ("<b = '>'>", Some(7)),
            ("<b a= >x", Some(7)),
            ("<b a=>x", Some(6)),
            ("<b/a='/>'/>x", Some(11)),
            ("</b>x", Some(4)),
            ("</b a='>'>x", Some(10)),
            ("</>x", Some(3)),
            ("</ b>x", Some(5)),
            ("</", None),
            ("<?x>y", Some(4)),
            ("<!doctype html>x", Some(15)),
            ("<!doctype html '>'", Some(17)),
            ("<![CDATA[ a>b ]]>", Some(12)),
            ("<!>x", Some(3)),
            ("<!-", None),
            ("<!->x", Some(4)),
            ("<!--", None),
            ("<!-->x", Some(5)),
            ("<!--->x", Some(6)),
            ("<!---->x", Some(7)),
            ("<!----->x", Some(8)),
            ("<!-- > -- > --- >", None),
            ("<!-- a --!>x", Some(11)),
            ("<!-- a --!", None),
            ("<!-- a --!-->x", Some(13)),
            ("<!--!>x-->", Some(10)),
            ("<!-- a --->x", Some(11)),
            ("<!-- a --", None),
        ] {
            let read = read(bytes.as_bytes(), &mut Classes::new(None));
            assert_eq!(read.map(|(_, length)| length), wanted, "{bytes}");
        }
    }
}
