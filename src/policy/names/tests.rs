//! Patterns of cookie names: which are taken, what they match, and in which order.

use proptest::prelude::*;

use super::*;

fn index(patterns: &[&str]) -> NameIndex<usize> {
    NameIndex::new(patterns.iter().enumerate().map(|(i, p)| (NamePattern::parse(p).unwrap(), i)))
}

#[test]
fn the_most_specific_pattern_wins() {
    let cases: &[(&[&str], &str, Option<usize>)] = &[
        (&["^_ga", "_ga*", "_ga"], "_ga", Some(2)),
        (&["^_ga", "_ga*", "_ga"], "_ga_X", Some(1)),
        (&["_g*", "_ga_*", "_ga*"], "_ga_X", Some(1)),
        (&["_g*", "_ga_*", "_ga*"], "_gid", Some(0)),
        (&["_ga_*", "_gab*"], "_gaa", None),
        (&["a*", "ab*", "abc*", "abd*"], "abe", Some(1)),
        (&["^x.*", "^x1"], "x1", Some(0)),
        (&["_ga", "_ga"], "_ga", Some(0)),
        (&["_ga*", "_ga*"], "_gat", Some(0)),
        (&["_ga"], "_GA", None),
        (&["_ga_*"], "_ga_", Some(0)),
        (&["a|b", "c.d"], "a", None),
        (&["c.d"], "cxd", None),
        (&["^visitor_id.*"], "visitor_id1234-hash", Some(0)),
    ];
    for (patterns, name, expected) in cases {
        assert_eq!(index(patterns).find(name.as_bytes()).copied(), *expected, "{name} in {patterns:?}");
    }
}

#[test]
fn names_are_tried_as_sent_and_percent_decoded() {
    let cases: &[(&[&str], &[u8], Option<usize>)] = &[
        (&["^ajs%3Acookies$"], b"ajs%3Acookies", Some(0)),
        (&["ajs:cookies"], b"ajs%3Acookies", Some(0)),
        (&["ajs:cookies"], b"ajs%3acookies", Some(0)),
        (&["ajs%3Acookies"], b"ajs:cookies", None),
        // As sent wins between equals, whatever the order of the file ...
        (&["ajs:cookies", "ajs%3Acookies"], b"ajs%3Acookies", Some(1)),
        // ... but a more specific rule wins in either form.
        (&["ajs%3A*", "ajs:cookies"], b"ajs%3Acookies", Some(1)),
        (&["^ajs:", "^ajs%3A"], b"ajs%3Ax", Some(0)),
        (&["_ga"], b"%5Fga", Some(0)),
        (&["a%b"], b"a%b", Some(0)),
        (&["a%zz"], b"a%zz", Some(0)),
        // Decoded once, not twice.
        (&["_ga"], b"%255Fga", None),
        (&["^_x.y$"], b"_x\xe9y", Some(0)),
    ];
    for (patterns, name, expected) in cases {
        let shown = String::from_utf8_lossy(name);
        assert_eq!(index(patterns).find(name).copied(), *expected, "{shown} in {patterns:?}");
    }
}

#[test]
fn unusable_patterns_say_what_to_do() {
    for (text, part) in [
        ("", "empty"),
        ("*", "matches every name"),
        ("^", "matches every name"),
        ("^.*", "matches every name"),
        ("^.+$", "matches every name"),
        ("^[\\w.-]*", "matches every name"),
        ("^(a|)", "matches every name"),
        ("_ga*x", "starts with `^`"),
        ("**", "starts with `^`"),
        ("^a(", "unclosed group"),
        ("^a{1,1000000}", "smaller repetitions"),
        ("a\nb", "control character"),
    ] {
        let error = NamePattern::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
        assert!(!error.contains('\n') && !error.contains(FLAGS), "{text}: {error}");
    }
}

#[test]
fn patterns_are_shown_as_written() {
    for text in ["_ga", "_ga*", "^_gat_UA-.*", "^[0-9a-f]{32}$"] {
        assert_eq!(NamePattern::parse(text).unwrap().to_string(), text);
    }
}

/// The rule of precedence, said as slowly as possible.
fn oracle(patterns: &[NamePattern], name: &[u8]) -> Option<usize> {
    let decoded: Vec<u8> = percent_encoding::percent_decode(name).collect();
    let mut best: Option<((u8, i64, u8, usize), usize)> = None;
    for (form, name) in [name, &decoded].into_iter().enumerate() {
        for (i, pattern) in patterns.iter().enumerate().filter(|(_, p)| p.matches(name)) {
            let key = match pattern {
                NamePattern::Exact(_) => (0, 0, form as u8, i),
                NamePattern::Prefix(p) => (1, -(p.len() as i64), form as u8, i),
                NamePattern::Regex(_) => (2, i as i64, form as u8, i),
            };
            if best.is_none_or(|(k, _)| key < k) {
                best = Some((key, i));
            }
        }
    }
    best.map(|(_, i)| i)
}

proptest! {
    #[test]
    fn index_agrees_with_a_linear_search(
        patterns in prop::collection::vec("[ab_]{1,4}|[ab_]{1,4}\\*|\\^[ab_.]{1,3}c?\\$?|[ab](%5F|%62)\\*?", 0..24),
        names in prop::collection::vec("([abc_]|%5F|%62|%zz){0,6}", 1..24),
    ) {
        let patterns: Vec<_> = patterns.iter().filter_map(|p| NamePattern::parse(p).ok()).collect();
        let index = NameIndex::new(patterns.iter().cloned().zip(0usize..));
        for name in names {
            prop_assert_eq!(index.find(name.as_bytes()).copied(), oracle(&patterns, name.as_bytes()), "{}", name);
        }
    }

    #[test]
    fn no_bytes_panic(text in any::<String>(), name in any::<Vec<u8>>()) {
        if let Ok(pattern) = NamePattern::parse(&text) {
            NameIndex::new([(pattern, ())]).find(&name);
        }
    }
}
