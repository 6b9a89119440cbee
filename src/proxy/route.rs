//! From the authority of a request to the site that serves it (RFC 9110 §7.2, RFC 9112 §3.2).

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use http::header::HOST;
use http::uri::Authority;
use http::{Request, StatusCode, Version};

use super::error::Error;
use super::worker::{Client, SiteRef};
use crate::config::Site;

/// All hosts of a configuration. The cost of a look-up does not depend on how many there are.
#[derive(Debug, Default)]
pub(super) struct Routes {
    exact: HashMap<Box<str>, usize, RandomState>,
    /// By what follows the first label: `shop.example` for `*.shop.example`.
    wildcard: HashMap<Box<str>, usize, RandomState>,
}

impl Routes {
    pub(super) fn new(sites: &[Arc<Site>]) -> Self {
        let mut routes = Self::default();
        for (index, site) in sites.iter().enumerate() {
            for host in &site.hosts {
                let hosts = if host.is_wildcard() { &mut routes.wildcard } else { &mut routes.exact };
                hosts.insert(host.name().into(), index);
            }
        }
        routes
    }

    /// The site of this host, whose case and trailing dot do not matter.
    pub(super) fn find(&self, host: &str) -> Option<usize> {
        let mut buffer = [0; 255];
        let host = host.strip_suffix('.').unwrap_or(host);
        let lower = buffer.get_mut(..host.len())?;
        lower.copy_from_slice(host.as_bytes());
        lower.make_ascii_lowercase();
        let host = std::str::from_utf8(lower).ok()?;
        let wildcard = || self.wildcard.get(host.split_once('.')?.1);
        self.exact.get(host).or_else(wildcard).copied()
    }
}

/// The site that serves this authority.
///
/// # Errors
/// 421 if none does, or if the connection's certificate is another site's (RFC 9110 §7.4).
pub(super) fn site(client: &Client, authority: &Authority) -> Result<SiteRef, Error> {
    let snapshot = client.worker.snapshot();
    if let Some(index) = client.routed(authority, &snapshot) {
        return Ok(SiteRef::new(snapshot, index));
    }
    let misdirected = |reason| Error::client(StatusCode::MISDIRECTED_REQUEST, reason);
    let index = snapshot.routes.find(authority.host()).ok_or_else(|| misdirected("no site has this host"))?;
    match &client.named {
        Some(named) if !named.eq_ignore_ascii_case(authority.host()) && !snapshot.shows(named, index) => {
            Err(misdirected("the connection was made for a site with another certificate"))
        }
        _ => {
            client.remember(authority, &snapshot, index);
            Ok(SiteRef::new(snapshot, index))
        }
    }
}

/// The one authority that the request names. `known` has those that were found good before.
///
/// # Errors
/// 400 if there is none, several, or two that differ: a doubt about the host is how requests reach the wrong
/// site (threats: host confusion).
pub(super) fn authority<B>(
    request: &Request<B>,
    known: impl Fn(&[u8]) -> Option<Authority>,
) -> Result<Authority, Error> {
    const BAD: fn(&'static str) -> Error = |reason| Error::client(StatusCode::BAD_REQUEST, reason);
    let mut fields = request.headers().get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(BAD("more than one Host"));
    }
    let only = match (request.uri().authority(), field) {
        (Some(target), None) => Some(target.as_str().as_bytes()),
        (None, Some(host)) => Some(host.as_bytes()),
        _ => None,
    };
    if let Some(known) = only.and_then(known) {
        return Ok(known);
    }
    let named = match field {
        Some(value) => {
            let authority = Authority::try_from(value.as_bytes()).map_err(|_| BAD("Host is no authority"))?;
            Some(authority)
        }
        None => None,
    };
    match (request.uri().authority(), named) {
        (Some(target), Some(host)) if *target != host => Err(BAD("Host differs from the request target")),
        (Some(target), None) if request.version() == Version::HTTP_11 && target.as_str().is_empty() => {
            Err(BAD("no Host"))
        }
        (Some(authority), _) => checked(authority.clone()),
        (None, Some(authority)) => checked(authority),
        (None, None) => Err(BAD("no Host")),
    }
}

fn checked(authority: Authority) -> Result<Authority, Error> {
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(Error::client(StatusCode::BAD_REQUEST, "Host is no plain host and port"));
    }
    Ok(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        Routes {
            exact: [("shop.example".into(), 0), ("a.shop.example".into(), 1)].into_iter().collect(),
            wildcard: [("shop.example".into(), 2)].into_iter().collect(),
        }
    }

    #[test]
    fn exact_beats_wildcard_and_a_wildcard_is_one_label() {
        let routes = routes();
        for (host, site) in [
            ("shop.example", Some(0)),
            ("SHOP.Example.", Some(0)),
            ("a.shop.example", Some(1)),
            ("b.shop.example", Some(2)),
            ("b.c.shop.example", None),
            ("example", None),
            ("", None),
        ] {
            assert_eq!(routes.find(host), site, "{host}");
        }
        assert_eq!(routes.find(&"a".repeat(300)), None);
    }

    #[test]
    fn doubtful_hosts_are_refused() {
        let request = |target: &str, hosts: &[&str]| {
            let mut builder = Request::builder().uri(target);
            for host in hosts {
                builder = builder.header(HOST, *host);
            }
            authority(&builder.body(()).unwrap(), |_| None).map(|a| a.to_string()).map_err(|e| e.status())
        };
        assert_eq!(request("/", &["shop.example:8443"]).unwrap(), "shop.example:8443");
        assert_eq!(request("https://shop.example/", &["shop.example"]).unwrap(), "shop.example");
        for (target, hosts) in [
            ("/", &[] as &[&str]),
            ("/", &["a", "a"]),
            ("/", &["a/b"]),
            ("/", &["user@shop.example"]),
            ("/", &[""]),
            ("https://shop.example/", &["evil.example"]),
        ] {
            assert_eq!(request(target, hosts), Err(StatusCode::BAD_REQUEST), "{target} {hosts:?}");
        }
    }
}
