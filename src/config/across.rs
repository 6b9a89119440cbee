//! What is right in each place and wrong together: hosts and addresses given twice, certificates of others.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::HostName;
use super::model::Certificate;
use super::reading::Item;
use super::section::Section;
use super::site::{ConsentCookie, Site};
use crate::policy::PolicyParts;

/// No two sites answer to the same host.
pub(super) fn hosts_differ(sites: &[Item<'_>]) {
    let mut seen: HashMap<HostName, u32> = HashMap::new();
    for item in sites.iter().filter_map(|site| site.child_named("host")).flat_map(|item| item.one_or_many()) {
        let Some(host) = item.peek_text().and_then(|text| HostName::parse(text).ok()) else { continue };
        let line = item.place().line;
        if let Some(first) = seen.get(&host) {
            item.fail_with::<()>(format!("`{host}` is given twice"), format!("it stands in line {first} already"));
        } else {
            seen.insert(host, line);
        }
    }
}

/// Every host of the site is one of the certificate's names.
pub(super) fn certificate_covers(certificate: &Certificate, hosts: &Item<'_>) {
    for item in hosts.one_or_many() {
        let Some(host) = item.peek_text().and_then(|text| HostName::parse(text).ok()) else { continue };
        if !certificate.covers(&host) {
            let names = match &*certificate.names {
                [] => "it has no subject alternative name".to_owned(),
                names => format!("it is for {}", names.join(", ")),
            };
            item.fail_with::<()>(format!("the certificate {} is not for `{host}`", certificate.file.display()), names);
        }
    }
}

/// The policy's `domains` name every host of the site, and the cookie of the choice reaches no others.
pub(super) fn consent_applies(s: &Section<'_>, policy: &PolicyParts, cookie_domain: Option<&str>) {
    if policy.domains.is_empty() {
        return;
    }
    let named: Vec<_> = policy.domains.iter().filter_map(|domain| HostName::parse(domain).ok()).collect();
    let hint = format!("consent applies to {}", policy.domains.join(", "));
    for item in s.item.child_named("host").iter().flat_map(Item::one_or_many) {
        let Some(host) = item.peek_text().and_then(|text| HostName::parse(text).ok()) else { continue };
        if !named.iter().any(|name| *name == host || (!host.is_wildcard() && name.matches(host.name()))) {
            item.fail_with::<()>(format!("the policy's `domains` do not name `{host}`"), &*hint);
        }
    }
    if let Some(domain) = cookie_domain
        && !named.iter().any(|name| name.is_wildcard() && name.name() == domain)
        && let Some(item) = s.item.child_named("cookie").and_then(|cookie| cookie.child_named("domain"))
    {
        item.fail_with::<()>(format!("the choice would reach all hosts below `{domain}`"), &*hint);
    }
}

/// Tells each site of the consent cookies that visitors bring along from the others: `domain` makes them reach further
/// than the hosts of their site.
pub(super) fn introduce_neighbours(sites: &mut [Site]) {
    let wide: Vec<ConsentCookie> = sites.iter().map(|site| site.cookie.clone()).collect();
    for site in sites {
        let reaches = |cookie: &&ConsentCookie| {
            cookie.domain.as_deref().is_some_and(|domain| site.hosts.iter().any(|host| host.is_below(domain)))
        };
        let mut names: Vec<_> = wide.iter().filter(reaches).map(|cookie| cookie.name.clone()).collect();
        names.retain(|name| *name != site.cookie.name);
        names.sort();
        names.dedup();
        site.neighbours = names.into();
    }
}

/// Where we listen ourselves, each once.
pub(super) fn own_addresses(s: &Section<'_>) -> Vec<(&'static str, SocketAddr)> {
    let mut own: Vec<(&'static str, SocketAddr)> = Vec::new();
    for key in ["listen", "redirect", "admin"] {
        let under = s.item.child_named(key).map(|item| item.child_named("listen").unwrap_or(item));
        for item in under.iter().flat_map(Item::one_or_many) {
            let item = item.child_named("address").unwrap_or(item);
            let address = item.peek_text().and_then(|text| text.parse::<SocketAddr>().ok());
            // Port 0 is any free port.
            let Some(address) = address.filter(|address| address.port() != 0) else { continue };
            if own.iter().any(|(_, known)| *known == address) {
                item.fail::<()>(format!("`{address}` is given twice"));
            } else {
                own.push((key, address));
            }
        }
    }
    own
}

/// No site is ourselves, to whom its requests would come back for ever.
pub(super) fn origins_are_others(sites: &[Item<'_>], own: &[(&'static str, SocketAddr)]) {
    for item in sites.iter().filter_map(|site| site.child_named("origin")).flat_map(|item| item.one_or_many()) {
        let item = item.child_named("url").unwrap_or(item);
        let Some(url) = item.peek_text().and_then(|text| Url::parse(text).ok()) else { continue };
        let Some(port) = url.port_or_known_default() else { continue };
        if let Some((key, address)) = own.iter().find(|(_, own)| own.port() == port && leads_to(&url, own.ip())) {
            let hint = "name the address of the site's own server; both cannot listen on the same one";
            item.fail_with::<()>(format!("this is where we listen ourselves (`{key}: {address}`)"), hint);
        }
    }
}

/// Whether who connects to this host reaches who listens on that address of the same machine.
fn leads_to(url: &Url, own: IpAddr) -> bool {
    let own = own.to_canonical();
    let reaches = |ip: IpAddr| match ip.to_canonical() {
        // Nobody is there; the system takes it for this machine.
        ip if ip.is_unspecified() => own.is_unspecified() || own.is_loopback(),
        ip if own.is_unspecified() => ip.is_loopback() && (own.is_ipv6() || ip.is_ipv4()),
        ip => ip == own,
    };
    match url.host() {
        Some(Host::Ipv4(ip)) => reaches(ip.into()),
        Some(Host::Ipv6(ip)) => reaches(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            (name == "localhost" || name.ends_with(".localhost")) && (own.is_unspecified() || own.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{CertificateFiles, parse};

    #[test]
    fn no_origin_is_one_of_our_own_addresses() {
        let listen = "listen: ['0.0.0.0:8443', '192.0.2.1:443']\nredirect: { address: '127.0.0.1:8080' }\n\
                      admin: { listen: '[::1]:9464' }\n";
        for (origin, key) in [
            ("https://127.0.0.1:8443", Some("listen")),
            ("https://127.1.2.3:8443", Some("listen")),
            ("https://localhost:8443", Some("listen")),
            ("https://0.0.0.0:8443", Some("listen")),
            ("https://192.0.2.1", Some("listen")),
            ("http://127.0.0.1:8080", Some("redirect")),
            ("http://[::ffff:127.0.0.1]:8080", Some("redirect")),
            ("http://app.localhost:8080", Some("redirect")),
            ("http://[::1]:9464", Some("admin")),
            ("https://[::1]:8443", None),
            ("https://192.0.2.2", None),
            ("https://10.0.0.1:8443", None),
            ("https://shop.example:8443", None),
            ("http://127.0.0.2:8080", None),
            ("http://127.0.0.1:9464", None),
            ("http://127.0.0.1", None),
            ("unix:/run/app.sock", None),
        ] {
            for form in [format!("'{origin}'"), format!("[{{ url: '{origin}', weight: 2 }}]")] {
                let text = format!("{listen}sites: [{{ host: a.example, origin: {form}, policy: standard }}]\n");
                let problems =
                    parse(&text, "c.yaml", Path::new(""), 0, CertificateFiles::Skip).err().unwrap_or_default();
                let told = problems.iter().filter(|problem| problem.what.contains("where we listen")).count();
                assert_eq!(told, usize::from(key.is_some()), "{origin}: {problems:?}");
                let named = |key: &str| problems.iter().any(|problem| problem.what.contains(&format!("`{key}: ")));
                assert!(key.is_none_or(named), "{origin}: {problems:?}");
            }
        }
    }
}
