//! The attributes of one start tag, decoded for judging; and edits of the tag's own bytes.

use std::borrow::Cow;
use std::ops::Range;

use lol_html::send::Element;

use super::references;
use crate::page::escape;

/// One attribute of a start tag. Of doubled ones only the first counts, as in browsers.
#[derive(Debug)]
pub(super) struct Attribute {
    /// In lower case.
    pub(super) name: String,
    raw: String,
    /// Where it stands in the tag: the name, and the value without its quotes.
    name_at: Range<usize>,
    value_at: Range<usize>,
}

impl Attribute {
    /// The value with its character references decoded.
    pub(super) fn value(&self) -> Cow<'_, str> {
        references::decode(&self.raw)
    }

    /// An edit that removes it.
    pub(super) fn remove(&self) -> Edit {
        Edit { name: self.name_at.clone(), value: self.value_at.clone(), with: None }
    }

    /// An edit that gives it another value.
    pub(super) fn replace(&self, value: &str) -> Edit {
        Edit { name: self.name_at.clone(), value: self.value_at.clone(), with: Some(escape::quote(value)) }
    }
}

/// The attributes of the tag whose names `wanted` asks for, in their order.
pub(super) fn read(element: &Element<'_, '_>, wanted: impl Fn(&str) -> bool) -> Vec<Attribute> {
    let start = element.source_location().bytes().start;
    let mut found: Vec<Attribute> = Vec::new();
    for attribute in element.attributes() {
        let name = attribute.name();
        if !wanted(&name) || found.iter().any(|a| a.name == name) {
            continue;
        }
        // Both are there for whatever was read from the input rather than set by us.
        let Some(name_at) = attribute.name_source_location().map(|at| relative(at.bytes(), start)) else { continue };
        let value_at = attribute.value_source_location().map(|at| relative(at.bytes(), start));
        let value_at = value_at.unwrap_or(name_at.end..name_at.end);
        found.push(Attribute { name, raw: attribute.value(), name_at, value_at });
    }
    found
}

fn relative(at: Range<usize>, start: usize) -> Range<usize> {
    at.start.saturating_sub(start)..at.end.saturating_sub(start)
}

/// A change of one attribute, in places of the tag's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    name: Range<usize>,
    value: Range<usize>,
    /// The new value with its quotes; `None` removes the attribute.
    with: Option<String>,
}

impl Edit {
    /// Where in the tag it begins.
    pub(super) fn place(&self) -> usize {
        self.name.start
    }
}

/// Writes the tag with the edits done, and everything between them as it was. `edits` stand in the tag's order.
pub(super) fn apply(tag: &[u8], edits: &[Edit], out: &mut Vec<u8>) {
    let mut done = 0;
    for edit in edits {
        let value = with_quotes(tag, edit.value.clone());
        match &edit.with {
            Some(with) => {
                out.extend_from_slice(&tag[done..value.start]);
                out.extend_from_slice(with.as_bytes());
            }
            None => out.extend_from_slice(&tag[done..before(tag, edit.name.start, value.end)]),
        }
        done = value.end;
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
        Some(next) if next.is_ascii_whitespace() || matches!(next, b'/' | b'>') => {
            tag[..name].iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(name, |at| at + 1)
        }
        _ => name,
    }
}
