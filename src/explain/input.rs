//! What one may ask about: a `Set-Cookie` line, a `Cookie` line, or a URL.

use http::HeaderValue;
use serde::Serialize;
use url::Url;

use crate::policy::resolve;

/// One question.
#[derive(Debug)]
pub(crate) struct Input {
    /// As it was given, for people.
    pub(crate) text: String,
    pub(crate) what: What,
}

/// What it is about.
#[derive(Debug)]
pub(crate) enum What {
    /// The name of the header as it was given, with colon and space, and its value.
    SetCookie(String, HeaderValue),
    Cookie(String, HeaderValue),
    Url(Url),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    SetCookie,
    Cookie,
    Url,
    /// An element of a page, known by the host that it would contact.
    Tag,
    /// An inline script, known by what gave it away.
    Snippet,
}

/// Why something is no question.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("write `Set-Cookie: NAME=VALUE…`, `Cookie: NAME=VALUE…` or a URL")]
    Nothing,
    #[error("this holds a control character, which no header line can")]
    Control,
}

impl Input {
    /// Reads one line; `site` is what a path is relative to.
    pub(crate) fn parse(raw: &[u8], site: &Url) -> Result<Self, Error> {
        let raw = raw.trim_ascii();
        let text = String::from_utf8_lossy(raw).into_owned();
        let what = match header(raw) {
            Some((b"set-cookie", head, value)) => What::SetCookie(head, value_of(value)?),
            Some((_, head, value)) => What::Cookie(head, value_of(value)?),
            None => What::Url(address(&text, site).ok_or(Error::Nothing)?),
        };
        Ok(Self { text, what })
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.what {
            What::SetCookie(..) => Kind::SetCookie,
            What::Cookie(..) => Kind::Cookie,
            What::Url(_) => Kind::Url,
        }
    }
}

/// The name in lower case, the name as given up to the value, and the value.
fn header(raw: &[u8]) -> Option<(&'static [u8], String, &[u8])> {
    let colon = raw.iter().position(|byte| *byte == b':')?;
    let names: [&'static [u8]; 2] = [b"set-cookie", b"cookie"];
    let name = names.into_iter().find(|name| name.eq_ignore_ascii_case(raw[..colon].trim_ascii()))?;
    let value = raw[colon + 1..].trim_ascii();
    let head = &raw[..raw.len() - value.len()];
    Some((name, String::from_utf8_lossy(head).into_owned(), value))
}

fn value_of(value: &[u8]) -> Result<HeaderValue, Error> {
    HeaderValue::from_bytes(value).map_err(|_| Error::Control)
}

/// A URL, a path of the site, or a host (and path) without `https://`.
fn address(text: &str, site: &Url) -> Option<Url> {
    if text.starts_with(['/', '\\']) {
        return resolve(site, text);
    }
    match Url::parse(text) {
        // `shop.example:8443` parses as a URL with a scheme of that name.
        Ok(url) if url.has_host() => Some(url),
        _ => {
            let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
            let is_host = host.contains('.') && !host.contains(['=', ' ', ';', '@']);
            is_host.then(|| Url::parse(&format!("https://{text}")).ok()).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        let site = Url::parse("https://shop.example/").unwrap();
        let parse = |text: &str| Input::parse(text.as_bytes(), &site);
        for (text, kind) in [
            ("Set-Cookie: a=1; Path=/", Kind::SetCookie),
            ("set-cookie:a=1", Kind::SetCookie),
            ("Set-Cookie:", Kind::SetCookie),
            ("COOKIE: a=1; b=2", Kind::Cookie),
            ("https://t.example/x?y", Kind::Url),
            ("//t.example/x", Kind::Url),
            ("/x.js", Kind::Url),
            ("t.example/x", Kind::Url),
            ("t.example:8443/x", Kind::Url),
            (" https://t.example/a:b ", Kind::Url),
        ] {
            assert_eq!(parse(text).unwrap().kind(), kind, "{text}");
        }
        for (text, host) in [("/x.js", "shop.example"), ("//t.example", "t.example"), ("t.example:8443/x", "t.example")]
        {
            let What::Url(url) = parse(text).unwrap().what else { panic!("{text}") };
            assert_eq!(url.host_str(), Some(host), "{text}");
        }
        for text in ["", "_ga=1", "_ga", "X-Header: a", "shop.cookie=1"] {
            assert_eq!(parse(text).unwrap_err(), Error::Nothing, "{text}");
        }
        assert_eq!(parse("Set-Cookie: a=\u{1}").unwrap_err(), Error::Control);
    }
}
