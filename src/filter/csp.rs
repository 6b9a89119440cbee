//! What a page's `Content-Security-Policy` lets something of ours do in it (CSP Level 3). Only read, never changed.
//!
//! `Content-Security-Policy-Report-Only` forbids nothing and is not asked.

use http::HeaderMap;
use http::header::CONTENT_SECURITY_POLICY;
use url::Url;

/// All policies of a page; each of them must agree. The default is a page without any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Csp(Vec<Policy>);

/// How a script of ours may stand in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// As it is.
    Plain,
    /// With this nonce, which the page itself uses.
    Nonce(Box<str>),
}

/// The directives of one policy. Of doubled ones only the first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Policy(Vec<(Box<str>, Vec<Box<str>>)>);

const SCRIPT: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
const STYLE: [&str; 3] = ["style-src-elem", "style-src", "default-src"];
const CONNECT: [&str; 2] = ["connect-src", "default-src"];
/// What a `<meta>` cannot say.
const HEADER_ONLY: [&str; 4] = ["sandbox", "frame-ancestors", "report-uri", "report-to"];

impl Csp {
    /// The policies of a response.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut csp = Self::default();
        for line in headers.get_all(CONTENT_SECURITY_POLICY) {
            csp.0.extend(String::from_utf8_lossy(line.as_bytes()).split(',').map(Policy::parse));
        }
        csp
    }

    /// The policies with one that a `<meta>` adds.
    pub fn with_meta(&self, content: &str) -> Self {
        let mut policy = Policy::parse(content);
        policy.0.retain(|(name, _)| !HEADER_ONLY.contains(&&**name));
        Self(self.0.iter().cloned().chain([policy]).collect())
    }

    /// Whether a form of `page` may be sent to `url`, a URL of the same site.
    pub fn allows_form(&self, page: &Url, url: &Url) -> bool {
        self.0.iter().all(|policy| policy.allows(&["form-action"], page, url) && policy.unboxed(&["allow-forms"]))
    }

    /// Whether `page` may link the style sheet `url`.
    pub fn allows_style(&self, page: &Url, url: &Url) -> bool {
        self.0.iter().all(|policy| policy.allows(&STYLE, page, url))
    }

    /// How `page` may link the style sheet `url`; `None` if it may not.
    pub fn style(&self, page: &Url, url: &Url) -> Option<Leave> {
        let by_url = |policy: &&Policy| policy.allows(&STYLE, page, url);
        let Some(refusing) = self.0.iter().find(|policy| !by_url(policy)) else { return Some(Leave::Plain) };
        let fits = |nonce: &&str| {
            self.0.iter().all(|policy| by_url(&policy) || policy.nonces_of(&STYLE).any(|other| other == *nonce))
        };
        refusing.nonces_of(&STYLE).find(fits).map(|nonce| Leave::Nonce(nonce.into()))
    }

    /// Whether scripts of `page` may fetch `url`.
    pub fn allows_fetch(&self, page: &Url, url: &Url) -> bool {
        self.0.iter().all(|policy| policy.allows(&CONNECT, page, url))
    }

    /// How `page` may load the script `url`; `None` if it may not, or the script could not make others run.
    pub fn script(&self, page: &Url, url: &Url) -> Option<Leave> {
        let runs = |policy: &Policy| policy.unboxed(&["allow-scripts", "allow-same-origin"]) && policy.trusts_types();
        if !self.0.iter().all(runs) {
            return None;
        }
        let by_url = |policy: &&Policy| policy.allows_script_by_url(page, url);
        let Some(refusing) = self.0.iter().find(|policy| !by_url(policy)) else { return Some(Leave::Plain) };
        let fits = |nonce: &&str| self.0.iter().all(|policy| by_url(&policy) || policy.nonces().any(|n| n == *nonce));
        refusing.nonces().find(fits).map(|nonce| Leave::Nonce(nonce.into()))
    }
}

impl Policy {
    fn parse(text: &str) -> Self {
        let mut directives: Vec<(Box<str>, Vec<Box<str>>)> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next().map(str::to_ascii_lowercase) else { continue };
            if directives.iter().all(|(known, _)| **known != name) {
                directives.push((name.into(), words.map(Into::into).collect()));
            }
        }
        Self(directives)
    }

    /// The values of the first of these directives that there is.
    fn values(&self, names: &[&str]) -> Option<&[Box<str>]> {
        let find = |name: &&str| self.0.iter().find(|(known, _)| **known == **name);
        names.iter().find_map(find).map(|(_, values)| &values[..])
    }

    fn allows(&self, names: &[&str], page: &Url, url: &Url) -> bool {
        self.values(names).is_none_or(|sources| sources.iter().any(|source| matches(source, page, url)))
    }

    fn allows_script_by_url(&self, page: &Url, url: &Url) -> bool {
        let strict = |sources: &[Box<str>]| sources.iter().any(|s| s.eq_ignore_ascii_case("'strict-dynamic'"));
        !self.values(&SCRIPT).is_some_and(strict) && self.allows(&SCRIPT, page, url)
    }

    fn nonces(&self) -> impl Iterator<Item = &str> {
        self.nonces_of(&SCRIPT)
    }

    fn nonces_of(&self, names: &[&str]) -> impl Iterator<Item = &str> {
        let nonce = |source: &'_ str| {
            let (keyword, rest) = source.split_at_checked("'nonce-".len())?;
            let nonce = rest.strip_suffix('\'')?;
            keyword.eq_ignore_ascii_case("'nonce-").then_some(nonce.len())
        };
        let sources = self.values(names).unwrap_or_default().iter();
        sources.filter_map(move |source| nonce(source).map(|length| &source["'nonce-".len()..][..length]))
    }

    /// No `sandbox`, or one that leaves all this.
    fn unboxed(&self, needs: &[&str]) -> bool {
        let all =
            |flags: &[Box<str>]| needs.iter().all(|need| flags.iter().any(|flag| flag.eq_ignore_ascii_case(need)));
        self.values(&["sandbox"]).is_none_or(all)
    }

    /// Whether a script may make a Trusted Types policy named [`TRUSTED`], where it needs one.
    fn trusts_types(&self) -> bool {
        self.values(&["require-trusted-types-for"]).is_none()
            || self.values(&["trusted-types"]).is_none_or(|names| names.iter().any(|n| **n == *TRUSTED || &**n == "*"))
    }
}

