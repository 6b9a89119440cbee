//! The PROXY protocol, versions 1 and 2 (HAProxy's `proxy-protocol.txt`): the header by which a load balancer says whose
//! connection it passes on, before the first byte of TLS. Only its source address matters to us.
//!
//! Exactly the header is read, and no byte more: what follows belongs to TLS.

use std::io;
use std::net::IpAddr;

use ppp::{v1, v2};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The twelve bytes by which version 2 is known. The shortest header of version 1 is longer too.
const SIGNATURE: usize = v2::PROTOCOL_PREFIX.len();
/// Up to the length of what follows, in version 2.
const FIXED: usize = SIGNATURE + 4;
/// Version 1 has no longer ones.
const LONGEST_LINE: usize = 107;

/// What is wrong with a header.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It begins as no header does.
    #[error("no PROXY header")]
    None,
    /// It says something that it must not.
    #[error("a malformed PROXY header")]
    Malformed,
}

/// Reads the header of a connection that has just been accepted: the client's address, or `None` where the peer speaks
/// for itself (`LOCAL`) or does not say (`UNKNOWN`, `UNSPEC`).
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    let mut header = vec![0; SIGNATURE];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        header.resize(FIXED, 0);
        stream.read_exact(&mut header[SIGNATURE..]).await?;
        let rest = usize::from(u16::from_be_bytes([header[FIXED - 2], header[FIXED - 1]]));
        header.resize(FIXED + rest, 0);
        stream.read_exact(&mut header[FIXED..]).await?;
    } else if header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        read_line(stream, &mut header).await?;
    }
    parse(&header).map_err(io::Error::other)
}

/// Reads on to the end of a line, and not beyond.
async fn read_line(stream: &mut TcpStream, line: &mut Vec<u8>) -> io::Result<()> {
    let mut ahead = [0; LONGEST_LINE];
    while line.last() != Some(&b'\n') {
        let most = LONGEST_LINE.checked_sub(line.len()).filter(|most| *most > 0).ok_or(io::ErrorKind::InvalidData)?;
        let seen = stream.peek(&mut ahead[..most]).await?;
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = ahead[..seen].iter().position(|byte| *byte == b'\n').map_or(seen, |at| at + 1);
        stream.read_exact(&mut ahead[..taken]).await?;
        line.extend_from_slice(&ahead[..taken]);
    }
    Ok(())
}

/// The client's address in a whole header.
///
/// # Errors
/// If it is none, not whole, or more than one.
pub fn parse(header: &[u8]) -> Result<Option<IpAddr>, Error> {
    if header.starts_with(v2::PROTOCOL_PREFIX) {
        return second(header);
    }
    if header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        return first(header);
    }
    Err(Error::None)
}

fn first(line: &[u8]) -> Result<Option<IpAddr>, Error> {
    // `ppp` takes a header for UNKNOWN that ends in another way, or goes on behind a line end.
    let text = line.strip_suffix(b"\r\n").ok_or(Error::Malformed)?;
    if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(Error::Malformed);
    }
    let parsed = v1::Header::try_from(line).map_err(|_| Error::Malformed)?;
    // `+80` is a number to Rust, and no port. What stands behind UNKNOWN is none of our business.
    match parsed.addresses {
        _ if parsed.header.len() != line.len() => Err(Error::Malformed),
        v1::Addresses::Unknown => Ok(None),
        _ if line.contains(&b'+') => Err(Error::Malformed),
        v1::Addresses::Tcp4(addresses) => Ok(Some(addresses.source_address.into())),
        v1::Addresses::Tcp6(addresses) => Ok(Some(addresses.source_address.into())),
    }
}

fn second(header: &[u8]) -> Result<Option<IpAddr>, Error> {
    let parsed = v2::Header::try_from(header).map_err(|_| Error::Malformed)?;
    if parsed.header.len() != header.len() {
        return Err(Error::Malformed);
    }
    // "The receiver must accept this connection as valid and must use the real connection endpoints".
    if parsed.command == v2::Command::Local {
        return Ok(None);
    }
    match (parsed.protocol, parsed.addresses) {
        (v2::Protocol::Datagram, _) => Err(Error::Malformed),
        (v2::Protocol::Stream, v2::Addresses::IPv4(addresses)) => Ok(Some(addresses.source_address.into())),
        (v2::Protocol::Stream, v2::Addresses::IPv6(addresses)) => Ok(Some(addresses.source_address.into())),
        // UNSPEC in either half, and UNIX sockets, tell no address.
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
