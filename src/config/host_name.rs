//! The names that a site answers to: `shop.example`, or `*.shop.example` for exactly one label more.

use std::fmt;

/// A host without port, lower case, IDNA in its ASCII form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostName {
    /// Without `*.`.
    name: Box<str>,
    wildcard: bool,
}

/// Why a name cannot be that of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// A URL instead of its host.
    #[error("`{0}` is a URL; write only its host")]
    Url(String),
    /// With a port.
    #[error("`{0}` has a port; write only the host (ports belong to `listen`)")]
    Port(String),
    /// A star anywhere but as the first label.
    #[error("`{0}` has a star elsewhere than in `*.`")]
    Star(String),
    /// Anything else.
    #[error("`{0}` is no host name")]
    Form(String),
}

impl HostName {
    /// Reads a name as written in a config.
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if name.contains('/') {
            return Err(HostNameError::Url(text.to_owned()));
        }
        if name.contains('*') {
            return Err(HostNameError::Star(text.to_owned()));
        }
        match url::Host::parse(name.trim_end_matches('.')) {
            Ok(url::Host::Domain(name)) if is_dns_name(&name) => Ok(Self { name: name.into(), wildcard }),
            Ok(host @ (url::Host::Ipv4(_) | url::Host::Ipv6(_))) if !wildcard => {
                Ok(Self { name: host.to_string().into(), wildcard })
            }
            _ if has_port(name) => Err(HostNameError::Port(text.to_owned())),
            _ => Err(HostNameError::Form(text.to_owned())),
        }
    }

    /// Without `*.`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a cookie with this `Domain` reaches it.
    pub(super) fn is_below(&self, domain: &str) -> bool {
        self.name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether it stands for one label more instead of for itself.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// Whether a host of a request, lower case and without port, is meant.
    pub fn matches(&self, host: &str) -> bool {
        if !self.wildcard {
            return *self.name == *host;
        }
        host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && *rest == *self.name)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.name)
    }
}

fn is_dns_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn has_port(name: &str) -> bool {
    name.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for (text, shown) in [
            ("shop.example", "shop.example"),
            ("Shop.Example.", "shop.example"),
            ("*.shop.example", "*.shop.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(HostName::parse(text).map(|h| h.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for (text, error) in [
            ("https://shop.example", HostNameError::Url as fn(String) -> HostNameError),
            ("shop.example/", HostNameError::Url),
            ("shop.example:443", HostNameError::Port),
            ("shop.*.example", HostNameError::Star),
            ("*", HostNameError::Star),
            ("*.", HostNameError::Form),
            ("", HostNameError::Form),
            ("*.127.0.0.1", HostNameError::Form),
            ("a b", HostNameError::Form),
            ("-a.example", HostNameError::Form),
            ("a..b", HostNameError::Form),
        ] {
            assert_eq!(HostName::parse(text), Err(error(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn wildcard_is_one_label() {
        let host = HostName::parse("*.shop.example").unwrap();
        for (name, matches) in
            [("a.shop.example", true), ("a.b.shop.example", false), ("shop.example", false), (".shop.example", false)]
        {
            assert_eq!(host.matches(name), matches, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(text in "\\PC{0,20}") {
            if let Ok(host) = HostName::parse(&text) {
                prop_assert_eq!(HostName::parse(&host.to_string()), Ok(host));
            }
        }
    }
}
