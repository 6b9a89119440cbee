//! Follows the messages of an HTTP/1.1 client as their bytes pass, and sees a head that carries both `Content-Length`
//! and `Transfer-Encoding` (RFC 9112 §6.1), wherever it stands in a row of pipelined requests.
//!
//! hyper removes the length, frames by chunks and closes afterwards, which is legal; but whoever sends both is most
//! likely smuggling, so the handler refuses. This is no second judge: what it cannot follow hyper refuses.

/// Where in the stream of messages we are.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    part: Part,
    line: Line,
    /// How many heads have ended.
    heads: u32,
    length: Option<u64>,
    coding: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum Part {
    /// In a head, or before one.
    #[default]
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// In the size of a chunk: read so far, and whether digits still count.
    Size(u64, bool),
    /// So many bytes of a chunk, and of the line end after it.
    Data(u64),
    /// After the last chunk; whether the line is empty so far.
    Trailer(bool),
    /// Nothing that hyper takes for HTTP, or a tunnel.
    Lost,
}

/// One line of a head.
#[derive(Debug, Default)]
struct Line {
    name: [u8; LONGEST],
    /// Bytes of this line so far; past the longest name nothing is kept.
    at: usize,
    /// In the value of a `Content-Length`.
    digits: bool,
    /// A line of this head has ended.
    started: bool,
}

const LENGTH: &[u8] = b"content-length";
const CODING: &[u8] = b"transfer-encoding";
const LONGEST: usize = CODING.len();

impl Framing {
    /// Takes the next bytes. Gives the number of the head, from 1, that has shown both fields; then it looks no further.
    pub(crate) fn doubtful(&mut self, mut bytes: &[u8]) -> Option<u32> {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.part {
                Part::Head => {
                    let rest = self.head(bytes);
                    if self.coding && self.length.is_some() {
                        self.part = Part::Lost;
                        return Some(self.heads + 1);
                    }
                    rest
                }
                Part::Body(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.part = if left == 0 { Part::Head } else { Part::Body(left) };
                    rest
                }
                Part::Size(size, _) if byte == b'\n' => {
                    self.part = match size {
                        0 => Part::Trailer(true),
                        size => size.checked_add(2).map_or(Part::Lost, Part::Data),
                    };
                    rest
                }
                Part::Size(size, digits) => {
                    let digit = (byte as char).to_digit(16).filter(|_| digits).map(u64::from);
                    self.part = match digit {
                        Some(digit) => size.checked_mul(16).map_or(Part::Lost, |size| Part::Size(size + digit, true)),
                        None => Part::Size(size, false),
                    };
                    rest
                }
                Part::Data(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.part = if left == 0 { Part::Size(0, true) } else { Part::Data(left) };
                    rest
                }
                Part::Trailer(empty) => {
                    self.part = match byte {
                        b'\n' if empty => Part::Head,
                        b'\n' => Part::Trailer(true),
                        b'\r' => Part::Trailer(empty),
                        _ => Part::Trailer(false),
                    };
                    rest
                }
                Part::Lost => return None,
            };
        }
        None
    }

    /// Whether so many messages have come to their end, and nothing of the next has begun.
    pub(crate) fn is_behind(&self, heads: u32) -> bool {
        matches!(self.part, Part::Head) && self.line.at == 0 && !self.line.started && self.heads == heads
    }

    /// Goes on in a head; what is left after the end of a line or of all bytes.
    fn head<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Line { name, at, digits, started } = &mut self.line;
        let mut bytes = bytes;
        while let Some((&byte, rest)) = bytes.split_first() {
            match byte {
                b'\n' => {
                    // What is kept of an empty line is at most a `\r`.
                    let empty = *at == 0 || (*at == 1 && name[0] == b'\r');
                    let ends = empty && *started;
                    *started |= !empty;
                    (*at, *digits) = (0, false);
                    if ends {
                        self.end_head();
                    }
                    return rest;
                }
                _ if *digits => match (byte as char).to_digit(10).map(u64::from) {
                    Some(digit) => {
                        let length = self.length.and_then(|n| n.checked_mul(10)?.checked_add(digit));
                        self.length = Some(length.unwrap_or(u64::MAX));
                    }
                    None if matches!(byte, b' ' | b'\t' | b'\r') => {}
                    None => *digits = false,
                },
                // Most lines begin neither of the two names.
                _ if *at > LONGEST || (*at == 0 && !matches!(byte, b'c' | b'C' | b't' | b'T' | b'\r')) => {
                    *at = LONGEST + 1;
                    // Nothing matters any more but the line's end.
                    bytes = &bytes[memchr::memchr(b'\n', bytes).unwrap_or(bytes.len())..];
                    continue;
                }
                b':' | b' ' | b'\t' => {
                    let known = &name[..(*at).min(LONGEST)];
                    if *at == LENGTH.len() && known == LENGTH {
                        *digits = true;
                        self.length = Some(0);
                    }
                    self.coding |= *at == LONGEST && known == CODING;
                    *at = LONGEST + 1;
                }
                _ => {
                    if let Some(place) = name.get_mut(*at) {
                        *place = byte.to_ascii_lowercase();
                    }
                    *at += 1;
                }
            }
            bytes = rest;
        }
        bytes
    }

    fn end_head(&mut self) {
        self.heads += 1;
        self.part = match (self.coding, self.length.take()) {
            (true, _) => Part::Size(0, true),
            (false, None | Some(0)) => Part::Head,
            (false, Some(length)) => Part::Body(length),
        };
        self.coding = false;
        self.line.started = false;
    }
}

