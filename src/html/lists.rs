//! Attributes that hold several URLs: `srcset` (HTML §4.8.4.2.2) and space-separated lists (`ping`, `attributionsrc`).

/// HTML's white space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// One image candidate: its URL, and the text that it takes up, descriptors included.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) url: &'a str,
    pub(super) text: &'a str,
}

/// The candidates of a `srcset`, as browsers split it: a comma inside a URL belongs to the URL, one at its end ends
/// the candidate, one inside parentheses of a descriptor does not.
pub(super) fn candidates(srcset: &str) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    let mut rest = srcset;
    loop {
        rest = rest.trim_start_matches(|c| is_space(c) || c == ',');
        if rest.is_empty() {
            return found;
        }
        let word = rest.find(is_space).unwrap_or(rest.len());
        let (url, after) = rest.split_at(word);
        let bare = url.trim_end_matches(',');
        if bare.len() < url.len() {
            found.push(Candidate { url: bare, text: bare });
            rest = after;
        } else {
            let end = word + descriptors(after);
            found.push(Candidate { url, text: rest[..end].trim_end_matches(is_space) });
            rest = &rest[end..];
        }
    }
}

/// The length of the descriptors at the start of `text`.
fn descriptors(text: &str) -> usize {
    let mut depth = false;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth = true,
            ')' => depth = false,
            ',' if !depth => return at,
            _ => {}
        }
    }
    text.len()
}

/// What a filter left of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Everything stays.
    All,
    /// This is left.
    Some(String),
    /// Nothing is left.
    Nothing,
}

/// A `srcset` without the candidates that `blocked` names.
pub(super) fn filter_candidates(srcset: &str, blocked: impl FnMut(&str) -> bool) -> Rest {
    let all = candidates(srcset);
    rest(all.iter().map(|c| (c.url, c.text)), ", ", blocked)
}

/// A list of URLs without those that `blocked` names.
pub(super) fn filter_words(list: &str, blocked: impl FnMut(&str) -> bool) -> Rest {
    rest(list.split(is_space).filter(|word| !word.is_empty()).map(|word| (word, word)), " ", blocked)
}

fn rest<'a>(
    items: impl Iterator<Item = (&'a str, &'a str)>,
    separator: &str,
    mut blocked: impl FnMut(&str) -> bool,
) -> Rest {
    let mut left = String::new();
    let mut removed = false;
    for (url, text) in items {
        if blocked(url) {
            removed = true;
        } else {
            if !left.is_empty() {
                left.push_str(separator);
            }
            left.push_str(text);
        }
    }
    match (removed, left.is_empty()) {
        (false, _) => Rest::All,
        (true, true) => Rest::Nothing,
        (true, false) => Rest::Some(left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn srcset_is_split_as_browsers_do() {
        for (srcset, urls) in [
            ("", &[][..]),
            ("a.png", &["a.png"]),
            ("a.png 1x, b.png 2x", &["a.png", "b.png"]),
            ("a.png 1x,b.png 2x", &["a.png", "b.png"]),
            (" ,, a.png,\tb.png 100w 50h , ", &["a.png", "b.png"]),
            ("a.png,b.png 2x", &["a.png,b.png"]),
            ("data:image/png;base64,AA== 1x, b", &["data:image/png;base64,AA==", "b"]),
            ("a x(1,2)y, b", &["a", "b"]),
            ("a (1,2, b", &["a"]),
        ] {
            let found: Vec<_> = candidates(srcset).iter().map(|c| c.url).collect();
            assert_eq!(found, urls, "{srcset}");
        }
    }

    #[test]
    fn what_is_blocked_goes_and_the_rest_stays() {
        let bad = |url: &str| url.contains("bad");
        assert_eq!(filter_candidates("a 1x, b 2x", bad), Rest::All);
        assert_eq!(filter_candidates("a 1x, //bad/b 2x, c 3x", bad), Rest::Some("a 1x, c 3x".into()));
        assert_eq!(filter_candidates("//bad/a 1x,\n//bad/b", bad), Rest::Nothing);
        assert_eq!(filter_words("/a\n//bad/b /c", bad), Rest::Some("/a /c".into()));
        assert_eq!(filter_words("//bad", bad), Rest::Nothing);
        assert_eq!(filter_words(" ", bad), Rest::All);
    }

    proptest! {
        #[test]
        fn any_srcset_is_read(srcset in "[a-c(),\\s\u{e9}]{0,40}") {
            for candidate in candidates(&srcset) {
                prop_assert!(!candidate.url.is_empty() && candidate.text.starts_with(candidate.url));
                prop_assert!(!candidate.url.ends_with(',') && !candidate.url.contains(is_space));
            }
        }
    }
}
