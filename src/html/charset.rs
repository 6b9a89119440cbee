//! The charset of a page: byte order mark, `Content-Type`, `<meta>`, as browsers decide (HTML §13.2.3.2).
//!
//! The `<meta>` is left to the parser, which changes over where it meets one: nothing waits for it.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::media_type::{self, MediaType};

/// The charset that a `Content-Type` names, if it names one that browsers know: that of its last page, or of the one
/// before where both are of one type (Fetch, "extract a MIME type").
pub fn of_content_type(content_type: &[u8]) -> Option<&'static Encoding> {
    let mut last: Option<MediaType<'_>> = None;
    let mut charset = None;
    for page in media_type::types(content_type).filter(|found| found.is_page()) {
        match page.parameter("charset") {
            Some(label) => charset = Encoding::for_label(label),
            None if last.is_some_and(|last| last.is_same(page)) => {}
            None => charset = None,
        }
        last = Some(page);
    }
    charset
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// There is a byte order mark of this charset.
    Of(&'static Encoding),
    /// There is none.
    None,
    /// These bytes may be the beginning of one.
    NeedMore,
}

/// Looks for a byte order mark. `whole` says that no more bytes will come.
pub(super) fn mark(first: &[u8], whole: bool) -> Mark {
    const MARKS: [(&[u8], &Encoding); 3] = [(b"\xef\xbb\xbf", UTF_8), (b"\xfe\xff", UTF_16BE), (b"\xff\xfe", UTF_16LE)];
    if let Some((_, encoding)) = MARKS.iter().find(|(mark, _)| first.starts_with(mark)) {
        return Mark::Of(encoding);
    }
    let begun = MARKS.iter().any(|(mark, _)| mark.starts_with(first));
    if begun && !whole { Mark::NeedMore } else { Mark::None }
}

/// No XML declaration is longer, but for white space that nobody writes.
const DECLARATION: usize = 256;

/// What the first bytes declare where neither a mark nor a header says it: UTF-16 by how `<?x` is written, and in XML
/// whatever the declaration names, or UTF-8.
pub(super) fn declared(first: &[u8], xml: bool, whole: bool) -> Mark {
    const WIDE: [(&[u8], &Encoding); 2] = [(b"<\0?\0x\0", UTF_16LE), (b"\0<\0?\0x", UTF_16BE)];
    if let Some((_, encoding)) = WIDE.iter().find(|(start, _)| first.starts_with(start)) {
        return Mark::Of(encoding);
    }
    let begun = |start: &[u8]| start.starts_with(first) && !whole;
    if WIDE.iter().any(|(start, _)| begun(start)) || (xml && begun(b"<?xml")) {
        return Mark::NeedMore;
    }
    if !xml {
        return Mark::None;
    }
    let front = &first[..first.len().min(DECLARATION)];
    let declaration = front.strip_prefix(b"<?xml").unwrap_or_default();
    match memchr::memchr(b'>', declaration) {
        None if declaration.is_empty() || whole || front.len() == DECLARATION => Mark::Of(UTF_8),
        None => Mark::NeedMore,
        Some(end) => Mark::Of(encoding_of(&declaration[..end]).unwrap_or(UTF_8)),
    }
}

/// In bytes that can be read so far it cannot be UTF-16, whatever it says.
fn encoding_of(declaration: &[u8]) -> Option<&'static Encoding> {
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let value = declaration[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let label = &value[..memchr::memchr(*quote, value)?];
    Encoding::for_label(label).map(Encoding::output_encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1252};

    #[test]
    fn content_type_names_the_charset() {
        for (header, charset) in [
            ("text/html; charset=utf-8", Some(UTF_8)),
            ("text/html;CharSet=\"Shift_JIS\"", Some(SHIFT_JIS)),
            ("text/html; a=b; charset = latin1 ", Some(WINDOWS_1252)),
            ("text/html; charset=utf-16", Some(UTF_16LE)),
            ("text/html; charset=klingon", None),
            ("text/html", None),
            ("text/html; charset", None),
            ("text/html; a=\"x; charset=utf-16\"; charset=utf-8", Some(UTF_8)),
            ("text/html; charset=utf-8, text/html", Some(UTF_8)),
            ("text/html; charset=utf-8, text/html; charset=latin1, */*", Some(WINDOWS_1252)),
            ("text/plain; charset=utf-16, text/html", None),
            ("text/html; charset=utf-8, application/xhtml+xml", None),
            ("text/html (x); charset=utf-8", Some(UTF_8)),
        ] {
            assert_eq!(of_content_type(header.as_bytes()), charset, "{header}");
        }
    }

    #[test]
    fn marks_are_waited_for_no_longer_than_needed() {
        assert_eq!(mark(b"", false), Mark::NeedMore);
        assert_eq!(mark(b"\xef\xbb", false), Mark::NeedMore);
        assert_eq!(mark(b"\xef\xbb", true), Mark::None);
        assert_eq!(mark(b"\xef\xbb\xbf<", false), Mark::Of(UTF_8));
        assert_eq!(mark(b"\xff\xfe", false), Mark::Of(UTF_16LE));
        assert_eq!(mark(b"\xfe\xff<", false), Mark::Of(UTF_16BE));
        assert_eq!(mark(b"<", false), Mark::None);
    }

    #[test]
    fn declarations_are_read_as_browsers_read_them() {
        for (first, html, xml) in [
            (&b"<!"[..], Mark::None, Mark::Of(UTF_8)),
            (b"<", Mark::NeedMore, Mark::NeedMore),
            (b"<\0?\0x\0m", Mark::Of(UTF_16LE), Mark::Of(UTF_16LE)),
            (b"\0<\0?\0x", Mark::Of(UTF_16BE), Mark::Of(UTF_16BE)),
            (b"<?xm", Mark::None, Mark::NeedMore),
            (b"<?xml version='1.0' encoding='Shift_JIS'", Mark::None, Mark::NeedMore),
            (b"<?xml version='1.0' encoding = \"Shift_JIS\" ?>", Mark::None, Mark::Of(SHIFT_JIS)),
            (b"<?xml version='1.0' encoding='utf-16'?>", Mark::None, Mark::Of(UTF_8)),
            (b"<?xml version='1.0'?><a encoding='latin1'>", Mark::None, Mark::Of(UTF_8)),
            (&[b"<?xml ", &[b' '; 300][..]].concat(), Mark::None, Mark::Of(UTF_8)),
        ] {
            assert_eq!(declared(first, false, false), html, "{}", first.escape_ascii());
            assert_eq!(declared(first, true, false), xml, "{}", first.escape_ascii());
        }
        assert_eq!((declared(b"<", false, true), declared(b"<", true, true)), (Mark::None, Mark::Of(UTF_8)));
    }
}
