//! Character references in attribute values: decoded before a URL is read.

use std::borrow::Cow;

/// The value as a browser sees it: named references with and without `;` by the rules for attributes, numeric ones
/// with their windows-1252 remaps (HTML §13.2.5.73 ff.).
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    htmlize::unescape_attribute(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_as_browsers_do() {
        for (raw, decoded) in [
            ("https://a.example/?x=1&y=2", "https://a.example/?x=1&y=2"),
            ("&#x68;ttps://a.example", "https://a.example"),
            ("&#X68ttps", "http".replace("http", "\u{68}ttps").as_str()),
            ("&#104;ttps&colon;&sol;&sol;a", "https://a"),
            ("//a&period;example", "//a.example"),
            ("a&Tab;b&NewLine;c", "a\tb\nc"),
            // Without a semicolon: decoded, unless a letter, digit or `=` follows.
            ("?a&ampb", "?a&ampb"),
            ("?a&amp;b", "?a&b"),
            ("?a&copy=1", "?a&copy=1"),
            ("?a&copy", "?a\u{a9}"),
            ("&#128;&#x92;", "\u{20ac}\u{2019}"),
            ("&#0;&#xD800;&#x110000;", "\u{fffd}\u{fffd}\u{fffd}"),
            ("&notareference;", "&notareference;"),
        ] {
            assert_eq!(decode(raw), decoded, "{raw}");
        }
    }
}
