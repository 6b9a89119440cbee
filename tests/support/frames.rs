//! HTTP/2 as a hostile client speaks it: frames written by hand over real TLS (RFC 9113 §4, RFC 7541 without tricks).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::client::connect;
use super::{HOST, Proxy};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// The side that writes.
pub struct Frames(WriteHalf<TlsStream<TcpStream>>);

/// The side that reads.
pub struct Answers(ReadHalf<TlsStream<TcpStream>>);

/// One frame in bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A field as a literal that is not indexed.
pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut block = vec![0];
    for text in [name, value] {
        block.extend(integer(text.len(), 7));
        block.extend(text);
    }
    block
}

/// RFC 7541 §5.1, with nothing in the bits above.
pub fn integer(mut value: usize, bits: u32) -> Vec<u8> {
    let most = (1 << bits) - 1;
    if value < most {
        return vec![value as u8];
    }
    let mut bytes = vec![most as u8];
    value -= most;
    while value >= 128 {
        bytes.push((value % 128) as u8 | 128);
        value /= 128;
    }
    bytes.push(value as u8);
    bytes
}

/// A header block of literals.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(name.as_bytes(), value.as_bytes())).collect()
}

/// A GET of this path.
pub fn get(stream: u32, path: &str) -> Vec<u8> {
    let fields = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", path)];
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&fields))
}

/// The head of a POST to this path.
pub fn post(stream: u32, path: &str) -> Vec<u8> {
    let fields = [(":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", path)];
    frame(HEADERS, END_HEADERS, stream, &block(&fields))
}

/// Connects and says hello with these settings.
pub async fn open(proxy: &Proxy, settings: &[(u16, u32)]) -> (Frames, Answers) {
    let stream = connect(proxy, HOST, b"h2").await;
    let (read, write) = tokio::io::split(stream);
    let mut frames = Frames(write);
    let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let payload: Vec<u8> =
        settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    hello.extend(frame(SETTINGS, 0, 0, &payload));
    hello.extend(frame(SETTINGS, ACK, 0, &[]));
    assert!(frames.send(&hello).await);
    (frames, Answers(read))
}

impl Frames {
    /// Whether it could be written: false once the proxy has closed.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok() && self.0.flush().await.is_ok()
    }
}

impl Answers {
    /// The next frame; `None` once the connection has ended.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & 0x7fff_ffff;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// Reads until the connection ends, and tells how: the error code of the last GOAWAY, if there was one.
    ///
    /// Panics if it does not end.
    pub async fn end(&mut self) -> Option<u32> {
        let all = async {
            let mut code = None;
            while let Some(frame) = self.next().await {
                if frame.kind == GOAWAY {
                    code = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
                }
            }
            code
        };
        timeout(Duration::from_secs(50), all).await.expect("the attacker is still connected")
    }
}
