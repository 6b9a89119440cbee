//! A configuration that was checked: plain values, nothing left to parse or to fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rustls::sign::CertifiedKey;

use super::HostName;
use super::limits::{Limits, Timeouts};
use super::listen::Listen;
use super::log_file::Log;
use super::secret::Secret;
use super::site::Site;
use crate::policy::Countries;
use crate::telemetry::spans::Export;

/// Everything that the configuration says. An exchange keeps the one it began with.
#[derive(Debug)]
pub struct Config {
    /// The file that was read, as the operator named it.
    pub file: Arc<str>,
    /// The files that it was read from, itself included; what was read from text has none of its own.
    pub files: Vec<PathBuf>,
    /// SHA-256 of what these say, in hex; keys and tokens do not enter.
    pub hash: Box<str>,
    /// Whether a change of these files is a reason to read them again.
    pub watch: bool,
    /// Where TLS is accepted.
    pub listen: Vec<Listen>,
    /// Where plain HTTP is answered with redirects to HTTPS.
    pub redirect: Vec<Listen>,
    /// Threads that serve.
    pub workers: usize,
    /// The folder of what must survive a restart.
    pub state: PathBuf,
    /// What is kept of choices.
    pub receipts: Receipts,
    /// Peers whose `Forwarded`, `X-Forwarded-*` and `CF-IPCountry` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Tells in which country a visitor is where no proxy in front does.
    pub geoip: Option<Arc<Countries>>,
    /// How long we wait.
    pub timeouts: Timeouts,
    /// How much we take.
    pub limits: Limits,
    /// What is logged.
    pub log: Log,
    /// Where spans are exported to; always `None` in builds without the feature.
    pub otlp: Option<Export>,
    /// Where the operator looks in; `None` where nobody does.
    pub admin: Option<Admin>,
    /// In the order of the file.
    pub sites: Vec<Arc<Site>>,
    /// Each certificate that a site or the admin listener uses, once.
    pub certificates: Vec<Arc<Certificate>>,
}

impl Config {
    /// The certificates that should be renewed now, and in how many days each expires; below 0 it has.
    pub fn expiring(&self, now: i64) -> impl Iterator<Item = (&Certificate, i64)> {
        let days = move |certificate: &Certificate| (certificate.not_after - now).div_euclid(86_400);
        let all = self.certificates.iter().map(move |certificate| (&**certificate, days(certificate)));
        all.filter(|(_, days)| *days < super::WARN_DAYS)
    }
}

/// The listener for metrics, health, findings and `explain`.
#[derive(Debug, Clone)]
pub struct Admin {
    /// On loopback, unless there are both a token and a certificate.
    pub listen: SocketAddr,
    /// Names by which it may be asked for, besides `localhost` and its addresses.
    pub hosts: Vec<HostName>,
    /// What a client must show, as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// With one it speaks TLS.
    pub certificate: Option<Arc<Certificate>>,
}

/// What is kept of choices, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipts {
    /// The SQLite database.
    pub store: PathBuf,
    /// The file that holds the URL of a PostgreSQL database, which is used instead.
    pub postgres: Option<PathBuf>,
    /// How old a receipt becomes.
    pub retention: Duration,
    /// The most that may wait while the store is away, in bytes.
    pub spool: u64,
    /// Whether the visitor's address is kept, truncated to its network.
    pub ip: bool,
    /// Whether the browser's name is kept.
    pub user_agent: bool,
}

impl Receipts {
    /// What holds where the configuration says nothing, with a database in this folder.
    pub fn in_folder(state: &std::path::Path) -> Self {
        Self {
            store: state.join("receipts.sqlite"),
            postgres: None,
            retention: Duration::from_secs(5 * 365 * 86_400),
            spool: 16 << 20,
            ip: false,
            user_agent: false,
        }
    }
}

/// A certificate whose key matches and which has not expired.
#[derive(Debug)]
pub struct Certificate {
    /// Chain and signing key, as a rustls resolver hands them out.
    pub certified: Arc<CertifiedKey>,
    /// The DNS names that it is for, lower case, some beginning with `*.`; addresses as text.
    pub names: Vec<Box<str>>,
    /// The last second of its validity, since 1970.
    pub not_after: i64,
    /// Where the chain was read.
    pub file: PathBuf,
}

impl Certificate {
    /// Whether it is for this host. A wildcard certificate stands for one label, as in RFC 9525.
    pub fn covers(&self, host: &HostName) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(below) if host.is_wildcard() => below == host.name(),
            Some(below) => host.name().split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == below),
            None => !host.is_wildcard() && **name == *host.name().trim_matches(['[', ']']),
        })
    }
}
