//! `admin:`, the listener for those who run this.

use super::HostName;
use super::certificate_file::Certificates;
use super::model::Admin;
use super::reading::Item;
use super::section::Section;
use super::{file, secret};

/// Reads the section. Whoever is not on this machine must show a token, and over TLS.
pub(super) fn read(s: &Section<'_>, certificates: &Certificates) -> Option<Admin> {
    let (token, chain, key) = (s.get("token"), s.get("certificate"), s.get("key"));
    let hosts = s.or("hosts", Vec::new(), |item| {
        Some(item.one_or_many().iter().filter_map(|item| item.parse(HostName::parse)).collect())
    });
    let certificate = chain.as_ref().and_then(|chain| certificates.load(chain, key.as_ref()));
    if let (None, Some(key)) = (&chain, &key) {
        key.fail_with::<()>("a key without its certificate", "write `certificate:` beside it");
    }
    let secret = token.as_ref().and_then(|item| secret::read(item, certificates.are_skipped()));
    let listen = s.need("listen", |item: &Item<'_>| {
        let listen = file::address(item)?;
        if listen.ip().to_canonical().is_loopback() || (token.is_some() && chain.is_some()) {
            return Some(listen);
        }
        let lacks = match (&token, &chain) {
            (None, None) => "`token` and `certificate`",
            (None, _) => "`token`",
            _ => "`certificate`",
        };
        item.fail_with(
            format!("`{listen}` can be reached from other machines"),
            format!("write {lacks} beside it, or listen on `127.0.0.1:{}`", listen.port()),
        )
    })?;
    Some(Admin { listen, hosts, token: secret, certificate })
}
