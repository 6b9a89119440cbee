//! Sees a request head that carries both `Content-Length` and `Transfer-Encoding` (RFC 9112 §6.1).
//!
//! hyper removes the length, frames by chunks and closes afterwards, which is legal; but whoever sends both is
//! most likely smuggling, so the handler refuses. Only heads are looked at that arrive while nothing else is in
//! flight: a pipelined one is re-serialised by hyper all the same.

/// Reads the names of header fields as their bytes pass.
#[derive(Debug, Default)]
pub(super) struct Framing {
    name: [u8; LONGEST],
    /// Bytes of this line so far; past the longest name nothing is kept.
    at: usize,
    length: bool,
    coding: bool,
}

const LENGTH: &[u8] = b"content-length";
const CODING: &[u8] = b"transfer-encoding";
const LONGEST: usize = CODING.len();

impl Framing {
    /// Takes the next bytes; true once a head has shown both fields.
    pub(super) fn is_doubtful(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((byte, rest)) = bytes.split_first() {
            match byte {
                b'\n' => {
                    // An empty line ends the head; what is kept of it is at most a `\r`.
                    if self.at == 0 || (self.at == 1 && self.name[0] == b'\r') {
                        (self.length, self.coding) = (false, false);
                    }
                    self.at = 0;
                }
                // Most lines begin neither of the two names.
                _ if self.at > LONGEST || (self.at == 0 && !matches!(byte, b'c' | b'C' | b't' | b'T' | b'\r')) => {
                    self.at = LONGEST + 1;
                    // Nothing matters any more but the line's end.
                    bytes = &bytes[memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())..];
                    continue;
                }
                b':' | b' ' | b'\t' => {
                    let name = &self.name[..self.at.min(LONGEST)];
                    self.length |= name == LENGTH;
                    self.coding |= name == CODING;
                    self.at = LONGEST + 1;
                }
                _ => {
                    if let Some(place) = self.name.get_mut(self.at) {
                        *place = byte.to_ascii_lowercase();
                    }
                    self.at += 1;
                }
            }
            bytes = rest;
            if self.length && self.coding {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fields_in_one_head_are_seen_at_every_cut() {
        for (head, doubtful) in [
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            ("POST / HTTP/1.1\r\ntransfer-encoding : chunked\nCONTENT-LENGTH:5\n\n", true),
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: Content-Length: 5\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Lengthy: 5\r\nTransfer-Encodings: chunked\r\n\r\n", false),
        ] {
            for cut in 0..=head.len() {
                let mut framing = Framing::default();
                let (one, two) = head.as_bytes().split_at(cut);
                let seen = framing.is_doubtful(one) | framing.is_doubtful(two);
                assert_eq!(seen, doubtful, "{head:?} cut at {cut}");
            }
        }
    }
}
