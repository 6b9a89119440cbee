//! Patterns of hosts and paths: which are taken, what they match, and in which order.

use proptest::prelude::*;

use super::*;

fn index(patterns: &[&str]) -> UrlIndex<usize> {
    UrlIndex::new(patterns.iter().enumerate().map(|(i, p)| (HostPattern::parse(p).unwrap(), i)))
}

/// Enough of them that a path is searched for them all at once.
const MANY: &[&str] = &["*/*/tracker.js", "*/piwik.php", "*/*/collect?v=2*", "*/p/*/q", "*/only-this"];

#[test]
fn the_most_specific_rule_wins() {
    let cases: &[(&[&str], &str, Option<usize>)] = &[
        (&["a.example"], "https://a.example/x?y", Some(0)),
        (&["a.example"], "https://b.a.example/", None),
        (&["a.example"], "https://ba.example/", None),
        (&["*.a.example"], "https://a.example/", Some(0)),
        (&["*.a.example"], "https://x.y.a.example/", Some(0)),
        (&["*.a.example"], "https://xa.example/", None),
        (&["*.example", "*.a.example"], "https://b.a.example/", Some(1)),
        (&["*.a.example", "a.example"], "https://a.example/", Some(1)),
        (&["a.example", "*.example/p*"], "https://a.example/path", Some(1)),
        (&["*.example/path", "a.example/p*"], "https://a.example/path", Some(1)),
        (&["a.example/p*", "a.example/path*"], "https://a.example/path/x", Some(1)),
        (&["a.example/path*", "a.example/path"], "https://a.example/path", Some(1)),
        (&["a.example/path"], "https://a.example/path?v=1", Some(0)),
        (&["a.example/path"], "https://a.example/path/", None),
        (&["a.example/path"], "https://a.example/Path", None),
        (&["a.example/"], "https://a.example", Some(0)),
        (&["a.example/"], "https://a.example/x", None),
        (&["a.example/*/x.js"], "https://a.example/b/c/x.js?d", Some(0)),
        (&["a.example/aba*aba"], "https://a.example/aba", None),
        (&["g.example/js?id=AW-*", "g.example/js"], "https://g.example/js?id=AW-1", Some(0)),
        (&["g.example/js?id=AW-*", "g.example/js"], "https://g.example/js?id=G-1", Some(1)),
        (&["*/matomo.js"], "https://any.example/matomo.js?x", Some(0)),
        (&["*/matomo.js"], "https://any.example/a/matomo.js", None),
        (&["*/matomo.js", "any.example"], "https://any.example/matomo.js", Some(1)),
        (&["a.example", "a.example"], "https://a.example/", Some(0)),
        (&["a.example"], "https://a.example./", Some(0)),
        (&["a.example"], "https://u:p@A.Example:8443/", Some(0)),
        (&["a.example"], "wss://a.example/s", Some(0)),
        (&["a.example"], "ftp://a.example/", None),
        (&["a.example"], "mailto:x@a.example", None),
        (&["a.example"], "data:text/html,a.example", None),
        (&["a.example/gtag/js"], "https://a.example/%67tag/x/../js", Some(0)),
        (&["bücher.example"], "https://BÜCHER.example/", Some(0)),
        (&["a.example/ü*"], "https://a.example/üb", Some(0)),
        (&["127.0.0.1"], "http://127.1/", Some(0)),
        (&["[::1]"], "http://[0:0::1]:80/", Some(0)),
        (MANY, "https://a.example/lib/tracker.js?x", Some(0)),
        (MANY, "https://a.example/g/collect?v=2&tid=G-1", Some(2)),
        (MANY, "https://a.example/g/collect?v=1", None),
        (MANY, "https://a.example/p/x/q", Some(3)),
        (MANY, "https://a.example/piwik.php", Some(1)),
        (MANY, "https://a.example/tracker.js/x", None),
        (MANY, "https://a.example/app.js", None),
    ];
    for (patterns, url, expected) in cases {
        assert_eq!(index(patterns).find(&Url::parse(url).unwrap()).copied(), *expected, "{url} in {patterns:?}");
    }
}

