//! Whose connection it is: the peer's own, or that of a client whom a load balancer announces; and whether that client
//! may have one more.

use std::io;
use std::net::IpAddr;
use std::sync::Once;
use std::sync::atomic::Ordering::Relaxed;

use ipnet::IpNet;
use tokio::net::TcpStream;

use super::announced;
use super::room::Place;
use crate::proxy::Worker;

/// The client's address, and its place. Where `announcers` are named, they alone may connect, and must announce whom they
/// pass on: the port would be open to forged addresses otherwise.
///
/// # Errors
/// If the connection has to be closed. Whoever calls holds the time limit.
pub(super) async fn client(
    stream: &mut TcpStream,
    announcers: Option<&[IpNet]>,
    place: Place,
    worker: &Worker,
) -> io::Result<(IpAddr, Place)> {
    let peer = stream.peer_addr()?.ip().to_canonical();
    let Some(announcers) = announcers else { return Ok((peer, place)) };
    let counters = &worker.counters.connections;
    let announced = if announcers.iter().any(|network| network.contains(&peer)) {
        Box::pin(announced::read(stream)).await
    } else {
        Err(io::Error::other("it may not announce clients"))
    };
    match announced {
        Ok(None) => Ok((peer, place)),
        Ok(Some(client)) => {
            let client = client.to_canonical();
            // A trusted proxy behind the balancer stands for many clients too.
            let exempt = worker.snapshot().config.trusted_proxies.iter().any(|network| network.contains(&client));
            match if exempt { Some(place) } else { place.of(client) } {
                Some(place) => Ok((client, place)),
                None => {
                    counters.refused.fetch_add(1, Relaxed);
                    Err(io::Error::other("it has too many connections already"))
                }
            }
        }
        Err(error) => {
            counters.unannounced.fetch_add(1, Relaxed);
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
