//! The site's own servers: where they are, how they share the work, how we learn that one is well.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;

/// How the path of a socket is told from an address.
pub(super) const UNIX: &str = "unix:";

/// The servers of a site. All are spoken to in the same way.
#[derive(Debug, Clone)]
pub struct Origins {
    /// Whether they are spoken to over TLS.
    pub tls: bool,
    /// Speak HTTP/2 to them.
    pub http2: bool,
    /// Whom we trust to vouch for them; `None` for the roots of the system.
    pub roots: Option<Arc<RootCertStore>>,
    /// The name that we ask for in TLS and that their certificate must bear; `None` for the host of each.
    pub server_name: Option<Box<str>>,
    /// At least one, in the order of the file; no two are the same.
    pub servers: Vec<Origin>,
    /// Who of them gets a request.
    pub balance: Balance,
    /// How they are asked whether they are well; `None` if they are not.
    pub health: Option<Health>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where it listens.
    pub place: Place,
    /// How much of the work is its share, beside the weights of the others.
    pub weight: u32,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host, by its name or address, IPv6 in brackets, and a port.
    Tcp(Box<str>, u16),
    /// A Unix domain socket, by its path.
    Unix(Arc<Path>),
}

/// Who of several servers gets a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// One after the other, by weight.
    #[default]
    RoundRobin,
    /// Who has the fewest requests in flight, for its weight.
    LeastRequests,
}

/// How servers are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Target of the GET.
    pub path: Box<str>,
    /// From one check to the next; each is moved by up to a tenth.
    pub interval: Duration,
    /// For a whole check, the connection included.
    pub timeout: Duration,
    /// So many good answers in a row bring a server back.
    pub healthy_after: u32,
    /// So many bad ones take it out.
    pub unhealthy_after: u32,
    /// What is a good answer.
    pub expect_status: Vec<RangeInclusive<u16>>,
}

impl Origins {
    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// Whether requests go to the same servers in the same way, however their health is asked after.
    pub fn are_reached_as(&self, other: &Self) -> bool {
        let roots = |origins: &Self| origins.roots.as_ref().map(|roots| roots.roots.clone());
        (self.tls, self.http2, &self.server_name) == (other.tls, other.http2, &other.server_name)
            && (&self.servers, self.balance) == (&other.servers, other.balance)
            && roots(self) == roots(other)
    }

    /// Whether one of them is at this scheme and authority (RFC 3986 §3.2), as a URL has them.
    pub fn has(&self, scheme: &str, authority: &str) -> bool {
        let default = if self.tls { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            // Not a piece of an IPv6 address.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, Some(default)),
        };
        let is = |origin: &Origin| match &origin.place {
            Place::Tcp(name, at) => name.eq_ignore_ascii_case(host) && port == Some(*at),
            Place::Unix(_) => false,
        };
        scheme.eq_ignore_ascii_case(self.scheme()) && self.servers.iter().any(is)
    }

    /// One of them as its address in the configuration, for operators' eyes only.
    pub fn url(&self, origin: &Origin) -> String {
        match origin.place {
            Place::Tcp(..) => format!("{}://{origin}", self.scheme()),
            Place::Unix(_) => origin.to_string(),
        }
    }
}

/// Host and port, or `unix:` and a path.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp(host, port) => write!(f, "{host}:{port}"),
            Place::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_known_by_scheme_host_and_port() {
        let origin = |host: &str, port| Origin { place: Place::Tcp(host.into(), port), weight: 1 };
        let servers = vec![origin("app", 80), origin("[fd00::1]", 8080), origin("10.0.0.1", 8080)];
        let balance = Balance::default();
        let origins =
            Origins { tls: false, http2: false, roots: None, server_name: None, servers, balance, health: None };
        for (scheme, authority, known) in [
            ("http", "app", true),
            ("HTTP", "APP:80", true),
            ("http", "app:8080", false),
            ("https", "app", false),
            ("https", "app:80", false),
            ("http", "[fd00::1]:8080", true),
            ("http", "[fd00::1]", false),
            ("http", "10.0.0.1:8080", true),
            ("http", "10.0.0.1", false),
            ("http", "10.0.0.1:", false),
            ("http", "", false),
        ] {
            assert_eq!(origins.has(scheme, authority), known, "{scheme}://{authority}");
        }
    }
}
