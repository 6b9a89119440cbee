//! Answers in doubt (RFC 9112 §6.3, §9.6): they are refused or passed on as one valid answer, and what comes after
//! them on the origin's connection is never another visitor's answer.

use crate::support::{Client, HOST, Proxy, RawOrigin, Step, block_on};

/// An answer that says no more than "ok", and the poison that follows.
const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

#[test]
fn surplus_bytes_are_nobodys_answer() {
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ];
    block_on(async {
        for answer in answers {
            // In one piece, and after a moment in which the connection may have gone back to the pool.
            for steps in [
                vec![Step::ReadHead, Step::Write(format!("{answer}{POISON}").into_bytes()), Step::Stall],
                vec![Step::ReadHead, Step::Write(answer.into()), Step::Wait, Step::Write(POISON.into()), Step::Stall],
            ] {
                let waits = steps.len() == 5;
                let origin = RawOrigin::start(steps).await;
                let proxy = Proxy::builder()
                    .top("timeouts: { origin_first_byte: 500ms }")
                    .site(HOST, origin.address, "")
                    .start();
                for _ in 0..3 {
                    let reply = Client::h1(&proxy).await.get("/", &[]).await;
                    assert_ne!(reply.text(), "poison", "{answer:?}");
                    if waits {
                        origin.go();
                    }
                }
                let heads = String::from_utf8(origin.received()).unwrap();
                // What the poisoned connection was asked once, it was not asked again.
                assert!(heads.matches("GET / HTTP/1.1").count() >= 3, "{heads}");
            }
        }
    });
}

/// A `HEAD` has no body, whatever its answer says; what looks like one is surplus.
#[test]
fn the_body_of_an_answer_to_head_is_nobodys_answer() {
    block_on(async {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{POISON}", POISON.len());
        let steps = vec![vec![Step::ReadHead, Step::Write(answer.into_bytes())]; 10].concat();
        let origin = RawOrigin::start(steps).await;
        let proxy = Proxy::to(origin.address).await;
        for _ in 0..3 {
            let head = Client::h1(&proxy).await.send(http::Method::HEAD, "/", &[], "").await;
            assert_eq!(head.status, 200);
            let reply = Client::h1(&proxy).await.get("/", &[]).await;
            assert_eq!(reply.text(), POISON, "its own body, not the surplus of another's");
        }
    });
}

#[test]
fn answers_whose_length_is_in_doubt_are_refused() {
    let answers: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n folded\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\ngarbage\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 1000 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 2x0 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"ICY 200 OK\r\n\r\nok",
        b"ok",
    ];
    block_on(async {
        for answer in answers {
            let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(answer.to_vec()), Step::Close]).await;
            let proxy = Proxy::to(origin.address).await;
            let reply = Client::h1(&proxy).await.get("/", &[]).await;
            assert_eq!(reply.status, 502, "{}", String::from_utf8_lossy(answer));
        }
    });
}

/// Whatever length the origin claims beside its chunks, the client is told one.
#[test]
fn an_answer_with_both_lengths_leaves_with_one() {
    block_on(async {
        for head in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n2\r\nok\r\n0\r\n\r\n");
            let steps = vec![vec![Step::ReadHead, Step::Write(answer.into_bytes())]; 4].concat();
            let origin = RawOrigin::start(steps).await;
            let proxy = Proxy::to(origin.address).await;
            for h2 in [false, true] {
                let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
                let reply = client.get("/", &[]).await;
                assert!(reply.status == 502 || reply.text() == "ok", "{head:?} h2: {h2}: {reply:?}");
                assert!(reply.header("content-length").is_none_or(|length| reply.body.len().to_string() == length));
            }
        }
    });
}

#[test]
fn chunks_of_an_answer_in_doubt_are_never_completed() {
    let bodies = [
        "g\r\nok\r\n0\r\n\r\n",
        "+2\r\nok\r\n0\r\n\r\n",
        "2\nok\r\n0\r\n\r\n",
        "2\r\nok0\r\n\r\n",
        "2\r\nok\n0\r\n\r\n",
        "3\r\nok\r\n0\r\n\r\n",
        "1\r\nok\r\n0\r\n\r\n",
        "10000000000000002\r\nok\r\n0\r\n\r\n",
        "2;a\nb\r\nok\r\n0\r\n\r\n",
        "2\r\nok\r\n0\r\nno colon\r\n\r\n",
        "2\r\nok\r\n0\r\n",
        "2\r\nok\r\n",
    ];
    block_on(async {
        for body in bodies {
            let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
            let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(answer.into_bytes()), Step::Close]).await;
            let proxy = Proxy::to(origin.address).await;
            for h2 in [false, true] {
                let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
                let response = client.start(http::Method::GET, "/", &[], "").await.unwrap();
                let whole = response.status() == 200 && crate::support::client::collect(response).await.is_ok();
                assert!(!whole, "{body:?} h2: {h2}");
            }
        }
    });
}