/// Leaves out as much of what is left as there is.
fn skip(left: u64, bytes: &[u8]) -> (u64, &[u8]) {
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    (left - here as u64, &bytes[here..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const UPLOAD: &str =
        "POST / HTTP/1.1\r\ncontent-length: 49\r\n\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    const CHUNKS: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1A;x=\"y\"\r\nContent-Length: 5\r\n\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n";
    const BOTH: &str = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn both_fields_in_one_head_are_seen_at_every_cut() {
        for (stream, doubtful) in [
            (BOTH.to_owned(), Some(1)),
            ("POST / HTTP/1.1\r\ntransfer-encoding : chunked\nCONTENT-LENGTH:5\n\n".to_owned(), Some(1)),
            ("\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345".to_owned(), None),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: Content-Length: 5\r\n\r\n0\r\n\r\n".to_owned(), None),
            ("POST / HTTP/1.1\r\nContent-Lengthy: 5\r\nTransfer-Encodings: chunked\r\n\r\n".to_owned(), None),
            ("POST / HTTP/1.1\r\nXContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), None),
            (format!("{GET}{UPLOAD}{CHUNKS}{GET}{CHUNKS}{UPLOAD}"), None),
            (format!("{GET}{BOTH}"), Some(2)),
            (format!("{UPLOAD}{BOTH}"), Some(2)),
            (format!("{CHUNKS}{BOTH}"), Some(2)),
            (format!("{CHUNKS}{UPLOAD}{GET}\r\n{BOTH}"), Some(4)),
        ] {
            for cut in 0..=stream.len() {
                let mut framing = Framing::default();
                let (one, two) = stream.as_bytes().split_at(cut);
                let seen = framing.doubtful(one).or_else(|| framing.doubtful(two));
                assert_eq!(seen, doubtful, "{stream:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn between_messages_is_where_one_ends_and_nowhere_else() {
        let messages = [GET, UPLOAD, CHUNKS, GET];
        let (stream, mut end, mut ends) = (messages.concat(), 0, vec![0]);
        for message in messages {
            end += message.len();
            ends.push(end);
        }
        let mut framing = Framing::default();
        assert!(framing.is_behind(0));
        for (at, byte) in stream.bytes().enumerate() {
            framing.doubtful(&[byte]);
            let heads = ends.iter().position(|end| *end == at + 1);
            let behind: Vec<usize> = (0..6).filter(|heads| framing.is_behind(*heads as u32)).collect();
            assert_eq!(behind, heads.into_iter().collect::<Vec<_>>(), "after {:?}", &stream[..=at]);
        }
        let mut lost = Framing::default();
        lost.doubtful(BOTH.as_bytes());
        assert!(!(0..3).any(|heads| lost.is_behind(heads)), "what is in doubt ends nowhere");
    }

    #[test]
    fn lengths_beyond_all_bounds_are_followed_nowhere() {
        for stream in [
            format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{BOTH}", "9".repeat(40)),
            format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n{BOTH}", "f".repeat(40)),
        ] {
            assert_eq!(Framing::default().doubtful(stream.as_bytes()), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes in "([A-Za-z0-9:; \r\n]|Content-Length: |Transfer-Encoding: ){0,200}") {
            Framing::default().doubtful(bytes.as_bytes());
        }
    }
}
