//! The cookies of one scan, kept and sent as a browser would (RFC 6265bis §5.7, §5.8.3), so that later pages show more.

use http::HeaderValue;
use url::{Host, Url};

use crate::cookie::{SetCookie, UnixTime};

/// As many as browsers keep for one site, about; the oldest go first.
const MOST: usize = 200;

/// A browser's jar, for as long as the scan takes.
#[derive(Debug, Default)]
pub(super) struct Jar {
    /// In the order in which they were set.
    cookies: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    name: Vec<u8>,
    /// `None` if it goes without `=`.
    value: Option<Vec<u8>>,
    domain: String,
    host_only: bool,
    path: Vec<u8>,
    secure: bool,
    expires: Option<UnixTime>,
}

impl Jar {
    /// Takes a cookie that came with the answer to `url`. Tells whether a browser would: not over another site's
    /// domain, nor against the promises of its prefix or `Secure`.
    pub(super) fn take(&mut self, cookie: &SetCookie<'_>, url: &Url, now: UnixTime) -> bool {
        let Some(host) = url.host_str() else { return false };
        if cookie.ignored() {
            return false;
        }
        let (domain, host_only) = match cookie.domain() {
            None => (host.to_owned(), true),
            Some(domain) => {
                let domain = String::from_utf8_lossy(domain).to_ascii_lowercase();
                match (domain == host, is_below(url, &domain) && !is_public_suffix(&domain)) {
                    // A public suffix may set for itself alone.
                    (true, _) => (domain.clone(), is_public_suffix(&domain)),
                    (false, true) => (domain, false),
                    (false, false) => return false,
                }
            }
        };
        let secure = cookie.is_secure();
        if secure && !is_trustworthy(url) {
            return false;
        }
        let starts =
            |prefix: &[u8]| cookie.name().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
        if starts(b"__secure-") && !secure
            || starts(b"__host-") && !(secure && cookie.domain().is_none() && cookie.path() == Some(b"/"))
        {
            return false;
        }
        let path = cookie.path().unwrap_or_else(|| default_path(url.path())).to_vec();
        self.cookies.retain(|kept| kept.name != cookie.name() || kept.domain != domain || kept.path != path);
        if !cookie.deletes(now) {
            let expires = cookie.lifetime(now).map(|seconds| now.after(seconds));
            let name = cookie.name().to_vec();
            let value = (!cookie.pair().nameless()).then(|| cookie.value().to_vec());
            self.cookies.push(Kept { name, value, domain, host_only, path, secure, expires });
            if self.cookies.len() > MOST {
                self.cookies.remove(0);
            }
        }
        true
    }

    /// The `Cookie` line for a request, longer paths first; `None` if there is nothing to send.
    pub(super) fn header(&self, url: &Url, now: UnixTime) -> Option<HeaderValue> {
        let fits = |kept: &&Kept| {
            let domain = match kept.host_only {
                true => url.host_str() == Some(&*kept.domain),
                false => url.host_str() == Some(&*kept.domain) || is_below(url, &kept.domain),
            };
            domain
                && is_in(url.path().as_bytes(), &kept.path)
                && (!kept.secure || is_trustworthy(url))
                && kept.expires.is_none_or(|at| at > now)
        };
        let mut cookies: Vec<&Kept> = self.cookies.iter().filter(fits).collect();
        cookies.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs: Vec<Vec<u8>> = cookies
            .into_iter()
            .map(|kept| match &kept.value {
                None => kept.name.clone(),
                Some(value) => [&*kept.name, b"=", value].concat(),
            })
            .collect();
        (!pairs.is_empty()).then(|| HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok()).flatten()
    }
}

/// Whether browsers take it for safe: TLS, or this very machine.
fn is_trustworthy(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn is_below(url: &Url, domain: &str) -> bool {
    let Some(Host::Domain(host)) = url.host() else { return false };
    host.strip_suffix(domain).is_some_and(|head| head.ends_with('.'))
}

fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

fn default_path(path: &str) -> &[u8] {
    match path.rfind('/') {
        None | Some(0) => b"/",
        Some(end) => &path.as_bytes()[..end],
    }
}

fn is_in(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || folder.ends_with(b"/") || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000_000_000);

    fn jar(lines: &[(&str, &str)]) -> Jar {
        let mut jar = Jar::default();
        for (url, line) in lines {
            jar.take(&SetCookie::parse(line.as_bytes()), &Url::parse(url).unwrap(), NOW);
        }
        jar
    }

    fn sent(jar: &Jar, url: &str) -> String {
        let header = jar.header(&Url::parse(url).unwrap(), NOW);
        header.map(|header| String::from_utf8_lossy(header.as_bytes()).into_owned()).unwrap_or_default()
    }

    #[test]
    fn cookies_are_sent_where_they_belong() {
        let page = "https://www.shop.example/a/b";
        let jar = jar(&[
            (page, "all=1; Path=/; Domain=.shop.example"),
            (page, "here=2"),
            (page, "root=3; Path=/"),
            (page, "safe=4; Secure; Path=/"),
            (page, "gone=5; Max-Age=0"),
            (page, "other=6; Domain=other.example"),
            (page, "suffix=7; Domain=example"),
            (page, "__Host-a=8; Path=/"),
            (page, "__Host-b=9; Path=/; Secure"),
            ("http://www.shop.example/", "plain=10; Secure"),
        ]);
        for (url, expected) in [
            (page, "here=2; all=1; root=3; safe=4; __Host-b=9"),
            ("https://www.shop.example/ab", "all=1; root=3; safe=4; __Host-b=9"),
            ("http://www.shop.example/a/", "here=2; all=1; root=3"),
            ("https://shop.example/a/", "all=1"),
            ("https://xshop.example/a/", ""),
        ] {
            assert_eq!(sent(&jar, url), expected, "{url}");
        }
    }

    #[test]
    fn later_line_replaces_and_deletes() {
        let page = "http://localhost:8080/";
        assert_eq!(sent(&jar(&[(page, "a=1; Secure"), (page, "b=1"), (page, "a=2; Secure")]), page), "b=1; a=2");
        assert_eq!(sent(&jar(&[(page, "a=1"), (page, "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")]), page), "");
        assert_eq!(sent(&jar(&[("http://127.0.0.1/x", "a=1; Domain=127.0.0.1")]), "http://127.0.0.1/"), "a=1");
        assert_eq!(sent(&jar(&[(page, "=bare")]), page), "bare");
        let many: Vec<String> = (0..300).map(|n| format!("c{n}=1")).collect();
        let lines: Vec<(&str, &str)> = many.iter().map(|line| (page, &**line)).collect();
        assert_eq!(jar(&lines).cookies.len(), MOST);
    }
}
