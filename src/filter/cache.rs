//! `Cache-Control` and `Vary` of what depends on the visitor (RFC 9111 §3.5, §5.2; RFC 9110 §12.5.5).

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue};

use super::list;
use super::removal::remove_where;

/// Fields by which an origin tells a CDN to store what `Cache-Control` forbids (RFC 9213 and its forerunners).
fn is_targeted(name: &str) -> bool {
    matches!(
        name,
        "surrogate-control"
            | "cdn-cache-control"
            | "cloudflare-cdn-cache-control"
            | "vercel-cdn-cache-control"
            | "netlify-cdn-cache-control"
            | "akamai-cache-control"
            | "edge-control"
            | "x-accel-expires"
    )
}

/// Makes the response one visitor's own: no shared cache may keep it. Directives for the browser stay as they are.
pub fn make_private(headers: &mut HeaderMap) {
    remove_where(headers, is_targeted);
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
        return;
    }
    if is_private(headers) {
        return;
    }
    let mut value = Vec::with_capacity(64);
    let mut forbidden = false;
    for line in headers.get_all(CACHE_CONTROL) {
        for directive in list::elements(line.as_bytes()).filter(|directive| !is_shared(directive)) {
            forbidden |= is(directive, "no-store") || is(directive, "private");
            value.extend_from_slice(directive);
            value.extend_from_slice(b", ");
        }
    }
    if forbidden {
        value.truncate(value.len().saturating_sub(2));
    } else {
        value.extend_from_slice(b"private");
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
        headers.insert(CACHE_CONTROL, value);
    }
}

/// Adds a field to `Vary` unless it is there, as a line of its own: the origin's lines keep their bytes.
pub(super) fn vary(headers: &mut HeaderMap, field: &'static str) {
    let listed = headers.get_all(VARY).iter().any(|line| {
        list::elements(line.as_bytes()).any(|name| name == b"*" || name.eq_ignore_ascii_case(field.as_bytes()))
    });
    if !listed {
        headers.append(VARY, HeaderValue::from_static(field));
    }
}

/// Nothing to do: no shared cache may store it as it is.
fn is_private(headers: &HeaderMap) -> bool {
    let mut private = false;
    for line in headers.get_all(CACHE_CONTROL) {
        for directive in list::elements(line.as_bytes()) {
            if is_shared(directive) {
                return false;
            }
            // `private="set-cookie"` limits single fields only; `is` wants the bare word.
            private |= directive.eq_ignore_ascii_case(b"private") || is(directive, "no-store");
        }
    }
    private
}

/// What invites shared caches, or speaks only to them; a bare `private` of ours replaces `private="field"`.
fn is_shared(directive: &[u8]) -> bool {
    is(directive, "public")
        || is(directive, "s-maxage")
        || (is(directive, "private") && !directive.eq_ignore_ascii_case(b"private"))
}

fn is(directive: &[u8], name: &str) -> bool {
    let end = memchr::memchr(b'=', directive).unwrap_or(directive.len());
    directive[..end].trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;

    use super::*;

    fn lines(name: HeaderName, lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, HeaderValue::from_static(line));
        }
        headers
    }

    fn all(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
        headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn private_replaces_what_invites_shared_caches() {
        for (before, after) in [
            (&[] as &[&'static str], &["private"] as &[&str]),
            (&["public, max-age=60"], &["max-age=60, private"]),
            (&["Public, S-MaxAge=600"], &["private"]),
            (&["max-age=0, must-revalidate"], &["max-age=0, must-revalidate, private"]),
            (&["no-cache"], &["no-cache, private"]),
            (&["max-age=60", "public"], &["max-age=60, private"]),
            (&["no-store"], &["no-store"]),
            (&["no-store,  no-cache"], &["no-store,  no-cache"]),
            (&["no-store, public"], &["no-store"]),
            (&["private,max-age=3"], &["private,max-age=3"]),
            (&["private, s-maxage=9"], &["private"]),
            (&[r#"private="set-cookie", max-age=1"#], &["max-age=1, private"]),
            (&[r#"no-cache="a, public", x="\"public""#], &[r#"no-cache="a, public", x="\"public", private"#]),
            (&["publicity"], &["publicity, private"]),
        ] {
            let mut headers = lines(CACHE_CONTROL, before);
            make_private(&mut headers);
            assert_eq!(all(&headers, CACHE_CONTROL), after, "{before:?}");
        }
    }

    #[test]
    fn orders_to_cdns_go() {
        let mut headers = lines(CACHE_CONTROL, &["private"]);
        for name in ["surrogate-control", "cdn-cache-control", "edge-control", "x-accel-expires"] {
            headers.insert(name, HeaderValue::from_static("max-age=600"));
        }
        make_private(&mut headers);
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn vary_is_added_once() {
        for (before, after) in [
            (&[] as &[&'static str], &["Cookie"] as &[&str]),
            (&["Accept-Encoding"], &["Accept-Encoding", "Cookie"]),
            (&["accept-encoding, cookie"], &["accept-encoding, cookie"]),
            (&["Origin", "COOKIE"], &["Origin", "COOKIE"]),
            (&["*"], &["*"]),
        ] {
            let mut headers = lines(VARY, before);
            vary(&mut headers, "Cookie");
            assert_eq!(all(&headers, VARY), after, "{before:?}");
        }
    }
}
