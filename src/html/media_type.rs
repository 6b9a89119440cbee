//! The media types in `Content-Type`, as browsers read them: there may be several, and what is none does not count
//! (Fetch, "extract a MIME type"), and more than a type may stand where one belongs (Chromium's `ParseContentType`).

/// One media type.
#[derive(Debug, Clone, Copy)]
pub(super) struct MediaType<'a> {
    /// Type and subtype as they are written.
    essence: &'a [u8],
    /// Whatever follows them.
    rest: &'a [u8],
}

impl<'a> MediaType<'a> {
    /// The type in one value of a list; `None` where browsers see none, and take what the other values say.
    fn read(value: &'a [u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let end = value.iter().position(|byte| b" \t\r\n;(".contains(byte)).unwrap_or(value.len());
        let (essence, rest) = value.split_at(end);
        let slash = memchr::memchr(b'/', essence)?;
        let is_token = |name: &[u8]| !name.is_empty() && name.iter().copied().all(is_token);
        let is_type = is_token(&essence[..slash]) && is_token(&essence[slash + 1..]);
        (is_type && essence != b"*/*").then_some(Self { essence, rest })
    }

    /// Whether it is the type of this name, in lower case.
    pub(super) fn is(self, name: &str) -> bool {
        self.essence.eq_ignore_ascii_case(name.as_bytes())
    }

    /// A page, for the parser of HTML or of XML.
    pub(super) fn is_page(self) -> bool {
        self.is("text/html") || self.is_xml_page()
    }

    /// A page that browsers read as XML.
    pub(super) fn is_xml_page(self) -> bool {
        self.is("application/xhtml+xml")
    }

    pub(super) fn is_same(self, other: Self) -> bool {
        self.essence.eq_ignore_ascii_case(other.essence)
    }

    /// The value of this parameter, if it has one, without its quotes.
    pub(super) fn parameter(self, name: &str) -> Option<&'a [u8]> {
        split(self.rest, b';').skip(1).find_map(|parameter| {
            let (found, value) = parameter.split_at(memchr::memchr(b'=', parameter)?);
            found.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then_some(())?;
            let value = value[1..].trim_ascii();
            Some(value.strip_prefix(b"\"").map_or(value, |v| v.strip_suffix(b"\"").unwrap_or(v)))
        })
    }
}

/// The types in a line, in their order.
pub(super) fn types(line: &[u8]) -> impl Iterator<Item = MediaType<'_>> {
    split(line, b',').filter_map(MediaType::read)
}

/// Splits at a byte where it is not quoted. A quote that nothing closes quotes nothing: in doubt there is one more type.
fn split(mut rest: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    let mut more = true;
    std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let (part, end) = rest.split_at(part_end(rest, at));
        more = !end.is_empty();
        rest = end.get(1..).unwrap_or_default();
        Some(part)
    })
}

fn part_end(bytes: &[u8], at: u8) -> usize {
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match byte {
            byte if *byte == at => break,
            b'"' => index += 1 + quoted(&bytes[index + 1..]).unwrap_or(0),
            _ => index += 1,
        }
    }
    index
}

/// How long the rest of a quoted string is, behind its first quote; `None` if it has no end.
fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut index = 0;
    loop {
        match bytes.get(index)? {
            b'"' => return Some(index + 1),
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_as_browsers_find_them() {
        for (line, wanted) in [
            ("", &[][..]),
            ("text/html", &["text/html"]),
            ("\ttext/html ;x", &["text/html"]),
            ("text/html, text/html", &["text/html", "text/html"]),
            ("text/html,", &["text/html"]),
            (", text/html,, x", &["text/html"]),
            ("image/png,text/html;a=b , */*", &["image/png", "text/html"]),
            ("text/html charset=utf-8", &["text/html"]),
            ("text/html(x)", &["text/html"]),
            ("(text/html)", &[]),
            ("text /html", &[]),
            ("/html, text/, text//html", &[]),
            ("text/plain; a=\"x, text/html\"", &["text/plain"]),
            ("text/plain; a=\"\\\", text/html\", a/b", &["text/plain", "a/b"]),
            ("text/plain; a=\"x, text/html", &["text/plain", "text/html"]),
            ("text/plain; a=\"x\\", &["text/plain"]),
        ] {
            let found: Vec<_> = types(line.as_bytes()).map(|found| found.essence).collect();
            let wanted: Vec<_> = wanted.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(found, wanted, "{line}");
        }
    }
}
