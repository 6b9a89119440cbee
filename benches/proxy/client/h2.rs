//! HTTP/2 as far as a client needs it that trusts its server (RFC 9113, RFC 7541): it opens streams, gives all the
//! window there is, and counts what ends. Header blocks are not decoded, but for the first byte: `:status 200`.

use super::{Ask, Progress};
use crate::Result;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const MAX_WINDOW: u32 = (1 << 31) - 1;

/// `:status 200` in the static table.
const OK: u8 = 0x88;

/// One connection.
pub(super) struct Talk {
    /// The header block of the first request, whose fields the later ones point to as browsers do.
    first: Vec<u8>,
    later: Vec<u8>,
    /// The next stream.
    stream: u32,
    /// Bytes of `DATA` for which no window was given back.
    owed: u32,
    /// A frame that has not come whole.
    rest: Vec<u8>,
}

impl Talk {
    pub(super) fn new(ask: Ask<'_>, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        // ENABLE_PUSH 0, INITIAL_WINDOW_SIZE as large as can be.
        let mut settings = vec![0, 2, 0, 0, 0, 0, 0, 4];
        settings.extend_from_slice(&MAX_WINDOW.to_be_bytes());
        frame(out, SETTINGS, 0, 0, &settings);
        frame(out, WINDOW_UPDATE, 0, 0, &(MAX_WINDOW - 65_535).to_be_bytes());
        let (first, later) = blocks(ask);
        Self { first, later, stream: 1, owed: 0, rest: Vec::new() }
    }

    pub(super) fn ask(&mut self, out: &mut Vec<u8>) {
        let block = if self.stream == 1 { &self.first } else { &self.later };
        frame(out, HEADERS, END_STREAM | END_HEADERS, self.stream, block);
        self.stream += 2;
    }

    pub(super) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<Progress> {
        let mut progress = Progress::default();
        let mut rest = std::mem::take(&mut self.rest);
        let whole = if rest.is_empty() {
            bytes
        } else {
            rest.extend_from_slice(bytes);
            &rest
        };
        let mut at = 0;
        while let Some(head) = whole.get(at..at + 9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let Some(payload) = whole.get(at + 9..at + 9 + length) else { break };
            self.frame(head[3], head[4], payload, out, &mut progress)?;
            at += 9 + length;
        }
        self.rest = whole[at..].to_vec();
        if self.owed > MAX_WINDOW / 2 {
            frame(out, WINDOW_UPDATE, 0, 0, &self.owed.to_be_bytes());
            self.owed = 0;
        }
        Ok(progress)
    }

    fn frame(&mut self, kind: u8, flags: u8, payload: &[u8], out: &mut Vec<u8>, told: &mut Progress) -> Result<()> {
        match kind {
            DATA => {
                self.owed += u32::try_from(payload.len())?;
                told.bytes += payload.len();
            }
            HEADERS if payload.first() != Some(&OK) => return Err("not a 200 over HTTP/2".into()),
            RST_STREAM | GOAWAY => return Err(format!("the proxy gave up: frame {kind}, {payload:?}").into()),
            SETTINGS if flags & ACK == 0 => frame(out, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => frame(out, PING, ACK, 0, payload),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            told.answers += 1;
        }
        Ok(())
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("frames of ours are short");
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// The header block of the first request, and that of all others.
fn blocks(ask: Ask<'_>) -> (Vec<u8>, Vec<u8>) {
    // GET and https are in the static table; the rest goes into the dynamic one, whose newest entry is 62.
    let mut first = vec![0x82, 0x87];
    let mut later = first.clone();
    let (authority, path, user_agent, accept_encoding) = (1, 4, 58, 16);
    let mut fields = vec![(authority, ask.host), (path, ask.path), (user_agent, "bench")];
    fields.extend(ask.codings.map(|codings| (accept_encoding, codings)));
    for (age, (name, value)) in fields.iter().rev().enumerate().rev() {
        first.push(0x40 | name);
        first.push(u8::try_from(value.len()).expect("values of ours are short"));
        first.extend_from_slice(value.as_bytes());
        later.push(0x80 | (62 + u8::try_from(age).expect("four fields at most")));
    }
    (first, later)
}
