//! `Link` (RFC 8288 §3) and `Refresh`: the URLs that a head makes the browser fetch, and removing single ones.

use http::header::{LINK, REFRESH};
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::list;

/// Removes the links that `blocked` says. The others keep their bytes; a line without links left goes.
pub(super) fn remove_links(headers: &mut HeaderMap, base: &Url, mut blocked: impl FnMut(&Url) -> bool) {
    if !headers.contains_key(LINK) {
        return;
    }
    let mut is_blocked = |value: &[u8]| {
        target(value, base).is_some_and(|url| blocked(&url)) || image_set(value, base).any(|url| blocked(&url))
    };
    let lines: Vec<HeaderValue> = headers.get_all(LINK).iter().cloned().collect();
    let mut changed = false;
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        let values: Vec<&[u8]> = values(line.as_bytes()).collect();
        let passing: Vec<&[u8]> = values.iter().copied().filter(|value| !is_blocked(value)).collect();
        if passing.len() == values.len() {
            kept.push(line);
            continue;
        }
        changed = true;
        let joined = passing.join(&b","[..]);
        // Slices of a header value, so that only emptiness can stand in the way.
        if let Ok(line) = HeaderValue::from_bytes(joined.trim_ascii())
            && !line.is_empty()
        {
            kept.push(line);
        }
    }
    if changed {
        headers.remove(LINK);
        for line in kept {
            headers.append(LINK, line);
        }
    }
}

/// Removes `Refresh` if `blocked` says so of where it leads.
pub(super) fn remove_refresh(headers: &mut HeaderMap, base: &Url, mut blocked: impl FnMut(&Url) -> bool) {
    let leads = |line: &HeaderValue| refresh_target(line.as_bytes()).and_then(|text| resolve(text, base));
    if headers.get_all(REFRESH).iter().filter_map(leads).any(|url| blocked(&url)) {
        headers.remove(REFRESH);
    }
}

/// Splits a line at the commas between links: not those in `<…>` or in quoted strings.
fn values(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut state, mut escaped) = (b' ', false);
    line.split(move |byte| {
        match (state, byte) {
            _ if escaped => escaped = false,
            (b' ', b'<' | b'"') => state = *byte,
            (b'<', b'>') | (b'"', b'"') => state = b' ',
            (b'"', b'\\') => escaped = true,
            (b' ', b',') => return true,
            _ => {}
        }
        false
    })
}

/// Where a link leads. Blanks before `<` are skipped as browsers do.
fn target(value: &[u8], base: &Url) -> Option<Url> {
    let text = value.trim_ascii().strip_prefix(b"<")?;
    resolve(&text[..memchr::memchr(b'>', text)?], base)
}

/// The URLs of `imagesrcset`, which a preload may fetch instead. Descriptors such as `2x` read as paths of the site.
fn image_set<'a>(value: &'a [u8], base: &'a Url) -> impl Iterator<Item = Url> + 'a {
    let parameters = list::split(value, b';').filter_map(|text| {
        let (name, text) = text.split_at(memchr::memchr(b'=', text)?);
        name.trim_ascii().eq_ignore_ascii_case(b"imagesrcset").then(|| text[1..].trim_ascii())
    });
    let unquoted = |text: &'a [u8]| text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
    let candidates = parameters.map(unquoted).flat_map(|set| set.split(u8::is_ascii_whitespace));
    candidates.filter_map(|text| resolve(text.strip_suffix(b",").unwrap_or(text), base))
}

/// HTML §4.2.4.3's `Refresh` has the same grammar in a header: seconds, `;` or `,` or a blank, `url=`, quotes.
fn refresh_target(value: &[u8]) -> Option<&[u8]> {
    let rest = value.trim_ascii_start();
    let time = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let rest = rest[time..].trim_ascii_start();
    let rest = rest.strip_prefix(b";").or_else(|| rest.strip_prefix(b",")).unwrap_or(rest).trim_ascii_start();
    let rest = match rest.split_at_checked(3) {
        Some((url, after)) if url.eq_ignore_ascii_case(b"url") => {
            after.trim_ascii_start().strip_prefix(b"=").map_or(rest, <[u8]>::trim_ascii_start)
        }
        _ => rest,
    };
    let text = match rest {
        [quote @ (b'"' | b'\''), quoted @ ..] => quoted.split(|byte| byte == quote).next().unwrap_or(quoted),
        _ => rest,
    };
    (!text.is_empty()).then_some(text)
}

fn resolve(text: &[u8], base: &Url) -> Option<Url> {
    // 8-bit bytes reach the URL parser as Latin-1, as in browsers; no host of a service holds any.
    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
    base.join(&text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://shop.example/a/b").unwrap()
    }

    fn tracker(url: &Url) -> bool {
        url.host_str() == Some("t.example")
    }

    fn links(lines: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(LINK, HeaderValue::from_str(line).unwrap());
        }
        remove_links(&mut headers, &base(), tracker);
        headers.get_all(LINK).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn blocked_links_go_and_others_keep_their_bytes() {
        let good = r#"</s.css>;  rel="preload, x" ;as=style"#;
        for (lines, expected) in [
            (&[good] as &[&str], &[good] as &[&str]),
            (&["<https://t.example/x.js>; rel=preload; as=script"], &[]),
            (&["<//T.EXAMPLE/x>;rel=preconnect"], &[]),
            (&[r"<\\t.example\x>;rel=preconnect"], &[]),
            (&["<ht\ttps://t.example/x>;rel=preconnect"], &[]),
            (&["  < https://t.example >"], &[]),
            (&["<https://t.example>; rel=x, </a>; rel=next"], &["</a>; rel=next"]),
            (&["</a>; rel=next, <https://t.example>; rel=x"], &["</a>; rel=next"]),
            (&["</a,b>,<//t.example>,</c>  , </d>"], &["</a,b>,</c>  , </d>"]),
            (&[r#"</a>; title="x\", <//t.example>""#], &[r#"</a>; title="x\", <//t.example>""#]),
            (&["</1>", "<//t.example>", "</2>"], &["</1>", "</2>"]),
            (&["<https://shop.example/?u=//t.example>"], &["<https://shop.example/?u=//t.example>"]),
            (&["</a>;rel=preload;as=image; ImageSrcSet=\"/1.png 1x, //t.example/2.png 2x\""], &[]),
            (&["</a>; imagesrcset=\"/1.png 1x, /2.png 2x\""], &["</a>; imagesrcset=\"/1.png 1x, /2.png 2x\""]),
            (&["no link, at all"], &["no link, at all"]),
            (&["<unclosed //t.example"], &["<unclosed //t.example"]),
        ] {
            assert_eq!(links(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn refresh_to_a_blocked_url_goes() {
        for (value, kept) in [
            ("5", true),
            ("0; url=/next", true),
            ("0; url=https://t.example/", false),
            ("0;URL='https://t.example/'", false),
            ("0, url = \"//t.example/x\" junk", false),
            ("0.5 //t.example", false),
            ("3; //t.example", false),
            ("3; urlx", true),
            ("", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REFRESH, HeaderValue::from_str(value).unwrap());
            remove_refresh(&mut headers, &base(), tracker);
            assert_eq!(headers.contains_key(REFRESH), kept, "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_changes_where_nothing_is_blocked(line in r#"[<>",;\\ a/=.:]{0,40}"#) {
            let line = line.trim().to_owned();
            let mut headers = HeaderMap::new();
            headers.append(LINK, HeaderValue::from_str(&line).unwrap());
            remove_links(&mut headers, &base(), |_| false);
            prop_assert_eq!(headers[LINK].to_str().unwrap(), line);
        }
    }
}
