//! Reads the URL in an attribute or header as a browser reads it (WHATWG URL). Character references are
//! decoded before, by whoever read the attribute.

use std::borrow::Cow;

use url::{Host, Position, Url};

/// The URL that a browser would fetch for `raw` on a page whose base is `base`; `None` where it fetches nothing.
///
/// The parser trims controls and spaces, drops tab, CR and LF, takes `\` for `/` and the host to lower-case ASCII.
pub fn resolve(base: &Url, raw: &str) -> Option<Url> {
    base.join(raw).ok()
}

/// Whom a URL makes a browser contact and what for, as rules speak of it.
#[derive(Debug)]
pub(super) struct Contacted<'u> {
    /// As [`contacted_host`].
    pub(super) host: &'u str,
    /// An address has nothing below it.
    pub(super) is_address: bool,
    /// As [`comparable_path`].
    pub(super) path: Cow<'u, str>,
}

impl<'u> Contacted<'u> {
    /// `None` if nobody is contacted.
    pub(super) fn of(url: &'u Url) -> Option<Self> {
        let host = contacted_host(url)?;
        let is_address = !matches!(url.host(), Some(Host::Domain(_)));
        Some(Self { host, is_address, path: comparable_path(url) })
    }
}

/// The host of a URL that makes a browser contact somebody, without the dot that names the DNS root.
pub(super) fn contacted_host(url: &Url) -> Option<&str> {
    if !matches!(url.scheme(), "https" | "http" | "ws" | "wss") {
        return None;
    }
    url.host_str().map(|host| host.strip_suffix('.').unwrap_or(host))
}

/// Path and query, with `%XX` undone where it stands for a character that needs no escape (RFC 3986
/// §6.2.2.2): servers take `/%67tag/js` for `/gtag/js`, so rules do too. A `%` that begins no `%XX` is `%25`, or else it
/// could begin one with what stands behind it afterwards.
pub(super) fn comparable_path(url: &Url) -> Cow<'_, str> {
    let path = &url[Position::BeforePath..Position::AfterQuery];
    match memchr::memchr(b'%', path.as_bytes()) {
        Some(_) => Cow::Owned(unescape_unreserved(path)),
        None => Cow::Borrowed(path),
    }
}

fn unescape_unreserved(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let hex = rest.get(1..3).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).map(char::from) {
            Some(c) if c.is_ascii_alphanumeric() || "-._~".contains(c) => {
                out.push(c);
                rest = &rest[3..];
            }
            escaped => {
                out.push_str(if escaped.is_some() { "%" } else { "%25" });
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_read_as_browsers_read_them() {
        let base = Url::parse("https://shop.example/a/b?c").unwrap();
        for (raw, expected) in [
            ("//t.example/x.js", "https://t.example/x.js"),
            ("\\\\t.example\\x.js", "https://t.example/x.js"),
            (" \u{1}\thttps://T.Example/x ", "https://t.example/x"),
            ("ht\ntps:\t//t.exa\rmple/x", "https://t.example/x"),
            ("HTTPS://user:pw@T.EXAMPLE:443/x", "https://user:pw@t.example/x"),
            ("https:/\\t.example/x", "https://t.example/x"),
            ("/x", "https://shop.example/x"),
            ("x", "https://shop.example/a/x"),
            ("https:x", "https://shop.example/a/x"),
            ("http:t.example/x", "http://t.example/x"),
            ("//t\u{3002}example/", "https://t.example/"),
            ("//www.google%2Danalytics.com/", "https://www.google-analytics.com/"),
            ("//ｔ.example/", "https://t.example/"),
            ("//2130706433/", "https://127.0.0.1/"),
        ] {
            assert_eq!(resolve(&base, raw).unwrap().as_str(), expected, "{raw:?}");
        }
        assert_eq!(resolve(&base, "https://"), None);
    }

    #[test]
    fn only_needless_escapes_are_undone() {
        for (path, expected) in [
            ("/%67tag/%6As", "/gtag/js"),
            ("/a%2Fb", "/a%2Fb"),
            ("/%", "/%25"),
            ("/%6", "/%256"),
            ("/%+1", "/%25+1"),
            ("/%é", "/%25é"),
            ("/%3%333", "/%25333"),
            ("/%2533", "/%2533"),
        ] {
            assert_eq!(unescape_unreserved(path), expected);
            assert_eq!(unescape_unreserved(expected), expected, "once is enough");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(raw in any::<String>()) {
            let base = Url::parse("https://shop.example/").unwrap();
            if let Some(url) = resolve(&base, &raw) {
                contacted_host(&url);
                comparable_path(&url);
            }
        }
    }
}
