//! Everything that can be wrong with a certificate, with certificates made on the spot.

use std::fs;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::config::{CertificateFiles, Config, Place, Problem, parse};

/// 2026-06-15.
const NOW: i64 = 1_781_481_600;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes `NAME.pem` and `NAME.key`, valid from 2026-01-01 to the day given.
    fn certificate(&self, name: &str, hosts: &[&str], (year, month, day): (i32, u8, u8)) -> &Self {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        self.file(&format!("{name}.pem"), &certificate.pem()).file(&format!("{name}.key"), &key.serialize_pem())
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        fs::write(self.0.path().join(name), text).unwrap();
        self
    }

    fn parse(&self, text: &str, now: i64) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
        parse(text, "test.yaml", self.0.path(), now, CertificateFiles::Read)
    }

    /// Reads a config with these lines in its one site, `shop.example`.
    fn site(&self, lines: &str) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
        let head = "listen: 127.0.0.1:0\nsites:\n  - host: shop.example\n    \
            origin: http://127.0.0.1\n    policy: standard\n";
        let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
        self.parse(&format!("{head}{lines}"), NOW)
    }

    /// Key and text of the one error, without the folder.
    fn error(&self, lines: &str) -> (String, String) {
        let problems = self.site(lines).expect_err(lines);
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        (problem.key.clone(), problem.what.replace(&format!("{}/", self.0.path().display()), ""))
    }
}

#[test]
fn certificate_that_fits_is_loaded_once() {
    let folder = Folder::new();
    folder.certificate("a", &["shop.example", "*.shop.example", "127.0.0.1"], (2027, 1, 1));
    let text = "listen: 127.0.0.1:0\ncertificate: a.pem\nsites:\n\
        - { host: shop.example, origin: http://127.0.0.1, policy: standard }\n\
        - { host: '*.shop.example', origin: http://127.0.0.1, policy: standard }\n\
        - { host: [a.shop.example, 127.0.0.1], origin: http://127.0.0.1, policy: standard }\n";
    let (config, warnings) = folder.parse(text, NOW).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(config.certificates.len(), 1);
    assert_eq!(config.certificates[0].certified.cert.len(), 1);
    assert!(config.sites.iter().all(|site| site.certificate.is_some()));
}

#[test]
fn each_thing_wrong_is_told_at_its_key() {
    let folder = Folder::new();
    folder
        .certificate("a", &["shop.example"], (2027, 1, 1))
        .certificate("b", &["shop.example"], (2027, 1, 1))
        .certificate("old", &["shop.example"], (2026, 6, 5))
        .certificate("other", &["www.shop.example", "*.shop.example"], (2027, 1, 1))
        .file("nokey.pem", &fs::read_to_string(folder.0.path().join("a.pem")).unwrap())
        .file("text.pem", "hello\n")
        .file("broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")
        .file("empty.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (lines, key, what) in [
        ("", "sites[0]", "`certificate` is missing"),
        ("certificate: none.pem", "sites[0].certificate", "cannot read none.pem: No such file"),
        ("certificate: nokey.pem", "sites[0].certificate", "cannot read nokey.key: No such file"),
        ("certificate: a.pem\nkey: none.key", "sites[0].key", "cannot read none.key: No such file"),
        ("certificate: a.pem\nkey: a.pem", "sites[0].key", "a.pem holds no private key"),
        ("certificate: text.pem", "sites[0].certificate", "text.pem holds no certificate"),
        ("certificate: broken.pem", "sites[0].certificate", "broken.pem is not readable as PEM"),
        ("certificate: empty.pem", "sites[0].certificate", "empty.pem holds a certificate that cannot be read"),
        ("certificate: a.pem\nkey: b.key", "sites[0].key", "the key b.key does not belong to the certificate a.pem"),
        ("certificate: old.pem", "sites[0].certificate", "the certificate old.pem expired 10 days ago"),
        ("certificate: other.pem", "sites[0].host", "the certificate other.pem is not for `shop.example`"),
        (
            "certificate: a.pem\norigin_ca: a.pem",
            "sites[0].origin_ca",
            "`origin_ca` is of no use for an origin without TLS",
        ),
    ] {
        let (told_key, told) = folder.error(lines);
        assert_eq!(told_key, key, "{lines}: {told}");
        assert!(told.starts_with(what), "{lines}: {told}");
    }
    let problems = folder.site("key: a.key").unwrap_err();
    assert!(problems.iter().any(|p| p.key == "sites[0].key" && p.what == "a key without its certificate"));
}

#[test]
fn certificate_that_soon_expires_is_a_warning() {
    let folder = Folder::new();
    folder.certificate("a", &["shop.example"], (2026, 6, 20)).certificate("b", &["shop.example"], (2026, 7, 7));
    let (_, warnings) = folder.site("certificate: a.pem").unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].what.ends_with("expires in 5 days"), "{warnings:?}");
    assert!(!warnings[0].is_error());
    let (_, warnings) = folder.site("certificate: b.pem").unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn certificate_of_tomorrow_is_not_valid_yet() {
    let folder = Folder::new();
    folder.certificate("a", &["shop.example"], (2027, 1, 1));
    let text = "listen: 127.0.0.1:0\ncertificate: a.pem\nsites:\n\
        - { host: shop.example, origin: http://127.0.0.1, policy: standard }\n";
    // 2025-12-31.
    let problems = folder.parse(text, 1_767_139_200).unwrap_err();
    assert!(problems[0].what.ends_with("is not valid yet"), "{problems:?}");
}

#[test]
fn origin_ca_is_read() {
    let folder = Folder::new();
    folder.certificate("a", &["shop.example"], (2027, 1, 1));
    let text = "listen: 127.0.0.1:0\ncertificate: a.pem\nsites:\n\
        - { host: shop.example, origin: https://127.0.0.1, policy: standard, origin_ca: a.pem }\n";
    let (config, _) = folder.parse(text, NOW).unwrap();
    let origins = &config.sites[0].origins;
    assert_eq!((origins.tls, &origins.servers[0].place), (true, &Place::Tcp("127.0.0.1".into(), 443)));
    assert_eq!(origins.roots.as_ref().map(|roots| roots.len()), Some(1));
}
