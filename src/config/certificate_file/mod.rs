//! Certificates and keys: files of PEM, read once each, and everything that can be wrong with them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::model::Certificate;
use super::read_files::Files;
use super::reading::Item;

const DAY: i64 = 86_400;

/// Who is warned with less to go than this still has time to renew. Those who renew by themselves do so before.
pub(crate) const WARN_DAYS: i64 = 21;

type ChainAndKey = (PathBuf, PathBuf);

/// The certificates of one configuration.
#[derive(Debug)]
pub(super) struct Certificates {
    now: i64,
    skip: bool,
    /// `None` for those that were told to be wrong.
    known: RefCell<HashMap<ChainAndKey, Option<Arc<Certificate>>>>,
}

/// What is wrong with a certificate, and in which of the two files.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read {0}: {1}")]
    File(PathBuf, std::io::Error),
    #[error("{0} holds no certificate in PEM form")]
    NoCertificate(PathBuf),
    #[error("{0} holds no private key in PEM form")]
    NoKey(PathBuf),
    #[error("{0} is not readable as PEM: {1}")]
    Pem(PathBuf, pem::Error),
    #[error("{0} holds a certificate that cannot be read")]
    Certificate(PathBuf),
    #[error("{0} holds a kind of key that cannot be used")]
    Key(PathBuf),
    #[error("the key {0} does not belong to the certificate {1}")]
    Mismatch(PathBuf, PathBuf),
    #[error("the certificate {0} expired {1} days ago")]
    Expired(PathBuf, i64),
    #[error("the certificate {0} is not valid yet")]
    Early(PathBuf),
}

impl Certificates {
    /// `now` in seconds since 1970. With `skip` no file is looked at.
    pub(super) fn new(now: i64, skip: bool) -> Self {
        Self { now, skip, known: RefCell::default() }
    }

    pub(super) fn are_skipped(&self) -> bool {
        self.skip
    }

    /// The certificate that two values name; the key's default is the same name with `.key`.
    pub(super) fn load(&self, chain: &Item<'_>, key: Option<&Item<'_>>) -> Option<Arc<Certificate>> {
        let chain_file = chain.path()?;
        let key_file = match key {
            Some(item) => item.path()?,
            None => chain_file.with_extension("key"),
        };
        if self.skip {
            return None;
        }
        let files = (chain_file, key_file);
        if let Some(known) = self.known.borrow().get(&files) {
            return known.clone();
        }
        let certificate = match read(&files.0, &files.1, self.now, &chain.problems.files) {
            Ok(certificate) => {
                let days = (certificate.not_after - self.now) / DAY;
                if days < WARN_DAYS {
                    chain.warn(format!("{} expires in {days} days", files.0.display()), "renew it now");
                }
                Some(Arc::new(certificate))
            }
            Err(error) => {
                let at_key = matches!(error, Error::NoKey(_) | Error::Key(_) | Error::Mismatch(..))
                    || matches!(&error, Error::File(file, _) | Error::Pem(file, _) if *file == files.1);
                match key {
                    Some(key) if at_key => key.fail(error.to_string()),
                    None if at_key => chain.fail_with(error.to_string(), "say where the key is with `key:`"),
                    _ => chain.fail(error.to_string()),
                }
            }
        };
        self.known.borrow_mut().insert(files, certificate.clone());
        certificate
    }

    /// The authorities that may vouch for an origin.
    pub(super) fn roots(&self, item: &Item<'_>) -> Option<Arc<RootCertStore>> {
        let file = item.path()?;
        if self.skip {
            return None;
        }
        let mut roots = RootCertStore::empty();
        for certificate in chain(&file, &item.problems.files).map_or_else(|error| item.fail(error.to_string()), Some)? {
            if roots.add(certificate).is_err() {
                return item.fail(Error::Certificate(file).to_string());
            }
        }
        Some(Arc::new(roots))
    }
}

fn read(chain_file: &Path, key_file: &Path, now: i64, files: &Files) -> Result<Certificate, Error> {
    let chain = chain(chain_file, files)?;
    let bad = || Error::Certificate(chain_file.to_owned());
    let (_, leaf) = X509Certificate::from_der(chain.first().ok_or_else(bad)?).map_err(|_| bad())?;
    let not_after = leaf.validity().not_after.timestamp();
    if not_after < now {
        return Err(Error::Expired(chain_file.to_owned(), (now - not_after) / DAY));
    }
    if leaf.validity().not_before.timestamp() > now {
        return Err(Error::Early(chain_file.to_owned()));
    }
    let names = names(&leaf);

    let text = files.secret(key_file).map_err(|error| Error::File(key_file.to_owned(), error))?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => Error::NoKey(key_file.to_owned()),
        error => Error::Pem(key_file.to_owned(), error),
    })?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = provider.key_provider.load_private_key(key).map_err(|_| Error::Key(key_file.to_owned()))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // A key that cannot tell its public half is believed: the first handshake would show it.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(_) => return Err(Error::Mismatch(key_file.to_owned(), chain_file.to_owned())),
    }
    Ok(Certificate { certified: Arc::new(certified), names, not_after, file: chain_file.to_owned() })
}

fn chain(path: &Path, files: &Files) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = files.bytes(path).map_err(|error| Error::File(path.to_owned(), error))?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if chain.is_empty() => Err(Error::NoCertificate(path.to_owned())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(Error::Pem(path.to_owned(), error)),
    }
}

/// Subject alternative names only: no browser reads the common name any more.
fn names(leaf: &X509Certificate<'_>) -> Vec<Box<str>> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase().into()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string().into()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| IpAddr::from(b).to_string().into()),
            _ => None,
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests;
