//! Listening sockets, one set a worker.

use std::io::Result;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::config::Listen;

/// How many connections the kernel holds until we accept them.
const BACKLOG: i32 = 1024;

/// Bound sockets, before they are dealt out to the workers.
#[derive(Debug, Default)]
pub struct Sockets {
    tls: Vec<Bound>,
    redirect: Vec<Bound>,
    admin: Option<TcpListener>,
}

/// Several sockets on one address, or one that the workers share.
#[derive(Debug)]
struct Bound(Vec<TcpListener>);

/// What one worker accepts from.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    pub(super) tls: Vec<TcpListener>,
    pub(super) redirect: Vec<TcpListener>,
}

impl Sockets {
    /// Binds all addresses of a configuration, one socket a worker; those of `given` that are bound to one of them
    /// already are taken out and used.
    ///
    /// # Errors
    /// Names the address that could not be bound.
    pub fn bind(tls: &[Listen], redirect: &[Listen], workers: usize, given: &mut Vec<TcpListener>) -> Result<Self> {
        let mut all = |all: &[Listen]| -> Result<Vec<Bound>> {
            all.iter().map(|listen| Bound::take_or_bind(listen.address, workers, given)).collect()
        };
        Ok(Self { tls: all(tls)?, redirect: all(redirect)?, admin: None })
    }

    /// Binds the admin listener too, or takes its socket out of `given`.
    ///
    /// # Errors
    /// Names the address that could not be bound.
    pub fn bind_admin(self, address: SocketAddr, given: &mut Vec<TcpListener>) -> Result<Self> {
        Ok(self.given_admin(Bound::take_or_bind(address, 1, given)?.0.remove(0)))
    }

    /// With a socket for the admin listener that somebody else has bound.
    pub fn given_admin(self, socket: TcpListener) -> Self {
        Self { admin: Some(socket), ..self }
    }

    /// Sockets that somebody else has bound (a test, or the service manager), in the order of the configuration: shared
    /// by all workers.
    pub fn given(tls: Vec<TcpListener>, redirect: Vec<TcpListener>) -> Self {
        let all = |sockets: Vec<TcpListener>| sockets.into_iter().map(|s| Bound(vec![s])).collect();
        Self { tls: all(tls), redirect: all(redirect), admin: None }
    }

    /// Where TLS is listened for.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.tls.iter().filter_map(|b| b.0.first()?.local_addr().ok()).collect()
    }

    /// Where administrators are listened for.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    pub(super) fn take_admin(&mut self) -> Option<TcpListener> {
        self.admin.take()
    }

    pub(super) fn per_worker(self, workers: usize) -> Result<Vec<Listeners>> {
        let mut all: Vec<Listeners> = (0..workers).map(|_| Listeners::default()).collect();
        for (index, listeners) in all.iter_mut().enumerate() {
            let deal = |bound: &[Bound]| bound.iter().map(|b| b.share(index)).collect::<Result<Vec<_>>>();
            listeners.tls = deal(&self.tls)?;
            listeners.redirect = deal(&self.redirect)?;
        }
        Ok(all)
    }
}

impl Bound {
    fn take_or_bind(address: SocketAddr, workers: usize, given: &mut Vec<TcpListener>) -> Result<Self> {
        let is_it = |socket: &TcpListener| socket.local_addr().is_ok_and(|own| own == address);
        let Some(at) = given.iter().position(is_it) else { return Self::bind(address, workers) };
        let socket = given.remove(at);
        socket.set_nonblocking(true)?;
        Ok(Self(vec![socket]))
    }

    fn bind(address: SocketAddr, workers: usize) -> Result<Self> {
        let explain = |error: std::io::Error| std::io::Error::new(error.kind(), format!("{address}: {error}"));
        (0..workers.max(1)).map(|_| listener(address)).collect::<Result<_>>().map(Self).map_err(explain)
    }

    fn share(&self, worker: usize) -> Result<TcpListener> {
        self.0[worker % self.0.len()].try_clone()
    }
}

fn listener(address: SocketAddr) -> Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() && !address.ip().is_unspecified() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
