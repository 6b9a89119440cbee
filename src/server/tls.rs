//! TLS towards clients: 1.2 and 1.3, X25519MLKEM768 preferred, certificates by SNI, stateless resumption.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::config::{Certificate, Config};

/// The certificates of a configuration by the names they are shown for.
#[derive(Debug)]
pub(super) struct Certificates {
    default: Arc<Certificate>,
    exact: HashMap<Box<str>, Arc<Certificate>>,
    /// By what follows the first label.
    wildcard: HashMap<Box<str>, Arc<Certificate>>,
}

/// What a listener needs to speak TLS.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// Those of the running configuration. The acceptor outlives them, and with it the key of the tickets: a reload
    /// costs nobody a full handshake.
    pub(super) certificates: Arc<ArcSwap<Certificates>>,
}

/// Shows whatever certificates there are now.
struct Current(Arc<ArcSwap<Certificates>>);

impl Tls {
    /// The TLS side of a configuration, shared by all workers so that tickets of one are good for all.
    pub(super) fn new(config: &Config) -> Result<Self, rustls::Error> {
        let certificates = Arc::new(ArcSwap::from_pointee(Certificates::new(config)?));
        let acceptor = TlsAcceptor::from(server_config(Arc::clone(&certificates))?);
        Ok(Self { acceptor, certificates })
    }
}

fn server_config(certificates: Arc<ArcSwap<Certificates>>) -> Result<Arc<rustls::ServerConfig>, rustls::Error> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Current(certificates)));
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), b"http/1.0".to_vec()];
    // Tickets hold the session, sealed: no table that cores share. Early data stays off, since it can be
    // replayed (RFC 8470) and a choice must not be.
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(tls))
}

impl Certificates {
    pub(super) fn new(config: &Config) -> Result<Self, rustls::Error> {
        let (mut exact, mut wildcard, mut default) = (HashMap::new(), HashMap::new(), None);
        for site in &config.sites {
            let certificate = site.certificate.as_ref().ok_or(rustls::Error::NoCertificatesPresented)?;
            default.get_or_insert_with(|| Arc::clone(certificate));
            for host in &site.hosts {
                let hosts = if host.is_wildcard() { &mut wildcard } else { &mut exact };
                hosts.insert(Box::from(host.name()), Arc::clone(certificate));
            }
        }
        Ok(Self { default: default.ok_or(rustls::Error::NoCertificatesPresented)?, exact, wildcard })
    }

    /// The certificate that a client is shown that names this host. One that names none of ours gets the first,
    /// so that it can be told 421 rather than be left with a failed handshake.
    fn find(&self, name: Option<&str>) -> &Arc<Certificate> {
        let Some(name) = name else { return &self.default };
        let name = name.to_ascii_lowercase();
        let wildcard = || self.wildcard.get(name.split_once('.')?.1);
        self.exact.get(&*name).or_else(wildcard).unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().find(hello.server_name()).certified))
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current(…)")
    }
}
