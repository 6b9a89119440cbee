//! `origin:` of a site and the keys that say how its servers are reached.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use http::uri::PathAndQuery;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::certificate_file::Certificates;
use super::origins::{Balance, Health, Origin, Origins, Place, UNIX};
use super::reading::Item;
use super::section::Section;

/// How the addresses of origins are written.
const FORM: &str = "write e.g. `http://127.0.0.1:8080`, `https://origin.example` or `unix:/run/app.sock`";

/// The longest path of a socket, its end not counted (unix(7)).
const SOCKET: usize = 107;

/// What a request has been tried on is kept in the bits of a number.
const MOST: usize = 128;

/// Reads all of it; `None` if no server is left.
pub(super) fn read(s: &Section<'_>, certificates: &Certificates) -> Option<Origins> {
    let http2 = s.or("origin_http2", false, Item::bool);
    let (ca, name, balance) = (s.get("origin_ca"), s.get("origin_name"), s.get("balance"));
    let health = s.read("health", |item| item.section(health).flatten());
    let balances = [("round-robin", Balance::RoundRobin), ("least-requests", Balance::LeastRequests)];
    let chosen = balance.as_ref().and_then(|item| item.word(&balances)).unwrap_or_default();
    let roots = ca.as_ref().and_then(|item| certificates.roots(item));
    let asked_for = name.as_ref().and_then(server_name);
    let (tls, servers) = s.need("origin", servers)?;
    for (key, item) in [("origin_ca", &ca), ("origin_name", &name)] {
        if let Some(item) = item.as_ref().filter(|_| !tls) {
            item.fail_with::<()>(
                format!("`{key}` is of no use for an origin without TLS"),
                "write `origin: https://…`",
            );
        }
    }
    if let Some(item) = balance.filter(|_| servers.len() == 1 && chosen != Balance::default()) {
        item.warn("there is only one origin", "write a list of several, or leave `balance` out");
    }
    Some(Origins { tls, http2, roots, server_name: asked_for, servers, balance: chosen, health })
}

/// One server or several, all over TLS or all without.
fn servers(item: &Item<'_>) -> Option<(bool, Vec<Origin>)> {
    let (mut found, mut lines): (Vec<(bool, Origin)>, HashMap<String, u32>) = (Vec::new(), HashMap::new());
    let items = item.one_or_many();
    if items.is_empty() {
        return item.fail_with("no origin is named", FORM);
    }
    if items.len() > MOST {
        return item.fail(format!("{} origins are too many for one site; it can have {MOST}", items.len()));
    }
    let mut whole = true;
    for item in &items {
        let line = item.place().line;
        let Some((tls, origin)) = server(item) else {
            whole = false;
            continue;
        };
        if let Some(first) = lines.insert(origin.to_string(), line) {
            let hint = format!("it stands in line {first} already; for a larger share write `weight`");
            item.fail_with::<()>(format!("`{origin}` is given twice"), hint);
        } else if let Some((first, _)) = found.first()
            && *first != tls
        {
            let hint = "one request would travel in secret and the next in the open; write all of them as `https://…`";
            item.fail_with::<()>("origins with and without TLS in one site", hint);
        }
        found.push((tls, origin));
    }
    let tls = found.first()?.0;
    whole.then(|| (tls, found.into_iter().map(|(_, origin)| origin).collect()))
}

/// `http://…`, or `{ url: http://…, weight: 3 }`.
fn server(item: &Item<'_>) -> Option<(bool, Origin)> {
    if !item.is_map() {
        return address(item);
    }
    item.section(|s| {
        let weight = s.or("weight", 1, |item| item.integer(1..=100)) as u32;
        let (tls, origin) = s.need("url", address)?;
        Some((tls, Origin { weight, ..origin }))
    })
    .flatten()
}

fn address(item: &Item<'_>) -> Option<(bool, Origin)> {
    let text = item.text()?;
    if let Some(path) = text.strip_prefix(UNIX) {
        return socket(item, path);
    }
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => return item.fail_with(format!("`{text}` is no http:// or https:// address"), FORM),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return item.fail_with("an origin has no user name or password here", FORM);
    }
    let host = url.host_str()?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let hint = match host {
            "unix" => format!("for a socket write `{UNIX}{}`", url.path()),
            _ => format!("requests keep their own path; write `{}://{host}{port}`", url.scheme()),
        };
        return item.fail_with("an origin has no path, query or fragment", hint);
    }
    if url.port() == Some(0) {
        return item.fail_with("nobody listens on port 0", FORM);
    }
    let tls = url.scheme() == "https";
    if !tls && is_public(&url) {
        item.warn("cookies travel to this origin without TLS", "write `https://…` unless the network between is yours");
    }
    Some((tls, Origin { place: Place::Tcp(host.into(), url.port_or_known_default()?), weight: 1 }))
}

/// The path is relative to the folder of the file, as others are.
fn socket(item: &Item<'_>, path: &str) -> Option<(bool, Origin)> {
    if path.is_empty() || path.starts_with("//") {
        let path = if path.is_empty() { "run/app.sock" } else { path.trim_start_matches('/') };
        return item.fail_with(format!("`{}` names no socket", item.text()?), format!("write `{UNIX}/{path}`"));
    }
    let path = item.source.folder.join(path);
    if path.as_os_str().len() > SOCKET {
        return item
            .fail(format!("{} is too long for a socket, whose path has {SOCKET} bytes at most", path.display()));
    }
    Some((false, Origin { place: Place::Unix(path.into()), weight: 1 }))
}

/// Whether the way there may lead through networks of others.
fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()),
        Some(Host::Ipv6(ip)) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
        Some(Host::Domain(name)) => psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known()),
        None => false,
    }
}

fn server_name(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    match ServerName::try_from(text) {
        Ok(_) => Some(text.into()),
        Err(_) => item.fail_with(format!("`{text}` is no server name"), "a host name, e.g. `origin.example`"),
    }
}

/// Between two checks: more often is load, more seldom is no check.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

fn health(s: &Section<'_>) -> Option<Health> {
    let (interval, timeout) = (Duration::from_secs(10), Duration::from_secs(2));
    let count = |item: &Item<'_>| item.integer(1..=100);
    let health = Health {
        path: "".into(),
        interval: s.or("interval", interval, |item| item.duration(INTERVAL)),
        timeout: s.or("timeout", timeout, |item| item.duration(INTERVAL)),
        healthy_after: s.or("healthy_after", 2, count) as u32,
        unhealthy_after: s.or("unhealthy_after", 3, count) as u32,
        expect_status: s.or("expect_status", vec![200..=399], |item| {
            let items = item.one_or_many();
            if items.is_empty() {
                return item.fail("no status is named");
            }
            Some(items.iter().filter_map(statuses).collect())
        }),
    };
    let path = s.need("path", |item| {
        let text = item.text()?;
        match text.parse::<PathAndQuery>() {
            Ok(_) if text.starts_with('/') => Some(text.into()),
            _ => item.fail_with(format!("`{text}` is no path"), "write e.g. `/healthz`"),
        }
    })?;
    Some(Health { path, ..health })
}

/// `200`, or `200-299`.
fn statuses(item: &Item<'_>) -> Option<RangeInclusive<u16>> {
    let text = item.text()?;
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=599).contains(status));
    match (status(from), status(to)) {
        (Some(from), Some(to)) if from <= to => Some(from..=to),
        _ => item.fail_with(format!("`{text}` is no status"), "write e.g. `200` or `200-399`"),
    }
}