/// The Trusted Types policy that our script makes.
const TRUSTED: &str = "consentry";

/// A source expression (CSP §6.7.2.8). Keywords but `'self'` name no URL.
fn matches(source: &str, page: &Url, url: &Url) -> bool {
    if source.eq_ignore_ascii_case("'self'") {
        return url.origin() == page.origin();
    }
    if source == "*" {
        return matches!(url.scheme(), "http" | "https");
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return scheme.eq_ignore_ascii_case(url.scheme());
    }
    let (scheme, rest) = match source.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, source),
    };
    // What has no scheme takes the page's; `http` may become `https`.
    let scheme = scheme.unwrap_or_else(|| page.scheme());
    let fits =
        scheme.eq_ignore_ascii_case(url.scheme()) || (scheme.eq_ignore_ascii_case("http") && url.scheme() == "https");
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let own = url.host_str().unwrap_or_default();
    let host_fits = match host.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => suffix.starts_with('.') && own.ends_with(&suffix.to_ascii_lowercase()),
        None => host.eq_ignore_ascii_case(own),
    };
    let port_fits = match port {
        Some("*") => true,
        Some(port) => port.parse().ok() == url.port_or_known_default(),
        None => url.port().is_none(),
    };
    let path_fits = path.is_empty() || path == url.path() || (path.ends_with('/') && url.path().starts_with(path));
    fits && host_fits && port_fits && path_fits
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn csp(lines: &[&'static str]) -> Csp {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(line));
        }
        Csp::read(&headers)
    }

    fn urls() -> (Url, Url) {
        let page = Url::parse("https://shop.example/tea").unwrap();
        let ours = page.join("/_consent/x").unwrap();
        (page, ours)
    }

    #[test]
    fn scripts_stand_where_every_policy_lets_them() {
        let (page, ours) = urls();
        let nonce = |text: &str| Some(Leave::Nonce(text.into()));
        for (lines, expected) in [
            (&[][..], Some(Leave::Plain)),
            (&["img-src 'none'"], Some(Leave::Plain)),
            (&["default-src 'self'"], Some(Leave::Plain)),
            (&["default-src 'none'"], None),
            (&["default-src 'none'; script-src 'SELF'"], Some(Leave::Plain)),
            (&["script-src 'self'; script-src-elem 'none'"], None),
            (&["script-src *"], Some(Leave::Plain)),
            (&["script-src https:"], Some(Leave::Plain)),
            (&["script-src shop.example"], Some(Leave::Plain)),
            (&["script-src http://SHOP.example/_consent/"], Some(Leave::Plain)),
            (&["script-src https://*.example:443/_consent/x"], Some(Leave::Plain)),
            (&["script-src https://shop.example:8443"], None),
            (&["script-src https://shop.example/other/"], None),
            (&["script-src *.shop.example"], None),
            (&["script-src cdn.example 'unsafe-inline' 'sha256-x'"], None),
            (&["script-src 'nonce-abc' 'strict-dynamic' 'self' https:"], nonce("abc")),
            (&["script-src 'Nonce-aB+/='"], nonce("aB+/=")),
            (&["script-src 'strict-dynamic' 'sha256-x' 'self'"], None),
            (&["script-src 'self'", "script-src 'nonce-abc'"], nonce("abc")),
            (&["script-src 'self', script-src 'nonce-a' 'nonce-b'", "script-src 'nonce-b'"], nonce("b")),
            (&["script-src 'nonce-a'", "script-src 'nonce-b'"], None),
            (&["script-src 'self'; script-src 'none'"], Some(Leave::Plain)),
            (&["sandbox allow-scripts"], None),
            (&["sandbox allow-scripts allow-same-origin"], Some(Leave::Plain)),
            (&["require-trusted-types-for 'script'"], Some(Leave::Plain)),
            (&["require-trusted-types-for 'script'; trusted-types shop"], None),
            (&["require-trusted-types-for 'script'; trusted-types shop consentry"], Some(Leave::Plain)),
        ] {
            assert_eq!(csp(lines).script(&page, &ours), expected, "{lines:?}");
        }
    }

    #[test]
    fn forms_styles_and_fetches_are_judged_apart() {
        let (page, ours) = urls();
        for (line, form, style, fetch) in [
            ("default-src 'none'", true, false, false),
            ("form-action 'none'", false, true, true),
            ("form-action 'self'; style-src 'self'; connect-src 'none'", true, true, false),
            ("form-action", false, true, true),
            ("sandbox allow-scripts", false, true, true),
            ("style-src 'unsafe-inline'; default-src 'self'", true, false, true),
        ] {
            let csp = csp(&[line]);
            let found = (csp.allows_form(&page, &ours), csp.allows_style(&page, &ours), csp.allows_fetch(&page, &ours));
            assert_eq!(found, (form, style, fetch), "{line}");
        }
        let meta = csp(&["style-src 'self'"]).with_meta("sandbox; form-action 'none'");
        assert!(!meta.allows_form(&page, &ours) && meta.allows_style(&page, &ours));
        assert!(Csp::default().with_meta("sandbox").allows_form(&page, &ours));
    }
}
