//! New TLS connections: one handshake after the other, and nothing asked on them.

use std::io::Read as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, NamedGroup, RootCertStore};

use crate::Result;
use crate::client::{HOST, dial};
use crate::peers::Running;

/// How a client shakes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hands {
    /// In full, over X25519, which all speak.
    Full,
    /// With a ticket of the handshake before.
    Resumed,
    /// In full, over X25519MLKEM768, as browsers do with those that speak it.
    PostQuantum,
}

impl Hands {
    pub(crate) const ALL: [Self; 3] = [Self::Full, Self::Resumed, Self::PostQuantum];

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Full => "tls-full",
            Self::Resumed => "tls-resumed",
            Self::PostQuantum => "tls-post-quantum",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Full => "TLS 1.3 handshake, full, X25519",
            Self::Resumed => "TLS 1.3 handshake, resumed, X25519",
            Self::PostQuantum => "TLS 1.3 handshake, full, X25519MLKEM768",
        }
    }

    /// A client that does so.
    pub(crate) fn config(self, roots: &RootCertStore) -> Result<Arc<ClientConfig>> {
        let groups = if self == Self::PostQuantum { vec![kx_group::X25519MLKEM768] } else { vec![kx_group::X25519] };
        let provider = rustls::crypto::CryptoProvider { kx_groups: groups, ..default_provider() };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        if self != Self::Resumed {
            config.resumption = Resumption::disabled();
        }
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// CPU time for each of `times` handshakes; `None` from those that cannot shake hands so.
pub(crate) fn measure(proxy: &Running, hands: Hands, roots: &RootCertStore, times: u32) -> Result<Option<Duration>> {
    let config = hands.config(roots)?;
    let Ok(kind) = shake(proxy, &config) else {
        return if hands == Hands::PostQuantum { Ok(None) } else { Err("no handshake".into()) };
    };
    if hands == Hands::PostQuantum && kind.1 != Some(NamedGroup::X25519MLKEM768) {
        return Ok(None);
    }
    let before = proxy.process.cpu();
    for _ in 0..times {
        let (kind, _) = shake(proxy, &config)?;
        if (kind == HandshakeKind::Resumed) != (hands == Hands::Resumed) {
            return Err(format!("a handshake was {kind:?} that should be {hands:?}").into());
        }
    }
    Ok(Some((proxy.process.cpu() - before) / times))
}

/// One connection, to the end of the handshake on both sides, tickets included.
fn shake(proxy: &Running, config: &Arc<ClientConfig>) -> Result<(HandshakeKind, Option<NamedGroup>)> {
    let mut socket = dial(proxy.target.address)?;
    let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(HOST)?)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    let kind = tls.handshake_kind().ok_or("a handshake of no kind")?;
    let group = tls.negotiated_key_exchange_group().map(|group| group.name());
    tls.send_close_notify();
    while tls.wants_write() {
        tls.write_tls(&mut socket)?;
    }
    drain(tls, &mut socket);
    Ok((kind, group))
}

/// Reads until the proxy has closed, which it does when it has read all of ours. Then resets, so that no port is left
/// waiting: there will be tens of thousands.
fn drain(mut tls: ClientConnection, socket: &mut TcpStream) {
    let mut plain = [0; 1024];
    while tls.read_tls(socket).is_ok_and(|n| n > 0) && tls.process_new_packets().is_ok() {
        let _ = tls.reader().read(&mut plain);
    }
    let _ = socket2::SockRef::from(&*socket).set_linger(Some(Duration::ZERO));
}
