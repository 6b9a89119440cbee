//! Addresses that a visitor may be sent to: paths of the same site, as a browser would read them.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a URL of a page of ours never holds raw: white space, quotes and brackets that end an attribute or a
/// refresh, `#` that no request target has. Everything else stays as the browser sent it.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'#');
const UNSAFE_IN_PATH: &AsciiSet = &UNSAFE.add(b'\\');

/// `path` if it leads to this very site whatever the browser makes of it, else `/`.
///
/// `//host`, `/\host` and anything with control bytes are refused: browsers drop tabs and line ends from URLs and
/// read `\` as `/`.
pub fn local_path(path: &str) -> &str {
    let rooted = path.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']));
    if rooted && !path.contains(char::is_control) { path } else { "/" }
}

/// Longer addresses do not fit into a form of ours, which has to fit `limits.choice_body` when it is written again.
const LONGEST: usize = 2048;

/// Where a form of ours leads back to from the page of this path and query: there, without the query if that makes it
/// long, or else to the front page.
pub fn way_back(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    [target, path].into_iter().find(|way| way.len() <= LONGEST).unwrap_or("/")
}

/// The target of a request, path and query, written so that a browser resolves it to the same URL of the same
/// site: `//host/x` is a path here, but would be a host in a link.
pub(super) fn same_url(target: &str) -> Cow<'_, str> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let path: Cow<'_, str> = utf8_percent_encode(path, UNSAFE_IN_PATH).into();
    let path = match path.strip_prefix('/') {
        // The dot segment goes when the browser resolves it, the empty one behind it stays.
        Some(rest) if rest.starts_with('/') => Cow::from(format!("/.{path}")),
        Some(_) => path,
        None => Cow::from("/"),
    };
    match query {
        Some(query) => format!("{path}?{}", utf8_percent_encode(query, UNSAFE)).into(),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn the_way_back_is_short() {
        let long = "x".repeat(LONGEST);
        for (page, way) in [
            ("/tea?a=1", "/tea?a=1"),
            (&*format!("/tea?{long}"), "/tea"),
            (&*format!("/{long}"), "/"),
            (&*format!("/{long}?a"), "/"),
        ] {
            assert_eq!(way_back(page), way);
        }
    }

    #[test]
    fn foreign_addresses_become_the_front_page() {
        for path in ["/", "/a//b", "/.//shop", "/cart?a=1&b=%2F#x", "/a/../b", "/?next=//fine.example/", "/ü", "/a b"]
        {
            assert_eq!(local_path(path), path);
        }
        for path in [
            "",
            "cart",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a\u{7f}",
            " /x",
            "?x",
            "/a\r\nSet-Cookie: x=1",
        ] {
            assert_eq!(local_path(path), "/", "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn local_path_never_leaves_the_site(path in r"[/\\.?#@:a-z\t\n% ]{0,12}|\PC*") {
            let site = Url::parse("https://shop.example/here").unwrap();
            prop_assert_eq!(site.join(local_path(&path)).unwrap().origin(), site.origin());
        }

        #[test]
        fn same_url_resolves_to_the_very_target(path in r"(/[a-z0-9%;'()*,=:@!$&+~_-]{0,5}){1,5}", query in r"(\?[a-z0-9%;()*,=:@!$&+~_/?-]{0,9})?") {
            let site = Url::parse("https://shop.example/somewhere/else").unwrap();
            let target = format!("{path}{query}");
            let url = site.join(&same_url(&target)).unwrap();
            prop_assert_eq!(url.host_str(), Some("shop.example"));
            prop_assert_eq!(&url[url::Position::BeforePath..], target);
        }

        #[test]
        fn same_url_never_leaves_the_site(target in r"/[/\\.?#@:a-z\t\n% ]{0,12}|/\PC*") {
            let site = Url::parse("https://shop.example/here").unwrap();
            prop_assert_eq!(site.join(&same_url(&target)).unwrap().origin(), site.origin());
        }
    }
}
