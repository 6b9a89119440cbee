//! Whether a response is HTML: by its `Content-Type`, and without one as browsers sniff it (WHATWG MIME sniffing §7.1).

use super::media_type::{self, MediaType};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniff {
    /// Rewrite it.
    Html,
    /// Leave it alone.
    Other,
    /// More of the body must be seen first: at most [`SNIFFED`] bytes.
    NeedMore,
}

/// No more of a body than this decides.
pub const SNIFFED: usize = 1445;

/// Tags that say HTML at the start of a body, if white space or `>` follows.
const STARTS: [&[u8]; 16] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
];

/// Decides by the lines of the header if they say a type, else by the first bytes of the body. `whole` says that there
/// are no more of them. Of several types browsers take the last or the first: if any of them is HTML, it may be that.
pub fn is_html<'a>(content_type: impl IntoIterator<Item = &'a [u8]>, first: &[u8], whole: bool) -> Sniff {
    let (mut known, mut unknown) = (false, false);
    for found in content_type.into_iter().flat_map(media_type::types) {
        if found.is_page() {
            return Sniff::Html;
        }
        // Browsers sniff these like a missing header.
        let means_none = found.is("unknown/unknown") || found.is("application/unknown");
        (known, unknown) = (true, unknown || means_none);
    }
    match known && !unknown {
        true => Sniff::Other,
        false => sniff(&first[..first.len().min(SNIFFED)], whole || first.len() >= SNIFFED),
    }
}

/// Whether browsers read it with their XML parser.
pub fn is_xml(content_type: &[u8]) -> bool {
    media_type::types(content_type).filter(|found| found.is_page()).last().is_some_and(MediaType::is_xml_page)
}

fn sniff(first: &[u8], whole: bool) -> Sniff {
    let undecided = if whole { Sniff::Other } else { Sniff::NeedMore };
    // A byte order mark says text, not HTML: `text/plain` in browsers too.
    let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe"];
    if marks.iter().any(|mark| first.starts_with(mark)) {
        return Sniff::Other;
    }
    let body = first.trim_ascii_start();
    if body.is_empty() || body.starts_with(b"<!--") {
        return if body.is_empty() { undecided } else { Sniff::Html };
    }
    let mut answer = Sniff::Other;
    for start in STARTS {
        let shared = body.len().min(start.len());
        if !body[..shared].eq_ignore_ascii_case(&start[..shared]) {
            continue;
        }
        match body.get(start.len()) {
            Some(b' ' | b'\t' | b'\n' | b'\r' | 0xc | b'>') => return Sniff::Html,
            Some(_) => {}
            None => answer = undecided,
        }
    }
    if answer == Sniff::Other && body.len() < 4 && b"<!--".starts_with(body) { undecided } else { answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_decides_where_there_is_one() {
        for (header, sniffed) in [
            ("text/html", Sniff::Html),
            ("Text/HTML ; charset=utf-8", Sniff::Html),
            ("application/xhtml+xml", Sniff::Html),
            ("text/plain", Sniff::Other),
            ("application/xml", Sniff::Other),
            ("text/html2", Sniff::Other),
            ("text/htm", Sniff::Other),
            ("text/plain, x", Sniff::Other),
            ("text/plain; a=\"x, text/html\"", Sniff::Other),
            ("application/json charset=utf-8", Sniff::Other),
            // Whoever takes the last of them sees a page, or whoever takes the first.
            ("text/html, text/html", Sniff::Html),
            ("image/png, text/html", Sniff::Html),
            ("text/html, text/plain", Sniff::Html),
            ("text/html,", Sniff::Html),
            ("text/html, */*", Sniff::Html),
            ("text/html charset=utf-8", Sniff::Html),
            ("text/html (x)", Sniff::Html),
            ("Application/XHTML+xml\tx", Sniff::Html),
        ] {
            assert_eq!(is_html(Some(header.as_bytes()), b"<html>", true), sniffed, "{header}");
        }
        for header in
            ["", "garbage", "*/*", "unknown/unknown", "(text/html)", "text /html", "text/plain, unknown/unknown"]
        {
            assert_eq!(is_html(Some(header.as_bytes()), b"<html>", true), Sniff::Html, "{header}");
            assert_eq!(is_html(Some(header.as_bytes()), b"GIF89a", true), Sniff::Other, "{header}");
        }
        for (lines, sniffed) in [
            (["text/plain", "text/html"], Sniff::Html),
            (["text/html", "x"], Sniff::Html),
            (["text/plain; a=\"", "text/html"], Sniff::Html),
            (["text/plain", "image/png"], Sniff::Other),
            (["", "*/*"], Sniff::Html),
        ] {
            assert_eq!(is_html(lines.map(str::as_bytes), b"<html>", true), sniffed, "{lines:?}");
        }
        assert!(is_xml(b"text/html, application/xhtml+xml x") && !is_xml(b"application/xhtml+xml, text/html, a/b"));
    }

    #[test]
    fn body_decides_otherwise() {
        for (body, sniffed) in [
            ("<html>", Sniff::Html),
            (" \r\n\t<!doctype HTML >", Sniff::Html),
            ("<!-- -->", Sniff::Html),
            ("<p>", Sniff::Html),
            ("<br\n", Sniff::Html),
            ("<pre>", Sniff::Other),
            ("<?xml version='1.0'?>", Sniff::Other),
            ("{\"a\":1}", Sniff::Other),
            ("\u{feff}<html>", Sniff::Other),
            ("<svg>", Sniff::Other),
            ("", Sniff::Other),
        ] {
            assert_eq!(is_html(None, body.as_bytes(), true), sniffed, "{body}");
        }
    }

    #[test]
    fn every_beginning_of_html_needs_more() {
        for body in ["  <!doctype html>", "<!-- x", "<body class", "<a href"] {
            let decides =
                (0..=body.len()).find(|cut| is_html(None, &body.as_bytes()[..*cut], false) != Sniff::NeedMore);
            let decides = decides.expect("the whole of it decides");
            assert_eq!(is_html(None, &body.as_bytes()[..decides], false), Sniff::Html, "{body}");
            assert!(decides > 2, "{body}");
        }
        assert_eq!(is_html(None, &[b' '; SNIFFED], false), Sniff::Other);
        assert_eq!(is_html(None, b"<x", false), Sniff::Other);
    }
}
