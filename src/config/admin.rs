//! `admin:`, the listener for those who run this.

use super::HostName;
use super::certificate_file::Certificates;
use super::model::Admin;
use super::reading::Item;
use super::section::Section;
use super::{listen, secret};

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
        let listen = listen::address(item)?;
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{CertificateFiles, Config, parse};

    fn check(admin: &str) -> Result<Config, Vec<String>> {
        let text = format!(
            "listen: 0.0.0.0:443\nsites: [{{ host: a.example, origin: 'http://b', policy: standard }}]\n{admin}"
        );
        let checked = parse(&text, "test.yaml", Path::new(""), 0, CertificateFiles::Skip);
        let told =
            |problem: &crate::config::Problem| format!("{problem} {}", problem.hint.as_deref().unwrap_or_default());
        checked.map(|(config, _)| config).map_err(|problems| problems.iter().map(told).collect())
    }

    #[test]
    fn others_than_this_machine_need_token_and_certificate() {
        assert!(check("").unwrap().admin.is_none());
        for right in [
            "admin: { listen: '127.0.0.1:9464' }",
            "admin: { listen: '[::1]:9464', hosts: [ops.example], token: 'env:TOKEN' }",
            "admin: { listen: '0.0.0.0:9464', token: 'file:token', certificate: a.pem }",
        ] {
            assert!(check(right).unwrap().admin.is_some(), "{right}");
        }
        for (wrong, told) in [
            ("admin: { listen: '0.0.0.0:9464' }", "write `token` and `certificate`"),
            ("admin: { listen: '10.0.0.1:9464', token: 'env:TOKEN' }", "write `certificate` beside it"),
            ("admin: { listen: '[::]:9464', certificate: a.pem }", "write `token` beside it"),
            ("admin: { hosts: [] }", "`listen` is missing"),
            ("admin: { listen: '127.0.0.1:9464', key: a.key }", "a key without its certificate"),
            ("admin: { listen: '127.0.0.1:9464', token: hunter2-hunter2 }", "no reference to a secret"),
            ("admin: { listen: '0.0.0.0:443', token: 'env:T', certificate: a.pem }", "is given twice"),
        ] {
            let problems = check(wrong).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(told)), "{wrong}: {problems:?}");
            assert!(!format!("{problems:?}").contains("hunter2"));
        }
    }
}
