//! The content codings that we can read and write (RFC 9110 §8.4), by name. `proxy::coding` does the work.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::list;

/// A content coding other than `identity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// `deflate`: zlib (RFC 1950) by the letter, raw deflate from some legacy servers.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, window of 8 MiB at most (RFC 9659).
    Zstd,
}

/// A body carries a coding that we cannot read, or too many of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("content coding not supported")]
pub struct Unsupported;

/// More than this were never seen from a server, and each multiplies what a bomb can do.
const MAX_CODINGS: usize = 2;

impl Coding {
    /// Reads a coding's name; `x-gzip` is the old name of `gzip` (RFC 9110 §8.4.1.3).
    pub fn from_token(token: &[u8]) -> Option<Self> {
        const NAMES: [(&str, Coding); 5] = [
            ("gzip", Coding::Gzip),
            ("br", Coding::Brotli),
            ("zstd", Coding::Zstd),
            ("deflate", Coding::Deflate),
            ("x-gzip", Coding::Gzip),
        ];
        NAMES.iter().find(|(name, _)| token.eq_ignore_ascii_case(name.as_bytes())).map(|(_, coding)| *coding)
    }

    /// The name as it stands in `Content-Encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// The codings of a body in the order in which they were applied: undo the last one first.
pub fn content_codings(headers: &HeaderMap) -> Result<Vec<Coding>, Unsupported> {
    let mut codings = Vec::new();
    for line in headers.get_all(CONTENT_ENCODING) {
        for token in list::elements(line.as_bytes()) {
            // Not a valid Content-Encoding, but sent, and harmless.
            if token.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            codings.push(Coding::from_token(token).ok_or(Unsupported)?);
        }
    }
    if codings.len() > MAX_CODINGS { Err(Unsupported) } else { Ok(codings) }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn codings(lines: &[&'static str]) -> Result<Vec<Coding>, Unsupported> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        content_codings(&headers)
    }

    #[test]
    fn content_encoding_lists() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (lines, expected) in [
            (&[] as &[&str], Ok(vec![])),
            (&["gzip"], Ok(vec![Gzip])),
            (&["X-GZip"], Ok(vec![Gzip])),
            (&["BR"], Ok(vec![Brotli])),
            (&["zstd"], Ok(vec![Zstd])),
            (&["identity"], Ok(vec![])),
            (&[" , deflate ,,"], Ok(vec![Deflate])),
            (&["gzip, br"], Ok(vec![Gzip, Brotli])),
            (&["gzip", "br"], Ok(vec![Gzip, Brotli])),
            (&["gzip, br, zstd"], Err(Unsupported)),
            (&["compress"], Err(Unsupported)),
            (&["gzip;q=1"], Err(Unsupported)),
            (&["aes128gcm, gzip"], Err(Unsupported)),
        ] {
            assert_eq!(codings(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn every_name_reads_back() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            assert_eq!(Coding::from_token(coding.token().as_bytes()), Some(coding));
        }
    }
}
