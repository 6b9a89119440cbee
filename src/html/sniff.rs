//! Whether a response is HTML: by its `Content-Type`, and without one as browsers sniff it (WHATWG MIME sniffing §7.1).

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

/// Decides by the header if there is a usable one, else by the first bytes of the body. `whole` says that there are no
/// more of them.
pub fn is_html(content_type: Option<&[u8]>, first: &[u8], whole: bool) -> Sniff {
    match content_type.map(essence) {
        Some(essence) if is(essence, b"text/html") || is(essence, b"application/xhtml+xml") => Sniff::Html,
        // Browsers sniff these like a missing header.
        Some(essence) if !unknown(essence) => Sniff::Other,
        _ => sniff(&first[..first.len().min(SNIFFED)], whole || first.len() >= SNIFFED),
    }
}

/// Whether browsers read it with their XML parser.
pub fn is_xml(content_type: &[u8]) -> bool {
    is(essence(content_type), b"application/xhtml+xml")
}

fn is(essence: &[u8], name: &[u8]) -> bool {
    essence.eq_ignore_ascii_case(name)
}

/// No type at all, or one of those that mean it.
fn unknown(essence: &[u8]) -> bool {
    !essence.contains(&b'/') || [&b"unknown/unknown"[..], b"application/unknown", b"*/*"].iter().any(|u| is(essence, u))
}

fn essence(content_type: &[u8]) -> &[u8] {
    content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii()
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
        ] {
            assert_eq!(is_html(Some(header.as_bytes()), b"<html>", true), sniffed, "{header}");
        }
        for header in ["", "garbage", "*/*", "unknown/unknown"] {
            assert_eq!(is_html(Some(header.as_bytes()), b"<html>", true), Sniff::Html, "{header}");
        }
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
