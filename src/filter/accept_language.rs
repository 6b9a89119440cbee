//! `Accept-Language`: which of the languages that there are a visitor reads best (RFC 9110 §12.5.4, RFC 4647 §3.4).

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// Ranges that are looked at; browsers send a handful.
const MOST: usize = 32;

/// The best of `offered` (tags in lower case, the site's own first); `None` if there is none that the visitor asks for.
///
/// A range fits its own tag, what it begins with (`de` for `de-AT`), and a more special one (`pt-br` for `pt`).
pub fn best<'l, T: AsRef<str>>(headers: &HeaderMap, offered: &'l [T]) -> Option<&'l str> {
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
    let mut ranges: Vec<(String, u16)> = lines.flat_map(|line| line.split(',')).filter_map(range).take(MOST).collect();
    // Stable: what stands first counts between equals.
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let refused = |tag: &str| ranges.iter().any(|(range, weight)| *weight == 0 && range == tag);
    let mut wanted = ranges.iter().filter(|(_, weight)| *weight > 0);
    wanted.find_map(|(range, _)| fitting(range, offered).filter(|tag| !refused(tag)))
}

/// The one of `offered` (tags in lower case) that fits a language tag, as of a page; `None` if none does, or it is no tag.
pub fn of_tag<'l, T: AsRef<str>>(tag: &str, offered: &'l [T]) -> Option<&'l str> {
    range(tag).filter(|(range, _)| range != "*").and_then(|(range, _)| fitting(&range, offered))
}

fn fitting<'l, T: AsRef<str>>(range: &str, offered: &'l [T]) -> Option<&'l str> {
    let mut tags = offered.iter().map(AsRef::as_ref);
    if range == "*" {
        return tags.next();
    }
    let mut head = range;
    loop {
        if let Some(tag) = tags.clone().find(|tag| *tag == head) {
            return Some(tag);
        }
        let Some(end) = head.rfind('-') else { break };
        head = &head[..end];
    }
    tags.find(|tag| tag.strip_prefix(range).is_some_and(|rest| rest.starts_with('-')))
}

/// A range in lower case and its weight in thousandths; `None` for what is neither.
fn range(text: &str) -> Option<(String, u16)> {
    let (range, weight) = text.split_once(';').map_or((text, None), |(range, weight)| (range, Some(weight)));
    let range = range.trim().to_ascii_lowercase();
    let is_tag = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if range.is_empty() || range.len() > 64 || !(range == "*" || is_tag(&range)) {
        return None;
    }
    let weight = match weight {
        None => 1.0,
        Some(weight) => weight.trim().strip_prefix(['q', 'Q'])?.trim().strip_prefix('=')?.trim().parse::<f32>().ok()?,
    };
    // The cast is of 0 to 1000.
    (0.0..=1.0).contains(&weight).then_some((range, (weight * 1000.0) as u16))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn asked<'l>(line: &str, offered: &'l [&'static str]) -> Option<&'l str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(line).ok()?);
        best(&headers, offered)
    }

    #[test]
    fn visitors_read_what_they_ask_for() {
        let offered = ["en", "fr", "pt-br", "de", "de-ch"];
        for (line, expected) in [
            ("de", Some("de")),
            ("DE-at, en;q=0.9", Some("de")),
            ("de-CH-1996", Some("de-ch")),
            ("pt, en;q=0.5", Some("pt-br")),
            ("pt-PT, fr;q=0.1", Some("fr")),
            ("ja, fr;q=0.3, en ; Q=0.4", Some("en")),
            ("ja, *;q=0.1", Some("en")),
            ("fr;q=0, fr-CA", None),
            ("fr;q=2, de;q=x, en;z=1, \"de\"", None),
            ("", None),
            ("ja", None),
        ] {
            assert_eq!(asked(line, &offered), expected, "{line}");
        }
        assert_eq!(best(&HeaderMap::new(), &offered), None);
        let pages =
            [("de-AT", Some("de")), (" FR ", Some("fr")), ("ja", None), ("*", None), ("", None), ("d\u{e9}", None)];
        for (tag, expected) in pages {
            assert_eq!(of_tag(tag, &offered), expected, "{tag}");
        }
        assert_eq!(asked("de", &[]), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "([a-z*-]{0,4}(;q=[0-9.]{0,4})?,?){0,40}") {
            let found = asked(&line, &["en", "de-ch"]);
            prop_assert!(found.is_none_or(|tag| ["en", "de-ch"].contains(&tag)));
        }
    }
}
