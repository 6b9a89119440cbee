//! A WebSocket that echoes (RFC 6455): the handshake, and a bounded frame reader. No extensions.

use std::io;
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::shop::text;

/// The largest message that is echoed; more closes with 1009.
const MAX_MESSAGE: usize = 64 * 1024;
/// A socket that says nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(120);
/// How long and how much is read, and thrown away, after a close.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: u64 = 1024 * 1024;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// Answers the opening handshake (§4.2): 101, or what is wrong with it.
pub(super) fn handshake(headers: &HeaderMap) -> Response<Body> {
    let lists = |name, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value: &str| value.split(',').any(|listed| listed.trim().eq_ignore_ascii_case(token)))
    };
    if !lists(header::UPGRADE, "websocket") || !lists(header::CONNECTION, "upgrade") {
        let mut response = text(StatusCode::UPGRADE_REQUIRED, "This is a WebSocket.\n".into());
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return response;
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut response = text(StatusCode::UPGRADE_REQUIRED, "Version 13, please.\n".into());
        response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
        return text(StatusCode::BAD_REQUEST, "The key is not 16 bytes in Base64.\n".into());
    }
    let mut response = Response::new(Body::full(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let accept = HeaderValue::from_str(&accept(key)).expect("Base64 is ASCII");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn accept(key: &[u8]) -> String {
    let salted = [key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &salted))
}

/// Sends every message back until either side closes, the visitor falls silent, or the shop stops.
pub(super) async fn echo<S>(mut socket: S, shutdown: CancellationToken) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = Message::default();
    loop {
        let frame = tokio::select! {
            () = shutdown.cancelled() => return close(&mut socket, 1001).await,
            frame = timeout(IDLE, read(&mut socket)) => match frame {
                Ok(frame) => frame?,
                Err(_) => return close(&mut socket, 1001).await,
            },
        };
        let frame = match frame {
            Ok(frame) => frame,
            Err(code) => return close(&mut socket, code).await,
        };
        match frame.opcode {
            PING => write(&mut socket, PONG, &frame.payload).await?,
            PONG => {}
            // A close is answered with its own code (§5.5.1).
            CLOSE => return write(&mut socket, CLOSE, &frame.payload[..frame.payload.len().min(2)]).await,
            _ => match message.take(frame) {
                Ok(Some((opcode, payload))) => write(&mut socket, opcode, &payload).await?,
                Ok(None) => {}
                Err(code) => return close(&mut socket, code).await,
            },
        }
    }
}

struct Frame {
    last: bool,
    opcode: u8,
    payload: Vec<u8>,
}

/// Fragments gathered so far.
#[derive(Default)]
struct Message {
    opcode: Option<u8>,
    payload: Vec<u8>,
}

impl Message {
    /// Adds a data frame; gives the message when it is whole, or a close code.
    fn take(&mut self, frame: Frame) -> Result<Option<(u8, Vec<u8>)>, u16> {
        match (frame.opcode, self.opcode) {
            (CONTINUATION, Some(_)) => {}
            (TEXT | BINARY, None) => self.opcode = Some(frame.opcode),
            _ => return Err(1002),
        }
        if self.payload.len() + frame.payload.len() > MAX_MESSAGE {
            return Err(1009);
        }
        self.payload.extend_from_slice(&frame.payload);
        if !frame.last {
            return Ok(None);
        }
        let payload = std::mem::take(&mut self.payload);
        match self.opcode.take() {
            Some(TEXT) if std::str::from_utf8(&payload).is_err() => Err(1007),
            Some(opcode) => Ok(Some((opcode, payload))),
            None => Err(1002),
        }
    }
}

/// Reads one frame (§5.2), unmasked; a close code if it may not be so.
async fn read(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<Frame, u16>> {
    let [first, second] = array(socket).await?;
    let (last, opcode) = (first & 0x80 != 0, first & 0x0F);
    let length = match second & 0x7F {
        126 => u64::from(u16::from_be_bytes(array(socket).await?)),
        127 => u64::from_be_bytes(array(socket).await?),
        length => u64::from(length),
    };
    let control = opcode & 0x8 != 0;
    let known = matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
    // Clients mask every frame (§5.1), we agreed on no extension bits, and control frames are short and whole (§5.5).
    if second & 0x80 == 0 || first & 0x70 != 0 || !known || (control && (!last || length > 125)) {
        return Ok(Err(1002));
    }
    if length > MAX_MESSAGE as u64 {
        return Ok(Err(1009));
    }
    let mask: [u8; 4] = array(socket).await?;
    let mut payload = vec![0; usize::try_from(length).unwrap_or_default()];
    socket.read_exact(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok(Ok(Frame { last, opcode, payload }))
}

async fn array<const N: usize>(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    socket.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Says why, then reads on for a moment: closing a socket with bytes unread would reset it, and take the reason along.
async fn close(socket: &mut (impl AsyncRead + AsyncWrite + Unpin), code: u16) -> io::Result<()> {
    write(socket, CLOSE, &code.to_be_bytes()).await?;
    socket.shutdown().await?;
    let mut rest = socket.take(LINGER_BYTES);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    Ok(())
}

/// Writes one whole frame; a server does not mask.
async fn write(socket: &mut (impl AsyncWrite + Unpin), opcode: u8, payload: &[u8]) -> io::Result<()> {
    let mut frame = vec![0x80 | opcode];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    // A visitor who does not read must not hold the shop for ever.
    match timeout(IDLE, async {
        socket.write_all(&frame).await?;
        socket.flush().await
    })
    .await
    {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
