//! Where does the body end? `Content-Length`, `Transfer-Encoding`, chunks (RFC 9112 §6, §7.1).

use super::{Either, Fate, One, Refused, play};
use crate::support::block_on;

/// A POST with these lines in its head, and these bytes after it.
macro_rules! post {
    ($lines:literal, $rest:literal) => {
        concat!("POST /@ HTTP/1.1\r\nHost: shop.example\r\n", $lines, "\r\n", $rest)
    };
}

/// The same with `Transfer-Encoding: chunked`.
macro_rules! chunks {
    ($rest:literal) => {
        post!("Transfer-Encoding: chunked\r\n", $rest)
    };
}

const LENGTHS: &[(&str, Fate)] = &[
    (post!("Content-Length: 5\r\n", "hello"), One("hello")),
    (post!("Content-Length: 05\r\n", "hello"), One("hello")),
    (post!("Content-Length:5\r\n", "hello"), One("hello")),
    (post!("Content-Length: \t5 \r\n", "hello"), One("hello")),
    (post!("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), Either),
    (post!("Content-Length: 5, 5\r\n", "hello"), Either),
    (post!("Content-Length: 5 ,5\r\n", "hello"), Either),
    (post!("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), Refused),
    (post!("Content-Length: 6\r\nContent-Length: 5\r\n", "hello!"), Refused),
    (post!("Content-Length: 5, 6\r\n", "hello!"), Refused),
    (post!("Content-Length: 5,\r\n", "hello"), Refused),
    (post!("Content-Length: +5\r\n", "hello"), Refused),
    (post!("Content-Length: -5\r\n", "hello"), Refused),
    (post!("Content-Length: 5.0\r\n", "hello"), Refused),
    (post!("Content-Length: 5e0\r\n", "hello"), Refused),
    (post!("Content-Length: 0x5\r\n", "hello"), Refused),
    (post!("Content-Length: 5 5\r\n", "hello"), Refused),
    (post!("Content-Length: \"5\"\r\n", "hello"), Refused),
    (post!("Content-Length: five\r\n", "hello"), Refused),
    (post!("Content-Length: \u{ff15}\r\n", "hello"), Refused),
    (post!("Content-Length:\r\n", "hello"), Refused),
    (post!("Content-Length: \r\n", "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"), Refused),
    (post!("Content-Length: 18446744073709551616\r\n", "hello"), Refused),
    (post!("Content-Length: 18446744073709551615\r\n", "hello"), Refused),
    (post!("Content-Length: 99999999999999999999999\r\n", "hello"), Refused),
    (post!("Content-Length: 9223372036854775808\r\n", "hello"), Refused),
    (post!("Content-Length : 5\r\n", "hello"), Refused),
    (post!("Content-Length\t: 5\r\n", "hello"), Refused),
    (post!("Content-Length\u{b}: 5\r\n", "hello"), Refused),
    (post!("Content-Length: 5\u{b}\r\n", "hello"), Refused),
    (post!("Content-Length: \u{c}5\r\n", "hello"), Refused),
    (post!("Content-Length: 5\r\n 5\r\n", "hello"), Refused),
    (post!("Content-Length:\r\n 5\r\n", "hello"), Refused),
    (post!("Content-Length 5\r\n", "hello"), Refused),
    (post!("Content_Length: 5\r\n", ""), One("")),
    (post!("X-Content-Length: 5\r\n", ""), One("")),
    // The body is shorter than it says: nothing complete arrives.
    (post!("Content-Length: 50\r\n", "hello"), Refused),
    (post!("Content-Length: 5\r\nConnection: content-length\r\n", "hello"), One("hello")),
    (post!("Content-Length: 5\r\nConnection: Content-Length, close\r\n", "hello"), One("hello")),
];

const CODINGS: &[(&str, Fate)] = &[
    (chunks!("5\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (post!("transfer-encoding:CHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (post!("Transfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n", "5\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (post!("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 0\r\n", "0\r\n\r\n"), Refused),
    (
        post!(
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "3d\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 20\r\n\r\n\r\n0\r\n\r\n"
        ),
        Refused,
    ),
    (
        post!(
            "Content-Length: 48\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\nX: "
        ),
        Refused,
    ),
    (post!("Content-Length: 5\r\nTransfer-Encoding: identity\r\n", "hello"), Refused),
    (post!("Content-Length: 5\r\nTransfer-Encoding:\r\n", "hello"), Refused),
    (post!("Content-Length: 5\r\nTransfer-Encoding : chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Content-Length: 5\r\nTransfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Content-Length: 5\r\nTransfer-Encoding\u{b}: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Content-Length: 5\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Content-Length: 5\r\nX: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked\r\n", "hello"), Refused),
    (post!("Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Content-Length: 5\r\nTransfer_Encoding: chunked\r\n", "hello"), One("hello")),
    (post!("Content-Length: 5\r\nX-Transfer-Encoding: chunked\r\n", "hello"), One("hello")),
    (post!("Content-Length: 5\r\nTransfer-Encodin\u{67}\u{0}: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: identity\r\n", "hello"), Refused),
    (post!("Transfer-Encoding: gzip\r\n", "hello"), Refused),
    (post!("Transfer-Encoding:\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: \r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: ,\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunkedx\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked;x\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: 'chunked'\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked \u{b}\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: \u{c}chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: \u{a0}chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: ch\u{fc}nked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: , chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), Refused),
    (post!("Transfer-Encoding\r\n : chunked\r\n", "0\r\n\r\n"), Refused),
    (post!(" Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), Refused),
    ("POST /@ HTTP/1.0\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused),
    (
        "POST /@ HTTP/1.0\r\nHost: shop.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Refused,
    ),
];

const CHUNKS: &[(&str, Fate)] = &[
    (chunks!("0\r\n\r\n"), One("")),
    (chunks!("000\r\n\r\n"), One("")),
    (chunks!("0005\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (chunks!("A\r\n0123456789\r\n0\r\n\r\n"), One("0123456789")),
    (chunks!("a\r\n0123456789\r\n0\r\n\r\n"), One("0123456789")),
    (chunks!("5;name=value\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (chunks!("5;name=\"va;lue\"\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (chunks!("5 ;x\r\nhello\r\n0\r\n\r\n"), One("hello")),
    (chunks!("2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n"), One("hello")),
    (chunks!("5\r\nhello\r\n0\r\nContent-Length: 5\r\nHost: evil.example\r\n\r\n"), One("hello")),
    (chunks!("g\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("0x5\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("+5\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("-5\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!(" 5\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5 5\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5_0\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5,\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("\r\n5\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!(";x\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("\r\n\r\n"), Refused),
    (chunks!("10000000000000000\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("10000000000000005\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("fffffffffffffffff\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\rhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\r\rhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\n\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\n0\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r0\r\n\r\n"), Refused),
    (chunks!("5\r\nhelloXX0\r\n\r\n"), Refused),
    (chunks!("5\r\nhello0\r\n\r\n"), Refused),
    (chunks!("4\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("6\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\n\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\n\rX"), Refused),
    (chunks!("5;a\rb\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5;a\nb\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5;\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"), Refused),
    (chunks!("2;\nxx\r\n4c\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"), Refused),
    (chunks!("5\u{b}\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\u{0}\r\nhello\r\n0\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\nno colon\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\nX : y\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\n folded: y\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\n: y\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\nX: \u{0}\r\n\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\nX: y\nGET /smuggled HTTP/1.1\r\n\r\n"), Refused),
    // Cut off at every place.
    (chunks!(""), Refused),
    (chunks!("5"), Refused),
    (chunks!("5\r\nhel"), Refused),
    (chunks!("5\r\nhello\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\n"), Refused),
    (chunks!("5\r\nhello\r\n0\r\nX: y\r\n"), Refused),
    // What follows the end is the next request or nothing, never a part of this one.
    (chunks!("5\r\nhello\r\n0\r\n\r\ngarbage\r\n\r\n"), One("hello")),
    (chunks!("0\r\n\r\n0\r\n\r\n"), One("")),
];

#[test]
fn lengths_in_doubt_are_refused() {
    block_on(play(LENGTHS));
}

#[test]
fn transfer_codings_in_doubt_are_refused() {
    block_on(play(CODINGS));
}

#[test]
fn chunks_in_doubt_are_refused() {
    block_on(play(CHUNKS));
}

/// A second request on the same connection is judged as the first: its framing in doubt, it goes no further.
#[test]
fn pipelined_requests_are_each_held_to_the_rules() {
    const FIRST: &str = "GET /first HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    const UPLOAD: &str = "POST /first HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 76\r\n\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 5\r\n\r\n123456";
    let bad = [
        post!("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        post!("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
        post!("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"),
        post!("Content-Length: +5\r\n", "hello"),
    ];
    for first in [
        FIRST,
        UPLOAD,
        concat!(
            "POST /first HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n",
            "5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n"
        ),
    ] {
        let cases: Vec<(&'static str, Fate)> =
            bad.iter().map(|bad| (&*Box::leak(format!("{first}{bad}").into_boxed_str()), Either)).collect();
        block_on(async {
            use crate::support::{Raw, StrictOrigin};
            let origin = StrictOrigin::start().await;
            let proxy = super::proxy(&origin);
            for (index, (attack, _)) in cases.iter().enumerate() {
                for pause in [false, true] {
                    let path = format!("/{index}/");
                    let bytes = attack.replace("/@", &path);
                    let mut raw = Raw::h1(&proxy).await;
                    let (one, two) = bytes.split_at(first.len());
                    if pause {
                        raw.write(one.as_bytes()).await;
                        raw.read_until(b"for /first").await;
                        raw.write(two.as_bytes()).await;
                    } else {
                        raw.write(bytes.as_bytes()).await;
                    }
                    let answer = String::from_utf8_lossy(&raw.read_to_end().await).into_owned();
                    assert!(answer.contains("HTTP/1.1 400 "), "{attack:?} pause: {pause}\n{answer}");
                    assert!(origin.requests(&path).is_empty(), "{attack:?}");
                }
                assert_eq!(
                    origin.requests("/first").len(),
                    2 * (index + 1),
                    "what was in order was served: {attack:?}"
                );
            }
            assert!(origin.faults().is_empty(), "{:#?}", origin.faults());
        });
    }
}
