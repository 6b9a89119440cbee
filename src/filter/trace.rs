//! What a request is called, so that the logs of several servers can be joined: `X-Request-Id`, and `traceparent` of the
//! W3C's Trace Context (<https://www.w3.org/TR/trace-context/>), which passes on untouched or, if it is none, not at all;
//! where spans are told of, the origin gets ours for its parent.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

/// Not standardised, and known to every proxy.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Trace and parent.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Nobody's ids are longer.
const MAX_ID: usize = 128;

/// The one id that a request comes with, if it can be logged and passed on.
pub fn request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~:/+=@".contains(byte);
    only(headers, &X_REQUEST_ID).filter(|id| (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().all(fits))
}

/// The one valid `traceparent` of a request.
pub fn traceparent(headers: &HeaderMap) -> Option<&HeaderValue> {
    only(headers, &TRACEPARENT).filter(|value| is_traceparent(value.as_bytes()))
}

/// A place in a trace: a span, and whether anybody records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The trace; never 0.
    pub trace: u128,
    /// The span; never 0.
    pub span: u64,
    /// `trace-flags` (§3.2.2.5 there).
    pub flags: u8,
}

/// Those who came before may have recorded the request.
const SAMPLED: u8 = 1;
/// The flags that version 00 has; level 2 adds that the trace is random.
const KNOWN_FLAGS: u8 = 3;

impl Context {
    /// The place of the client, from the one valid `traceparent` of a request.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let text = traceparent(headers)?.to_str().ok()?;
        let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
        Some(Self {
            trace: u128::from_str_radix(part(3..35), 16).ok()?,
            span: u64::from_str_radix(part(36..52), 16).ok()?,
            flags: u8::from_str_radix(part(53..55), 16).ok()? & KNOWN_FLAGS,
        })
    }

    /// Whether the span is recorded.
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Another span of the same trace.
    pub fn child(self, span: u64, sampled: bool) -> Self {
        let flags = if sampled { self.flags | SAMPLED } else { self.flags & !SAMPLED };
        Self { span, flags, ..self }
    }

    /// As a `traceparent`.
    pub fn header(self) -> HeaderValue {
        let Self { trace, span, flags } = self;
        HeaderValue::try_from(format!("00-{trace:032x}-{span:016x}-{flags:02x}")).expect("hex digits")
    }
}

/// Removes a trace that nobody can follow: receivers would have to begin a new one (§3.2.2 there).
pub fn drop_broken(headers: &mut HeaderMap) {
    if headers.contains_key(TRACEPARENT) && traceparent(headers).is_none() {
        headers.remove(TRACEPARENT);
        headers.remove(TRACESTATE);
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// `VERSION-TRACE-PARENT-FLAGS` in lower-case hex; later versions may have more behind it.
fn is_traceparent(value: &[u8]) -> bool {
    let part = |range: std::ops::Range<usize>| {
        value.get(range).is_some_and(|part| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    };
    let zero = |range: std::ops::Range<usize>| value[range].iter().all(|byte| *byte == b'0');
    let parts = part(0..2) && part(3..35) && part(36..52) && part(53..55);
    parts
        && [2, 35, 52].iter().all(|at| value[*at] == b'-')
        && &value[..2] != b"ff"
        && !zero(3..35)
        && !zero(36..52)
        && (value.len() == 55 || (&value[..2] != b"00" && value[55] == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn valid_traces_pass_and_broken_ones_do_not() {
        let passes = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(TRACEPARENT, HeaderValue::from_str(line).unwrap());
            }
            headers.insert(TRACESTATE, HeaderValue::from_static("a=1"));
            let before = headers.clone();
            drop_broken(&mut headers);
            if headers != before {
                assert!(headers.is_empty(), "{headers:?}: a state without its trace");
            }
            !headers.is_empty()
        };
        assert!(passes(&[TRACE]));
        assert!(passes(&["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings"]));
        assert!(passes(&["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]));
        for broken in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
        ] {
            assert!(!passes(&[broken]), "{broken:?}");
        }
        assert!(!passes(&[TRACE, TRACE]), "two are none");
    }

    #[test]
    fn a_place_in_a_trace_is_read_and_written() {
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(TRACEPARENT, HeaderValue::from_static(text))]);
            Context::of(&headers)
        };
        let client = read(TRACE).unwrap();
        assert_eq!((client.header().to_str().unwrap(), client.is_sampled()), (TRACE, true));
        let own = client.child(0xa, false);
        assert_eq!(own.header(), "00-0af7651916cd43dd8448eb211c80319c-000000000000000a-00");
        assert_eq!(own.child(0xb, true).header(), "00-0af7651916cd43dd8448eb211c80319c-000000000000000b-01");
        let later = read("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-more").unwrap();
        assert_eq!(later.flags, 3, "what we do not know we do not pass on");
        assert_eq!(read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"), None);
    }

    #[test]
    fn ids_are_short_and_plain() {
        let id = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_REQUEST_ID, HeaderValue::from_bytes(line).unwrap());
            }
            request_id(&headers).cloned()
        };
        let long = [b'a'; 129];
        for right in [&b"a"[..], b"f058ebd6-02f7-4d3f-942e-904344e8cde5", b"Root=1-67891233-abcdef", &long[..128]] {
            assert!(id(&[right]).is_some(), "{right:?}");
        }
        for wrong in [&b""[..], b"a b", b"a\"b", b"\xe9", b"a;b", b"a\tb", &long] {
            assert!(id(&[wrong]).is_none(), "{wrong:?}");
        }
        assert!(id(&[b"a", b"b"]).is_none(), "two are none");
        assert!(id(&[]).is_none());
    }
}
