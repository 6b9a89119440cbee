//! From HTTP/2 to HTTP/1.1 (RFC 9113 §8.1.1, §8.2.1, §8.2.2, §8.3, §10.3): what HTTP/1.1 could not say, or would say
//! otherwise, is not translated.

use std::time::Duration;

use tokio::time::timeout;

use super::{Either, Fate, One, Refused};
use crate::support::frames::{self, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, frame, literal};
use crate::support::{Client, HOST, StrictOrigin, block_on};

/// A request: its fields after `:method POST`, `:scheme https`, `:authority` and `:path`, each of which a field of the
/// same name replaces; and its body.
type Case = (&'static [(&'static [u8], &'static [u8])], &'static str, Fate);

const CASES: &[Case] = &[
    (&[], "hello", One("hello")),
    (&[(b"content-length", b"5")], "hello", One("hello")),
    (&[(b"te", b"trailers")], "hello", One("hello")),
    (&[(b"x", b"caf\xc3\xa9")], "", One("")),
    // Line ends and NUL.
    (&[(b"x", b"a\r\nHost: evil.example")], "", Refused),
    (&[(b"x", b"a\nb: c")], "", Refused),
    (&[(b"x", b"a\rb")], "", Refused),
    (&[(b"x", b"a\0b")], "", Refused),
    (&[(b"x", b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n")], "", Refused),
    (&[(b"x\r\ny", b"a")], "", Refused),
    (&[(b"x\n", b"a")], "", Refused),
    (&[(b"x\0", b"a")], "", Refused),
    (&[(b"x: y\r\ntransfer-encoding", b"chunked")], "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", Refused),
    (&[(b"cookie", b"a=b\r\nX: y")], "", Refused),
    (&[(b":path", b"/@ HTTP/1.1\r\nX: y\r\n\r\nGET /smuggled")], "", Refused),
    (&[(b":path", b"/@\r\nX: y")], "", Refused),
    (&[(b":path", b"/@\nX: y")], "", Refused),
    (&[(b":path", b"/@\0")], "", Refused),
    (&[(b":path", b"/@ x")], "", Refused),
    (&[(b":path", b"/@\tx")], "", Refused),
    (&[(b":path", b"")], "", Refused),
    (&[(b":path", b"@")], "", Refused),
    (&[(b":path", b"https://evil.example/@")], "", Refused),
    (&[(b":path", b"*")], "", Refused),
    (&[(b":path", b"//evil.example/@")], "", Either),
    (&[(b":path", b"/@#f")], "", Either),
    (&[(b":method", b"GET /smuggled HTTP/1.1\r\nX: y\r\n\r\nPOST")], "", Refused),
    (&[(b":method", b"GET /smuggled")], "", Refused),
    (&[(b":method", b"G\r\nT")], "", Refused),
    (&[(b":method", b"G T")], "", Refused),
    (&[(b":method", b"")], "", Refused),
    (&[(b":method", b"G:T")], "", Refused),
    (&[(b":scheme", b"https\r\nX: y")], "", Refused),
    (&[(b":scheme", b"https://evil.example/?")], "", Refused),
    (&[(b":scheme", b"")], "", Refused),
    (&[(b":authority", b"shop.example\r\nX: y")], "", Refused),
    (&[(b":authority", b"shop.example\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example")], "", Refused),
    (&[(b":authority", b"shop.example\0")], "", Refused),
    (&[(b":authority", b"shop.example/x")], "", Refused),
    (&[(b":authority", b"evil@shop.example")], "", Refused),
    (&[(b":authority", b"shop.example evil.example")], "", Refused),
    (&[(b":authority", b"evil.example")], "", Refused),
    (&[(b":authority", b"")], "", Refused),
    // Names.
    (&[(b"X", b"y")], "", Refused),
    (&[(b"Transfer-Encoding", b"chunked")], "0\r\n\r\n", Refused),
    (&[(b"x y", b"z")], "", Refused),
    (&[(b"x:y", b"z")], "", Refused),
    (&[(b"x(", b"z")], "", Refused),
    (&[(b"", b"z")], "", Refused),
    (&[(b"x\xc3\xbc", b"z")], "", Refused),
    (&[(b" x", b"z")], "", Refused),
    // What was HTTP/1.1's own.
    (&[(b"transfer-encoding", b"chunked")], "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    (&[(b"transfer-encoding", b"chunked"), (b"content-length", b"5")], "0\r\n\r\n", Refused),
    (&[(b"transfer-encoding", b"identity")], "hello", Refused),
    (&[(b"connection", b"keep-alive")], "", Refused),
    (&[(b"connection", b"content-length")], "hello", Refused),
    (&[(b"keep-alive", b"timeout=5")], "", Refused),
    (&[(b"proxy-connection", b"keep-alive")], "", Refused),
    (&[(b"upgrade", b"h2c")], "", Refused),
    (&[(b"upgrade", b"websocket")], "", Refused),
    (&[(b"te", b"gzip")], "", Refused),
    (&[(b"te", b"trailers, gzip")], "", Refused),
    (&[(b"te", b"chunked")], "", Refused),
    // Lengths.
    (&[(b"content-length", b"4")], "hello", Refused),
    (&[(b"content-length", b"6")], "hello", Refused),
    (&[(b"content-length", b"0")], "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    (&[(b"content-length", b"5")], "", Refused),
    (&[(b"content-length", b"")], "hello", Refused),
    (&[(b"content-length", b"+5")], "hello", Refused),
    (&[(b"content-length", b"-5")], "hello", Refused),
    (&[(b"content-length", b"0x5")], "hello", Refused),
    (&[(b"content-length", b"5, 5")], "hello", Either),
    (&[(b"content-length", b"5"), (b"content-length", b"5")], "hello", Either),
    (&[(b"content-length", b"5"), (b"content-length", b"6")], "hello", Refused),
    (&[(b"content-length", b"18446744073709551621")], "hello", Refused),
    // Whose request it is.
    (&[(b"host", b"shop.example")], "", One("")),
    (&[(b"host", b"evil.example")], "", Refused),
    (&[(b"host", b"shop.example"), (b"host", b"shop.example")], "", Refused),
    (&[(b"host", b"shop.example\r\n")], "", Refused),
    (&[(b":authority", b"shop.example"), (b":authority", b"evil.example")], "", Refused),
    (&[(b":path", b"/@"), (b":path", b"/@")], "", Refused),
    (&[(b":method", b"GET"), (b":method", b"POST")], "", Refused),
    (&[(b":scheme", b"https"), (b":scheme", b"http")], "", Refused),
    (&[(b":status", b"200")], "", Refused),
    (&[(b":evil", b"x")], "", Refused),
    (&[(b":", b"x")], "", Refused),
    (&[(b":protocol", b"websocket")], "", Refused),
    (&[(b":method", b"CONNECT"), (b":protocol", b"connect-udp")], "", Refused),
    (&[(b":method", b"CONNECT")], "", Refused),
    (&[(b":method", b"TRACE")], "", Refused),
    (&[(b"x", b"y"), (b":path", b"/late")], "", Refused),
];

/// In the order of the wire: pseudo-header fields first, unless a case puts one late.
fn head(fields: &[(&[u8], &[u8])], path: &str) -> Vec<u8> {
    let usual: [(&[u8], &[u8]); 4] =
        [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", HOST.as_bytes()), (b":path", b"/@")];
    let late = fields.iter().position(|(name, _)| !name.starts_with(b":")).unwrap_or(fields.len());
    let kept = usual.iter().filter(|(name, _)| !fields[..late].iter().any(|(n, _)| n == name));
    let all = kept.chain(fields).filter(|(_, value)| !value.is_empty() || !fields.is_empty());
    all.flat_map(|(name, value)| {
        let value = match value.windows(2).position(|w| w == b"/@") {
            Some(at) => [&value[..at], path.as_bytes(), &value[at + 2..]].concat(),
            None => value.to_vec(),
        };
        literal(name, &value)
    })
    .collect()
}

#[test]
fn nothing_is_injected_on_the_way_from_http2_to_http1() {
    block_on(async {
        let origin = StrictOrigin::start().await;
        let proxy = super::proxy(&origin);
        let mut wrong = Vec::new();
        for (index, (fields, body, fate)) in CASES.iter().enumerate() {
            let path = format!("/{index}/");
            let (mut attacker, mut answers) = frames::open(&proxy, &[]).await;
            let end = if body.is_empty() { END_STREAM } else { 0 };
            let mut bytes = frame(HEADERS, END_HEADERS | end, 1, &head(fields, &path));
            if !body.is_empty() {
                bytes.extend(frame(DATA, END_STREAM, 1, body.as_bytes()));
            }
            attacker.send(&bytes).await;
            // 0x88 is `:status 200` in the static table.
            let mut granted = false;
            let answered = async {
                while let Some(frame) = answers.next().await {
                    granted |= frame.kind == HEADERS && frame.payload[0] == 0x88;
                    if frame.kind == GOAWAY
                        || (frame.stream == 1 && (frame.flags & END_STREAM != 0 || frame.kind == RST_STREAM))
                    {
                        break;
                    }
                }
            };
            let told = timeout(Duration::from_secs(5), answered).await.is_ok();
            let seen = origin.requests(&path);
            let right = match fate {
                Refused => seen.is_empty() && !granted,
                One(body) => seen.len() == 1 && seen[0].body == body.as_bytes() && granted,
                Either => seen.len() <= 1,
            };
            if !right || !told {
                let fields: Vec<_> =
                    fields.iter().map(|(n, v)| (String::from_utf8_lossy(n), String::from_utf8_lossy(v))).collect();
                wrong.push(format!("{fields:?} should be {fate:?}; told {told}, granted {granted}, seen {seen:?}"));
            }
        }
        for own in ["/own/1", "/own/2"] {
            assert_eq!(Client::h1(&proxy).await.get(own, &[]).await.text(), format!("for {own}"));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(origin.requests("/smuggled").is_empty() && origin.requests("/late").is_empty());
        assert!(origin.faults().is_empty(), "{:#?}", origin.faults());
    });
}
