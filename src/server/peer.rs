//! Whose connection it is: the peer's own, or that of a client whom a load balancer announces.

use std::io;
use std::net::IpAddr;
use std::sync::Once;
use std::sync::atomic::Ordering::Relaxed;

use ipnet::IpNet;
use tokio::net::TcpStream;

use super::announced;
use crate::telemetry::counters::Counters;

/// The client's address. Where `announcers` are named, they alone may connect, and must announce whom they pass on: the
/// port would be open to forged addresses otherwise.
///
/// # Errors
/// If the connection has to be closed. Whoever calls holds the time limit.
pub(super) async fn client(
    stream: &mut TcpStream,
    announcers: Option<&[IpNet]>,
    counters: &Counters,
) -> io::Result<IpAddr> {
    let peer = stream.peer_addr()?.ip().to_canonical();
    let Some(announcers) = announcers else { return Ok(peer) };
    let announced = if announcers.iter().any(|network| network.contains(&peer)) {
        Box::pin(announced::read(stream)).await
    } else {
        Err(io::Error::other("it may not announce clients"))
    };
    match announced {
        Ok(address) => Ok(address.map_or(peer, |address| address.to_canonical())),
        Err(error) => {
            counters.connections.unannounced.fetch_add(1, Relaxed);
            tell(peer, &error);
            Err(error)
        }
    }
}

/// The first one shows a mistake in a configuration; after that strangers could fill the log.
fn tell(peer: IpAddr, error: &io::Error) {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        tracing::warn!(%peer, %error, "A connection without a good PROXY header was closed; the next ones are counted.");
    });
}
