//! The `Cookie` request header: its pairs, and the header without some of them (RFC 6265bis §5.8.3, read back).

use std::borrow::Cow;

use super::Pair;
use super::pair::{is_wsp, trim};

/// What becomes of one pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate<'a> {
    /// It goes on as it came.
    Keep,
    /// The origin does not see it.
    Drop,
    /// It goes on under another name, e.g. without `__Host-`. Not for a nameless pair: browsers vouch for no prefix of it.
    Rename(&'a [u8]),
}

/// The pairs of one `Cookie` line, in order. Splits at `;` and nowhere else: quotes hide nothing.
pub fn pairs(header: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    segments(header).filter(|segment| !trim(segment).is_empty()).map(Pair::parse)
}

/// The line after `decide` was asked about each pair: borrowed if all of them stay, `None` if none is left.
///
/// Kept pairs keep bytes and order. Where some were removed, `; ` joins the neighbours; other separators stay.
pub fn retain<'a>(header: &'a [u8], mut decide: impl FnMut(&Pair<'a>) -> Fate<'a>) -> Option<Cow<'a, [u8]>> {
    // Nothing is copied before the first change.
    let mut changed: Option<Vec<u8>> = None;
    let (mut at, mut gap, mut left) = (0, false, false);
    for segment in segments(header) {
        let pair = Pair::parse(segment);
        let empty = trim(segment).is_empty();
        let fate = if empty { Fate::Keep } else { decide(&pair) };
        if fate != Fate::Keep && changed.is_none() {
            changed = Some(header[..at].strip_suffix(b";").unwrap_or_default().to_vec());
        }
        match &mut changed {
            _ if fate == Fate::Drop => gap = true,
            // Two semicolons in a row: the second goes with the pair that stood before it.
            Some(_) if empty && gap => {}
            Some(out) => {
                write(out, &pair, fate, at > 0, gap);
                gap = false;
            }
            None => {}
        }
        left |= !empty && fate != Fate::Drop;
        at += segment.len() + 1;
    }
    match changed {
        None => Some(Cow::Borrowed(header)),
        Some(out) => left.then_some(Cow::Owned(out)),
    }
}

fn write(out: &mut Vec<u8>, pair: &Pair<'_>, fate: Fate<'_>, separate: bool, gap: bool) {
    let (mut before, after) = pair.around_name();
    if gap {
        before = trim_start(before);
    }
    out.extend_from_slice(match (gap, separate) {
        (true, _) if out.is_empty() => b"",
        (true, _) => b"; ",
        (false, true) => b";",
        (false, false) => b"",
    });
    out.extend_from_slice(before);
    out.extend_from_slice(if let Fate::Rename(name) = fate { name } else { pair.name() });
    out.extend_from_slice(after);
}

fn trim_start(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| is_wsp(**byte)).count()..]
}

fn segments(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_trackers(header: &str) -> Option<String> {
        let kept = retain(header.as_bytes(), |pair| match pair.name() {
            name if name.starts_with(b"_") && !name.starts_with(b"__Host-") => Fate::Drop,
            name => name.strip_prefix(b"__Host-").map_or(Fate::Keep, Fate::Rename),
        })?;
        Some(String::from_utf8(kept.into_owned()).unwrap())
    }

    #[test]
    fn only_what_is_dropped_or_renamed_changes() {
        for (header, expected) in [
            ("a=1; b=2", Some("a=1; b=2")),
            ("a=1;b=2 ;\tc", Some("a=1;b=2 ;\tc")),
            ("a=1;; b=2;", Some("a=1;; b=2;")),
            ("", Some("")),
            ("_ga=1", None),
            ("_ga=1;", None),
            ("; _ga=1 ;;_gid=2; ", None),
            ("_ga=1; a=1", Some("a=1")),
            ("a=1; _ga=1", Some("a=1")),
            ("a=1; _ga=1;", Some("a=1")),
            ("a=1;_ga=1;b=2", Some("a=1; b=2")),
            ("a=1; _ga=1;; _gid=2; b=2;c=3", Some("a=1; b=2;c=3")),
            ("a=1;b=2; _ga=1;c=3;  d=4", Some("a=1;b=2; c=3;  d=4")),
            // Nameless cookies go by what a server reads.
            ("a=1; =_ga=1; b=2", Some("a=1; b=2")),
            ("a=1; _ga; = =_x=1", Some("a=1")),
            ("a=1; b; =c=2; _ga=1", Some("a=1; b; =c=2")),
            // A cookie sandwich: quotes and $Version hide nothing.
            ("$Version=1; a=\"x; _ga=1; b=y\"", Some("$Version=1; a=\"x; b=y\"")),
            ("a=\"x,_ga=1\"; _gid=1", Some("a=\"x,_ga=1\"")),
            ("__Host-sid=1", Some("sid=1")),
            ("a=1;__Host-sid=1 ; _ga=1", Some("a=1;sid=1 ")),
            ("_ga=1;\t__Host-sid = 1;b=2", Some("sid = 1;b=2")),
        ] {
            assert_eq!(without_trackers(header).as_deref(), expected, "{header:?}");
        }
    }

    #[test]
    fn what_stays_whole_is_not_copied() {
        let header = b"a=1;; \xff=\"\xe9; b\"=2 ;";
        assert!(matches!(retain(header, |_| Fate::Keep), Some(Cow::Borrowed(same)) if same == header));
    }

    #[test]
    fn pairs_skips_only_empty_segments() {
        let names: Vec<_> = pairs(b"a=1;; =b=2 ; ;c;a=3").map(|pair| pair.name()).collect();
        assert_eq!(names, [b"a", b"b", b"c", b"a"]);
    }
}
