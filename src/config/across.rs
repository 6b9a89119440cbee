//! What is right in each place and wrong together: hosts and addresses given twice, certificates of others.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use super::HostName;
use super::model::Certificate;
use super::reading::Item;
use super::section::Section;

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

/// No address is listened on twice.
pub(super) fn addresses_differ(s: &Section<'_>) {
    let mut seen = HashSet::new();
    let items = ["listen", "redirect"].into_iter().filter_map(|key| s.item.child_named(key));
    for item in items.flat_map(|item| item.one_or_many()) {
        let address = item.peek_text().and_then(|text| text.parse::<SocketAddr>().ok());
        // Port 0 is any free port.
        if let Some(address) = address.filter(|address| address.port() != 0)
            && !seen.insert(address)
        {
            item.fail::<()>(format!("`{address}` is given twice"));
        }
    }
}