#[test]
fn unusable_patterns_say_what_to_do() {
    for (text, part) in [
        ("", "no usable host"),
        ("..", "no usable host"),
        ("a.example..", "no usable host"),
        ("*", "matches every URL"),
        ("*/", "matches every URL"),
        ("*/*", "matches every URL"),
        // Found by the fuzz target: nothing but dots, which go when the path is read.
        ("*/..//", "matches every URL"),
        ("-%2A+bv)", "has no usable host"),
        ("*.", "matches every URL"),
        ("https://a.example/", "without the scheme"),
        ("//a.example", "without the scheme"),
        ("a.example:8080", "names a port"),
        ("a.example:443/x", "names a port"),
        ("[::1]:80", "names a port"),
        ("a*.example", "no usable host"),
        ("me@a.example", "no usable host"),
        ("a b.example", "white space"),
        ("*.127.0.0.1", "is an address"),
        ("a..b<>", "no usable host"),
    ] {
        let error = HostPattern::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn patterns_are_normalised_and_shown() {
    for (text, shown) in [
        ("WWW.Example.", "www.example"),
        ("*.Bücher.example", "*.xn--bcher-kva.example"),
        ("a.example/x*", "a.example/x*"),
        ("*/piwik.php*", "*/piwik.php*"),
    ] {
        assert_eq!(HostPattern::parse(text).unwrap().to_string(), shown);
    }
}

/// The rule of precedence, said as slowly as possible (hosts and plain `path` or `path*` only).
fn oracle(patterns: &[HostPattern], url: &Url) -> Option<usize> {
    let host = url.host_str().unwrap();
    let fits = |p: &HostPattern| {
        let host_fits =
            p.host.is_empty() || *p.host == *host || (p.subdomains && host.ends_with(&format!(".{}", p.host)));
        let path_fits = match p.path.strip_suffix('*') {
            Some(stem) => url.path().starts_with(stem),
            None => p.path.is_empty() || *p.path == *url.path(),
        };
        host_fits && path_fits
    };
    let key = |p: &HostPattern| {
        let star = p.path.ends_with('*');
        (
            p.host.is_empty(),
            p.path.is_empty(),
            -(p.host.len() as i64),
            p.subdomains,
            -(p.path.len() as i64 - i64::from(star)),
            star,
        )
    };
    (0..patterns.len()).filter(|i| fits(&patterns[*i])).min_by_key(|i| (key(&patterns[*i]), *i))
}

proptest! {
    #[test]
    fn index_agrees_with_a_linear_search(
        patterns in prop::collection::vec("(\\*\\.)?([ab]\\.){0,2}(xx|yy)(/[ab]{0,2}\\*?)?|\\*/[ab]{1,2}\\*?", 0..24),
        urls in prop::collection::vec("https://([ab]\\.){0,3}(xx|yy)/[ab]{0,3}", 1..24),
    ) {
        let patterns: Vec<_> = patterns.iter().map(|p| HostPattern::parse(p).unwrap()).collect();
        let index = UrlIndex::new(patterns.iter().cloned().zip(0usize..));
        for url in urls {
            let url = Url::parse(&url).unwrap();
            prop_assert_eq!(index.find(&url).copied(), oracle(&patterns, &url), "{}", url);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), tail in "[a*/?.%é]{0,12}") {
        for text in [text.as_str(), &format!("a.example/{tail}"), &tail] {
            let Ok(pattern) = HostPattern::parse(text) else { continue };
            let index = UrlIndex::new([(pattern, ())]);
            for url in [format!("https://a.example/{tail}"), format!("https://{text}")] {
                if let Ok(url) = Url::parse(&url) {
                    index.find(&url);
                }
            }
        }
    }
}
