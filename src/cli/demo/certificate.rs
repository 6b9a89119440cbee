//! A certificate for development, signed by a CA whose key never touches the disk.
//!
//! Whoever trusts `dev-ca.pem` trusts two keys only: the one in `localhost.key`, and one that no longer
//! exists. Nothing that a browser trusts can therefore sign more. A new certificate means a new CA.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cookie::time::OffsetDateTime;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::parse_x509_certificate;

use super::session::token;

/// Browsers refuse server certificates that are valid for more than 398 days.
const VALID_DAYS: i64 = 397;
/// A certificate is renewed when it has less than this left.
const RENEW_DAYS: i64 = 7;
const DAY: i64 = 86_400;

/// Where the files of a development certificate are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The CA to trust.
    pub ca: PathBuf,
    /// The certificate to serve.
    pub chain: PathBuf,
    /// Its private key, readable by its owner only.
    pub key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be written.
    #[error("cannot write {path}: {error}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A given name is no DNS name, or the key could not be made.
    #[error("cannot make the certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// Makes a certificate for `localhost`, the loopback addresses and `names`, or keeps the one in `folder` while it
/// has a week left. `now` is in seconds since 1970.
pub fn ensure(folder: &Path, names: &[&str], now: u64) -> Result<Files, Error> {
    let files =
        Files { ca: folder.join("dev-ca.pem"), chain: folder.join("localhost.pem"), key: folder.join("localhost.key") };
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let mut all = vec!["localhost", "127.0.0.1", "::1"];
    all.extend(names.iter().filter(|name| !["localhost", "127.0.0.1", "::1"].contains(name)));
    if !usable(&files, &all, now) {
        make(&files, &all, now)?;
    }
    Ok(files)
}

fn make(files: &Files, names: &[&str], now: i64) -> Result<(), Error> {
    // Each CA has a name of its own: browsers mix up two that share one.
    let name = format!("Consentry development CA {}", &token()[..8]);
    let mut ca = params(Vec::new(), &name, now)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

    let mut leaf = params(names.iter().map(|name| (*name).to_owned()).collect(), names[0], now)?;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&key, &ca)?;

    let folder = files.key.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Error::Write { path: folder.to_owned(), error })?;
    write(&files.key, &key.serialize_pem(), 0o600)?;
    write(&files.chain, &leaf.pem(), 0o644)?;
    write(&files.ca, &ca.pem(), 0o644)
}

fn params(names: Vec<String>, common_name: &str, now: i64) -> Result<CertificateParams, Error> {
    let date = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut params = CertificateParams::new(names)?;
    // An hour early, for clocks that are a little behind.
    params.not_before = date(now - 3600);
    params.not_after = date(now - 3600 + VALID_DAYS * DAY);
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

/// Writes beside and renames, so that no reader sees half a file and the key has its mode from its first moment.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let beside = path.with_extension("new");
    let attempt = || {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    attempt().map_err(|error| Error::Write { path: path.to_owned(), error })
}

/// Whether the three files belong together, name all names and last long enough. Any doubt makes new ones.
fn usable(files: &Files, names: &[&str], now: i64) -> bool {
    (|| {
        let (_, ca) = parse_x509_pem(&fs::read(&files.ca).ok()?).ok()?;
        let (_, ca) = parse_x509_certificate(&ca.contents).ok()?;
        let (_, leaf) = parse_x509_pem(&fs::read(&files.chain).ok()?).ok()?;
        let (_, leaf) = parse_x509_certificate(&leaf.contents).ok()?;
        let key = KeyPair::from_pem(&fs::read_to_string(&files.key).ok()?).ok()?;
        let named = leaf.subject_alternative_name().ok()??;
        let holds = |name: &&str| named.value.general_names.iter().any(|entry| matches(entry, name));
        let last = leaf.validity().not_after.timestamp().min(ca.validity().not_after.timestamp());
        let fits = leaf.issuer().as_raw() == ca.subject().as_raw()
            && leaf.public_key().subject_public_key.data.as_ref() == key.public_key_raw()
            && names.iter().all(holds)
            && leaf.validity().not_before.timestamp() <= now
            && last - now > RENEW_DAYS * DAY;
        fits.then_some(())
    })()
    .is_some()
}

fn matches(entry: &GeneralName<'_>, name: &str) -> bool {
    match (entry, name.parse::<IpAddr>()) {
        (GeneralName::DNSName(dns), Err(_)) => dns.eq_ignore_ascii_case(name),
        (GeneralName::IPAddress(bytes), Ok(IpAddr::V4(ip))) => *bytes == ip.octets(),
        (GeneralName::IPAddress(bytes), Ok(IpAddr::V6(ip))) => *bytes == ip.octets(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn leaf(files: &Files) -> String {
        fs::read_to_string(&files.chain).unwrap()
    }

    #[test]
    fn a_browser_takes_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let files = ensure(&folder.path().join("certs"), &["shop.example"], NOW).unwrap();
        assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
        let (_, pem) = parse_x509_pem(leaf(&files).as_bytes()).unwrap();
        let (_, leaf) = parse_x509_certificate(&pem.contents).unwrap();
        let days = (leaf.validity().not_after.timestamp() - leaf.validity().not_before.timestamp()) / DAY;
        assert!(days <= 398, "{days}");
        let usage = leaf.extended_key_usage().unwrap().unwrap();
        assert!(usage.value.server_auth && !usage.value.any);
        let named = leaf.subject_alternative_name().unwrap().unwrap();
        for name in ["localhost", "127.0.0.1", "::1", "shop.example"] {
            assert!(named.value.general_names.iter().any(|entry| matches(entry, name)), "{name}");
        }
        // rustls's own check that key and chain belong together.
        use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
        let chain = vec![CertificateDer::from_pem_file(&files.chain).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
    }

    #[test]
    fn files_are_kept_while_they_are_good() {
        let folder = tempfile::tempdir().unwrap();
        let first = leaf(&ensure(folder.path(), &[], NOW).unwrap());
        let later = |days: i64| NOW + u64::try_from(days * DAY).unwrap();
        assert_eq!(leaf(&ensure(folder.path(), &[], later(VALID_DAYS - RENEW_DAYS - 1)).unwrap()), first);
        assert_ne!(leaf(&ensure(folder.path(), &[], later(VALID_DAYS - RENEW_DAYS)).unwrap()), first);
    }

    #[test]
    fn files_that_do_not_fit_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let foreign = ensure(other.path(), &[], NOW).unwrap();
        for spoil in ["dev-ca.pem", "localhost.pem", "localhost.key"] {
            let before = leaf(&ensure(folder.path(), &[], NOW).unwrap());
            fs::copy(other.path().join(spoil), folder.path().join(spoil)).unwrap();
            let after = leaf(&ensure(folder.path(), &[], NOW).unwrap());
            assert!(after != before && after != leaf(&foreign), "{spoil}");
            fs::remove_file(folder.path().join(spoil)).unwrap();
            assert_ne!(leaf(&ensure(folder.path(), &[], NOW).unwrap()), after, "{spoil}");
        }
        // A name that it does not hold yet.
        let before = leaf(&ensure(folder.path(), &[], NOW).unwrap());
        assert_ne!(leaf(&ensure(folder.path(), &["shop.example"], NOW).unwrap()), before);
    }
}
