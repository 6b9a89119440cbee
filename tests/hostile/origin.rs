//! Origins that are broken or taken over: their answers cost no more than buffers.

use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use std::io::Write as _;

use super::{alone, resident, well_behaved};
use crate::support::client::collect;
use crate::support::origin::respond;
use crate::support::{Client, HOST, Origin, Proxy, RawOrigin, Step};

/// Whether the answer came whole.
async fn whole(proxy: &Proxy, h2: bool) -> Option<usize> {
    let mut client = if h2 { Client::h2(proxy).await } else { Client::h1(proxy).await };
    let response = client.start(Method::GET, "/", &[("accept-encoding", "gzip, br, zstd, deflate")], "").await.ok()?;
    let status = response.status();
    let reply = collect(response).await.ok()?;
    (status == 200).then_some(reply.body.len())
}

#[test]
fn answers_without_end_are_cut_off() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n";
    alone(async {
        let before = resident();
        for (name, start, piece) in [
            ("fields", "HTTP/1.1 200 OK\r\n", "X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"),
            ("one field", "HTTP/1.1 200 OK\r\nX: ", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
            ("status line", "HTTP/1.1 200 O", "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK"),
            ("interim answers", "", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"),
            // Digits that add nothing are no progress: `body_idle` ends them, and each 64 KiB others have their turn.
            ("chunk size", CHUNKED, "00000000000000000000000000000000000000000000000000000000"),
            ("chunk extension", CHUNKED, "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n"),
            (
                "trailers",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                "X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
            ),
        ] {
            let steps = vec![Step::ReadHead, Step::Write(start.into()), Step::Flood(piece.repeat(500).into_bytes())];
            let origin = RawOrigin::start(steps).await;
            let limits = "timeouts: { origin_first_byte: 1s, body_idle: 1s }";
            let proxy = Proxy::builder().top(limits).site(HOST, origin.address, "").start();
            assert_eq!(whole(&proxy, name.contains(' ')).await, None, "{name}");
        }
        assert!(resident() < before + 150, "{} MiB more", resident() - before);
    });
}

#[test]
fn bombs_are_not_unpacked() {
    // 16 MiB of `a`, coded once: 16 KB. Twice: a few hundred bytes.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..16 {
        gzip.write_all(&vec![b'a'; 1 << 20]).unwrap();
    }
    let once = gzip.finish().unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&once).unwrap();
    let twice = gzip.finish().unwrap();
    alone(async {
        let bodies = [("gzip", once), ("gzip, gzip", twice)];
        let before = resident();
        for (coding, body) in bodies {
            let origin = Origin::start(move |seen| match &*seen.target {
                "/own" => respond(200, &[], "own"),
                _ => respond(200, &[("content-type", "text/html"), ("content-encoding", coding)], body.clone()),
            })
            .await;
            let proxy = Proxy::builder().top("limits: { decompressed: 4 MiB }").site(HOST, origin.address, "").start();
            let attack = async {
                for n in 0..2 {
                    assert_eq!(whole(&proxy, n % 2 == 0).await, None, "{coding}");
                }
            };
            tokio::join!(attack, well_behaved(&proxy, 3));
        }
        assert!(resident() < before + 100, "{} MiB more", resident() - before);
    });
}

/// A page or a download that never ends streams on, in no more memory than buffers, until its reader goes.
#[test]
fn a_body_that_never_ends_is_passed_on_and_never_collected() {
    alone(async {
        for (kind, enough) in [("text/html", 4 << 20), ("image/png", 64 << 20)] {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n<!doctype html><p>");
            let steps = vec![Step::ReadHead, Step::Write(head.into_bytes()), Step::Flood(b"<b>more</b> ".repeat(5000))];
            let mut origin = RawOrigin::start(steps).await;
            let proxy = Proxy::to(origin.address).await;
            let mut client = Client::h2(&proxy).await;
            let mut response = client.start(Method::GET, "/", &[], "").await.unwrap();
            let before = resident();
            let mut seen = 0;
            while seen < enough {
                let frame = http_body_util::BodyExt::frame(response.body_mut()).await.unwrap().unwrap();
                seen += frame.data_ref().map_or(0, bytes::Bytes::len);
            }
            assert!(resident() < before + 60, "{kind}: {} MiB more", resident() - before);
            drop(response);
            tokio::time::timeout(Duration::from_secs(5), origin.closed())
                .await
                .expect("the origin writes on for nobody");
        }
    });
}
