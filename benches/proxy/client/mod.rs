//! The clients: one connection each, blocking, with requests that lie ready. They read no more of an answer than where
//! it ends and whether it is a 200, so that what is measured is the proxy.

mod h1;
mod h2;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::Result;
pub(crate) use h1::{Reply, fetch};

/// The name of the site.
pub(crate) const HOST: &str = "shop.example";

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    H1,
    H2,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::H1 => "h1",
            Self::H2 => "h2",
        }
    }

    fn alpn(self) -> &'static [u8] {
        match self {
            Self::H1 => b"http/1.1",
            Self::H2 => b"h2",
        }
    }
}

/// What a client asks for, again and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) path: &'a str,
    pub(crate) codings: Option<&'a str>,
    /// [`HOST`], or another name of the same site.
    pub(crate) host: &'a str,
}

/// Where to connect to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// `None` speaks in the clear: to the origin itself.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// What has come since one asked last.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Answers that came to their end.
    pub(crate) answers: u32,
    /// Bytes of bodies.
    pub(crate) bytes: usize,
}

enum Talk {
    H1(h1::Talk),
    H2(h2::Talk),
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection on which requests of one kind are made.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    talk: Talk,
    out: Vec<u8>,
    buffer: Box<[u8]>,
}

impl Connection {
    /// Connects, and does what comes before the first request.
    pub(crate) fn open(target: &Target, protocol: Protocol, ask: Ask<'_>) -> Result<Self> {
        let stream = open(target, protocol, ask.host)?;
        let mut out = Vec::new();
        let talk = match protocol {
            Protocol::H1 => Talk::H1(h1::Talk::new(ask)),
            Protocol::H2 => Talk::H2(h2::Talk::new(ask, &mut out)),
        };
        Ok(Self { stream, talk, out, buffer: vec![0; 64 << 10].into() })
    }

    /// Sends so many requests, in one write.
    pub(crate) fn ask(&mut self, times: u32) -> Result<()> {
        for _ in 0..times {
            match &mut self.talk {
                Talk::H1(talk) => talk.ask(&mut self.out),
                Talk::H2(talk) => talk.ask(&mut self.out),
            }
        }
        self.flush()
    }

    /// Waits until something comes; an answer other than 200 is an error.
    pub(crate) fn wait(&mut self) -> Result<Progress> {
        let n = self.stream.read(&mut self.buffer)?;
        if n == 0 {
            return Err("the proxy closed the connection".into());
        }
        let progress = match &mut self.talk {
            Talk::H1(talk) => talk.take(&self.buffer[..n])?,
            Talk::H2(talk) => talk.take(&self.buffer[..n], &mut self.out)?,
        };
        self.flush()?;
        Ok(progress)
    }

    /// Asks once, and waits for the answer's end.
    pub(crate) fn once(&mut self) -> Result<()> {
        self.ask(1)?;
        while self.wait()?.answers == 0 {}
        Ok(())
    }

    /// The head of the last answer; of HTTP/2 nobody reads it.
    pub(crate) fn head(&self) -> &[u8] {
        match &self.talk {
            Talk::H1(talk) => talk.last_head(),
            Talk::H2(_) => b"",
        }
    }

    fn flush(&mut self) -> Result<()> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out)?;
            self.stream.flush()?;
            self.out.clear();
        }
        Ok(())
    }
}

/// Nobody waits for longer than this: something hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A TCP connection that gives up after a while.
pub(crate) fn dial(address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn open(target: &Target, protocol: Protocol, host: &str) -> Result<Box<dyn Stream>> {
    let mut socket = dial(target.address)?;
    let Some(config) = &target.tls else { return Ok(Box::new(socket)) };
    let mut config = ClientConfig::clone(config);
    config.alpn_protocols = vec![protocol.alpn().to_vec()];
    let mut tls = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    if tls.alpn_protocol() != Some(protocol.alpn()) {
        return Err(format!("the proxy does not speak {}", protocol.name()).into());
    }
    Ok(Box::new(StreamOwned::new(tls, socket)))
}
