//! What `<link rel>` makes a browser fetch, and where `<meta http-equiv=refresh>` leads.

/// Whether a browser contacts the `href` of a link of these types. `canonical`, `alternate`, `author` … it doesn't.
pub(super) fn fetches(rel: &str) -> bool {
    const FETCHED: [&str; 17] = [
        "stylesheet",
        "preload",
        "modulepreload",
        "prefetch",
        "preconnect",
        "dns-prefetch",
        "prerender",
        "icon",
        "apple-touch-icon",
        "apple-touch-icon-precomposed",
        "apple-touch-startup-image",
        "mask-icon",
        "manifest",
        "compression-dictionary",
        "subresource",
        "import",
        // Firefox fetches it ahead like `prefetch`.
        "next",
    ];
    rel.split_ascii_whitespace().any(|word| FETCHED.iter().any(|fetched| fetched.eq_ignore_ascii_case(word)))
}

/// The URL of a refresh, by the shared declarative refresh steps (HTML §4.2.5.3).
pub(super) fn refresh(content: &str) -> Option<&str> {
    let content = content.trim_start_matches(is_space);
    let after = content.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if after.len() == content.len() {
        return None;
    }
    let rest = after.trim_start_matches(is_space);
    let rest = match rest.strip_prefix([';', ',']) {
        Some(rest) => rest.trim_start_matches(is_space),
        None if rest.len() < after.len() => rest,
        None => return None,
    };
    let url = after_keyword(rest).unwrap_or(rest);
    let url = match url.chars().next() {
        Some(quote @ ('"' | '\'')) => url[1..].split(quote).next()?,
        _ => url,
    };
    (!url.is_empty()).then_some(url)
}

/// What follows `url =`.
fn after_keyword(text: &str) -> Option<&str> {
    let (keyword, rest) = text.split_at_checked(3)?;
    let rest = rest.trim_start_matches(is_space).strip_prefix('=')?;
    keyword.eq_ignore_ascii_case("url").then(|| rest.trim_start_matches(is_space))
}

/// The charset that the `content` of a `<meta http-equiv=content-type>` names (HTML §2.4.4).
pub(super) fn charset(content: &str) -> Option<&str> {
    let at = content.to_ascii_lowercase().find("charset")? + "charset".len();
    let rest = content.get(at..)?.trim_start_matches(is_space).strip_prefix('=')?.trim_start_matches(is_space);
    match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split(quote).next(),
        _ => rest.split(|c: char| is_space(c) || c == ';').next(),
    }
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_that_fetch_count() {
        for rel in ["stylesheet", "PRELOAD", "shortcut icon", "alternate\tstylesheet", "dns-prefetch"] {
            assert!(fetches(rel), "{rel}");
        }
        for rel in ["", "canonical", "alternate", "author license", "stylesheets"] {
            assert!(!fetches(rel), "{rel}");
        }
    }

    #[test]
    fn refresh_is_read_as_browsers_do() {
        for (content, url) in [
            ("0;url=//a/b", Some("//a/b")),
            (" 5 ; URL = '//a/b' x", Some("//a/b")),
            ("0, \"//a\"", Some("//a")),
            ("0 //a", Some("//a")),
            (".5;u", Some("u")),
            ("0;urls", Some("urls")),
            ("0", None),
            ("0;", None),
            ("0;url=", None),
            ("0x;url=//a", None),
            ("url=//a", None),
            ("0;\u{e9}\u{e9}", Some("\u{e9}\u{e9}")),
        ] {
            assert_eq!(refresh(content), url, "{content}");
        }
    }
}
