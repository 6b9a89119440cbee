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
}
