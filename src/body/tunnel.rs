//! What a CONNECT becomes when it is answered with success (RFC 9110 §9.3.6): bytes both ways.

use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot::{self, Receiver, Sender};

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A tunnel that is there once the client has been told so.
pub struct Tunnel(Receiver<Box<dyn Duplex>>);

impl Tunnel {
    /// One that is to be, and what opens it.
    pub fn new() -> (Sender<Box<dyn Duplex>>, Self) {
        let (open, opened) = oneshot::channel();
        (open, Self(opened))
    }

    /// The client's end.
    ///
    /// # Errors
    /// If the client is gone before.
    pub async fn opened(self) -> Result<Box<dyn Duplex>, oneshot::error::RecvError> {
        self.0.await
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}
