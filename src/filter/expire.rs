//! Deletes refused cookies in the browser, wherever up to the registrable domain they may have been set.

use http::HeaderValue;

/// The most lines that one response gets.
pub(super) const MAX_LINES: usize = 32;

/// The most lines that the answer to a withdrawal gets: it is the one chance to reach other paths than `/`.
const MAX_LINES_EVERYWHERE: usize = 96;

/// One `Set-Cookie` for each name and each place where the cookie may live: host-only, and for the host and each
/// parent up to the registrable domain. Whole cookies only, so that none is left behind in half of its places.
pub(super) fn lines(names: &[Box<[u8]>], host: &str) -> Vec<HeaderValue> {
    let mut lines = Vec::new();
    add(names, host, "/", MAX_LINES, &mut lines);
    lines
}

/// The same on several paths, the first of them for all names first.
pub fn everywhere(names: &[Box<[u8]>], host: &str, paths: &[&str]) -> Vec<HeaderValue> {
    let mut lines = Vec::new();
    // What would end the attribute, or mean another one, is no path of a cookie.
    let plain = |path: &&&str| path.bytes().all(|b| b.is_ascii_graphic() && b != b';');
    for path in paths.iter().filter(plain) {
        add(names, host, path, MAX_LINES_EVERYWHERE, &mut lines);
    }
    lines
}

fn add(names: &[Box<[u8]>], host: &str, path: &str, most: usize, lines: &mut Vec<HeaderValue>) {
    if names.is_empty() {
        return;
    }
    let domains = domains(host);
    for name in names {
        // Browsers refuse `__Host-` cookies with a domain or another path, and both kinds without `Secure` (RFC 6265bis
        // §4.1.3).
        let host_only = starts_with(name, b"__Host-");
        if host_only && path != "/" {
            continue;
        }
        let secure = host_only || starts_with(name, b"__Secure-") || starts_with(name, b"__Http-");
        let domains = if host_only { &[] } else { &domains[..] };
        if lines.len() + 1 + domains.len() > most {
            break;
        }
        for domain in std::iter::once(None).chain(domains.iter().map(Some)) {
            let mut line = Vec::with_capacity(name.len() + host.len() + path.len() + 48);
            line.extend_from_slice(name);
            line.extend_from_slice(b"=; Max-Age=0; Path=");
            line.extend_from_slice(path.as_bytes());
            if let Some(domain) = domain {
                line.extend_from_slice(b"; Domain=");
                line.extend_from_slice(domain.as_bytes());
            }
            if secure {
                line.extend_from_slice(b"; Secure");
            }
            if starts_with(name, b"__Http-") || starts_with(name, b"__Host-Http-") {
                line.extend_from_slice(b"; HttpOnly");
            }
            // Names come out of a header value, so that this cannot fail.
            lines.extend(HeaderValue::from_maybe_shared(bytes::Bytes::from(line)));
        }
    }
}

/// The host and its parents down to the registrable domain; none for addresses and for public suffixes themselves.
fn domains(host: &str) -> Vec<&str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host.parse::<std::net::Ipv4Addr>().is_ok() || host.contains(':');
    let Some(registrable) = psl::domain_str(host).filter(|_| !address) else { return vec![] };
    let mut domains = vec![host];
    let mut rest = host;
    while rest.len() > registrable.len() {
        let Some((_, parent)) = rest.split_once('.') else { break };
        domains.push(parent);
        rest = parent;
    }
    domains
}

fn starts_with(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expired(names: &[&str], host: &str) -> Vec<String> {
        let names: Vec<Box<[u8]>> = names.iter().map(|name| name.as_bytes().into()).collect();
        lines(&names, host).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_place_up_to_the_registrable_domain() {
        for (name, host, expected) in [
            ("_ga", "localhost", &["_ga=; Max-Age=0; Path=/"] as &[&str]),
            ("_ga", "192.0.2.1", &["_ga=; Max-Age=0; Path=/"]),
            ("_ga", "[2001:db8::1]", &["_ga=; Max-Age=0; Path=/"]),
            ("_ga", "co.uk", &["_ga=; Max-Age=0; Path=/"]),
            ("_ga", "shop.co.uk", &["_ga=; Max-Age=0; Path=/", "_ga=; Max-Age=0; Path=/; Domain=shop.co.uk"]),
            (
                "_ga",
                "www.de.shop.example.com",
                &[
                    "_ga=; Max-Age=0; Path=/",
                    "_ga=; Max-Age=0; Path=/; Domain=www.de.shop.example.com",
                    "_ga=; Max-Age=0; Path=/; Domain=de.shop.example.com",
                    "_ga=; Max-Age=0; Path=/; Domain=shop.example.com",
                    "_ga=; Max-Age=0; Path=/; Domain=example.com",
                ],
            ),
            // Public suffixes of companies count: cookies of one shop are none of its neighbour's.
            ("_ga", "a.github.io", &["_ga=; Max-Age=0; Path=/", "_ga=; Max-Age=0; Path=/; Domain=a.github.io"]),
            ("__Host-x", "a.example.com", &["__Host-x=; Max-Age=0; Path=/; Secure"]),
            (
                "__secure-x",
                "example.com",
                &[
                    "__secure-x=; Max-Age=0; Path=/; Secure",
                    "__secure-x=; Max-Age=0; Path=/; Domain=example.com; Secure",
                ],
            ),
        ] {
            assert_eq!(expired(&[name], host), expected, "{host}");
        }
    }

    #[test]
    fn paths_come_one_after_the_other() {
        let names: Vec<Box<[u8]>> = vec![b"_ga"[..].into(), b"__Host-x"[..].into()];
        let lines = everywhere(&names, "shop.example", &["/", "/a b", "/x;Domain=y", "/cart"]);
        let lines: Vec<_> = lines.iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "_ga=; Max-Age=0; Path=/",
                "_ga=; Max-Age=0; Path=/; Domain=shop.example",
                "__Host-x=; Max-Age=0; Path=/; Secure",
                "_ga=; Max-Age=0; Path=/cart",
                "_ga=; Max-Age=0; Path=/cart; Domain=shop.example",
            ]
        );
        let many: Vec<Box<[u8]>> = (0..100).map(|n| format!("_t{n}").into_bytes().into()).collect();
        assert_eq!(everywhere(&many, "shop.example", &["/", "/cart"]).len(), MAX_LINES_EVERYWHERE);
    }

    #[test]
    fn at_most_32_lines_and_no_cookie_by_half() {
        let names: Vec<String> = (0..40).map(|n| format!("_t{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(expired(&names, "localhost").len(), 32);
        // Four places each: host-only, a.b, b and the registrable one.
        assert_eq!(expired(&names, "a.b.example.com").len(), 32);
        assert_eq!(expired(&names, "a.b.c.example.com").len(), 30);
    }
}
