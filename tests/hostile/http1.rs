//! Slow, idle and overlong clients of HTTP/1.1.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::{alone, well_behaved};
use crate::support::client::connect;
use crate::support::{HOST, Origin, Proxy, Raw, StrictOrigin};

const HEAD: &str = "GET /x HTTP/1.1\r\nHost: shop.example\r\n";

/// Writes a byte at a time, until the proxy answers or closes; gives what it said.
async fn drip(mut raw: Raw, bytes: impl Iterator<Item = u8>, pause: Duration) -> String {
    let mut answer = Vec::new();
    for byte in bytes {
        if raw.0.write_all(&[byte]).await.and(raw.0.flush().await).is_err() {
            break;
        }
        let read = timeout(pause, raw.0.read_buf(&mut answer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn heads_and_bodies_that_drip_are_given_up() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let limits = "timeouts: { request_head: 1s, body_idle: 1s }\nlimits: { upload_rate: 100 }";
        let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
        let began = Instant::now();
        let pause = Duration::from_millis(100);
        let mut slow_body = Raw::h1(&proxy).await;
        slow_body.write(b"POST /x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 100000\r\n\r\n").await;
        let mut slow_chunks = Raw::h1(&proxy).await;
        slow_chunks.write(b"POST /x HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        let mut slow_size = Raw::h1(&proxy).await;
        slow_size.write(b"POST /x HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n5;").await;
        let (head, body, chunks, size, ()) = tokio::join!(
            drip(Raw::h1(&proxy).await, format!("{HEAD}X: {}", "y".repeat(1000)).into_bytes().into_iter(), pause),
            drip(slow_body, [b'x'; 1000].into_iter(), pause),
            drip(slow_chunks, b"1\r\nx\r\n".repeat(200).into_iter(), pause),
            drip(slow_size, [b'x'; 1000].into_iter(), pause),
            well_behaved(&proxy, 5),
        );
        assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
        for (name, answer) in [("body", body), ("chunks", chunks), ("chunk extension", size)] {
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{name}: {answer}");
        }
        assert!(began.elapsed() < Duration::from_secs(10), "after {:?}", began.elapsed());
        assert!(origin.seen().iter().all(|seen| seen.target == "/own"));
    });
}

/// Slow, but as fast as it has to be.
#[test]
fn a_slow_upload_that_keeps_the_rate_is_served() {
    alone(async {
        let origin = Origin::fixed(200, &[], "taken").await;
        let limits = "timeouts: { body_idle: 500ms }\nlimits: { upload_rate: 100 }";
        let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
        let mut raw = Raw::h1(&proxy).await;
        raw.write(b"POST /x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 600\r\n\r\n").await;
        for _ in 0..20 {
            raw.write(&[b'x'; 30]).await;
            sleep(Duration::from_millis(100)).await;
        }
        raw.read_until(b"taken").await;
        assert_eq!(origin.last().body.len(), 600);
    });
}

#[test]
fn what_has_no_end_is_cut_off() {
    alone(async {
        let origin = StrictOrigin::start().await;
        let proxy = Proxy::builder().top("timeouts: { body_idle: 2s }").site(HOST, origin.address, "").start();
        let chunked = "POST /x HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (name, start, piece) in [
            ("head", HEAD.to_owned(), "X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"),
            ("field", format!("{HEAD}X: "), "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
            (
                "request line",
                "GET /".to_owned(),
                "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
            ),
            ("method", "G".to_owned(), "GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"),
            ("blank lines", String::new(), "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"),
            (
                "chunk extension",
                format!("{chunked}5;"),
                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            ),
            (
                "chunk extensions",
                chunked.to_owned(),
                "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n",
            ),
            (
                "trailers",
                format!("{chunked}0\r\n"),
                "X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
            ),
            (
                "chunk size",
                chunked.to_owned(),
                "00000000000000000000000000000000000000000000000000000000000000000000000000000",
            ),
        ] {
            let stream = connect(&proxy, HOST, b"http/1.1").await;
            let (mut read, mut write) = tokio::io::split(stream);
            let reader = tokio::spawn(async move {
                let mut answer = Vec::new();
                let _ = read.read_to_end(&mut answer).await;
                String::from_utf8_lossy(&answer).into_owned()
            });
            let mut sent = 0;
            let flood = async {
                let mut alive = write.write_all(start.as_bytes()).await.is_ok();
                while alive && !reader.is_finished() && sent < 64 << 20 {
                    let wave = piece.repeat(200);
                    alive = write.write_all(wave.as_bytes()).await.is_ok() && write.flush().await.is_ok();
                    sent += wave.len();
                }
            };
            timeout(Duration::from_secs(20), flood).await.unwrap_or_else(|_| panic!("{name}"));
            eprintln!("endless {name}: cut off after {} KiB", sent >> 10);
            assert!(sent < 64 << 20, "{name}: {} MiB were taken", sent >> 20);
            let answer = reader.await.unwrap();
            assert!(!answer.contains("HTTP/1.1 2"), "{name}: {answer}");
        }
        assert!(origin.requests("/x").is_empty() && origin.faults().is_empty(), "{:?}", origin.faults());
    });
}

/// A thousand requests in one write, whose answers nobody reads at first: each is answered, one after the other.
#[test]
fn a_pipeline_is_worked_off_one_by_one() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::to(origin.address).await;
        let mut raw = Raw::h1(&proxy).await;
        let last = format!("{HEAD}Connection: close\r\n\r\n");
        raw.write(format!("{}{last}", format!("{HEAD}\r\n").repeat(999)).as_bytes()).await;
        well_behaved(&proxy, 1).await;
        let answers = String::from_utf8(raw.read_to_end().await).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1000);
        assert_eq!(origin.connections(), 2, "theirs and ours");
    });
}

/// Connections that say nothing, half a handshake, half a head, or nothing after their first answer.
#[test]
fn an_idle_herd_is_let_go() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let limits = "timeouts: { handshake: 1s, request_head: 1s, idle: 1s }";
        let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
        let mut silent = Vec::new();
        for n in 0..60 {
            let mut stream = TcpStream::connect(proxy.address).await.unwrap();
            if n % 2 == 0 {
                // The first bytes of a ClientHello.
                stream.write_all(&[22, 3, 1, 2, 0, 1, 0]).await.unwrap();
            }
            silent.push(stream);
        }
        let mut herd = Vec::new();
        for n in 0..60 {
            let mut raw = Raw::h1(&proxy).await;
            match n % 3 {
                0 => {}
                1 => raw.write(b"GET / HTTP/1.1\r\nHost: sh").await,
                _ => {
                    raw.write(format!("{HEAD}\r\n").as_bytes()).await;
                    raw.read_until(b"own").await;
                }
            }
            herd.push(raw);
        }
        well_behaved(&proxy, 2).await;
        let gone = async {
            for mut stream in silent {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            for mut raw in herd {
                raw.read_to_end().await;
            }
        };
        timeout(Duration::from_secs(10), gone).await.expect("the herd is still there");
    });
}

/// A client that shuts its side down after the request.
#[test]
fn a_client_that_closes_its_half_frees_the_origin() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::to(origin.address).await;
        for request in [
            "GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9\r\n\r\nx",
        ] {
            let mut raw = Raw::h1(&proxy).await;
            raw.write(request.as_bytes()).await;
            raw.0.get_mut().0.shutdown().await.unwrap();
            timeout(Duration::from_secs(5), raw.read_to_end()).await.expect("still open");
        }
        well_behaved(&proxy, 1).await;
    });
}
