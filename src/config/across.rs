//! What is right in each place and wrong together: hosts and addresses given twice, certificates of others.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::HostName;
use super::model::Certificate;
use super::reading::Item;
use super::section::Section;
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

/// No address is listened on twice.
pub(super) fn addresses_differ(s: &Section<'_>) {
    let mut seen = HashSet::new();
    let admin = s.item.child_named("admin").and_then(|admin| admin.child_named("listen"));
    let items = ["listen", "redirect"].into_iter().filter_map(|key| s.item.child_named(key)).chain(admin);
    for item in items.flat_map(|item| item.one_or_many()) {
        let item = item.child_named("address").unwrap_or(item);
        let address = item.peek_text().and_then(|text| text.parse::<SocketAddr>().ok());
        // Port 0 is any free port.
        if let Some(address) = address.filter(|address| address.port() != 0)
            && !seen.insert(address)
        {
            item.fail::<()>(format!("`{address}` is given twice"));
        }
    }
}
