//! Compressed pages: decoded, rewritten, coded again as the client accepts.

use std::io::{Read as _, Write as _};

use consentry::proxy::coding::{self, Caps, Coding, Decoder, Encoder, Level};
use http_body_util::BodyExt;

use crate::support::{Client, Origin, Proxy, RawOrigin, Step, block_on, origin::respond};

const PAGE: &str = "<p>tea</p><script src=https://px.adnet.example/a.js></script><p>tins</p>";
const CLEAN: &str = "<p>tea</p><p>tins</p>";

fn encode(coding: &str, text: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            e.write_all(text).unwrap();
            e.finish().unwrap()
        }
        "deflate" => {
            let mut e = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            e.write_all(text).unwrap();
            e.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 5, 20).write_all(text).unwrap();
            out
        }
        "zstd" => zstd::encode_all(text, 3).unwrap(),
        _ => text.to_vec(),
    }
}

fn decode(coding: Option<&str>, bytes: &[u8]) -> String {
    let mut out = Vec::new();
    match coding {
        Some("gzip") => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap()),
        Some("deflate") => drop(flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out).unwrap()),
        Some("br") => drop(brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out).unwrap()),
        Some("zstd") => out = zstd::decode_all(bytes).unwrap(),
        None => out = bytes.to_vec(),
        Some(other) => panic!("coded with {other}"),
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn each_coding_is_read_and_written() {
    block_on(async {
        for coding in ["gzip", "deflate", "br", "zstd", "identity"] {
            let body = encode(coding, PAGE.as_bytes());
            let origin = Origin::start(move |_| {
                let mut answer = respond(200, &[("content-type", "text/html")], body.clone());
                if coding != "identity" {
                    answer.headers_mut().insert("content-encoding", coding.parse().unwrap());
                }
                answer
            })
            .await;
            let proxy = Proxy::to(origin.address).await;
            let accept = if coding == "identity" { "gzip" } else { coding };
            let reply = Client::h2(&proxy).await.navigate("/", &[("accept-encoding", accept)]).await;
            assert_eq!(decode(reply.header("content-encoding"), &reply.body), CLEAN, "{coding}");
            // An origin that ignores what we asked for must not hand the client what it cannot read.
            let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
            assert_eq!(decode(reply.header("content-encoding"), &reply.body), CLEAN, "{coding}");
            assert_eq!(reply.header("content-encoding"), None, "{coding}: the client accepts no coding");
            // What is coded anew leaves in what costs least; what came as it is leaves as it is.
            let all = [("accept-encoding", "gzip, deflate, br, zstd")];
            let reply = Client::h1(&proxy).await.navigate("/", &all).await;
            assert_eq!(decode(reply.header("content-encoding"), &reply.body), CLEAN, "{coding}");
            assert_eq!(reply.header("content-encoding"), (coding != "identity").then_some("zstd"), "{coding}");
        }
    });
}

#[test]
fn the_origin_is_asked_for_codings_that_can_be_read() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html")], PAGE).await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        for (sent, asked) in [
            ("gzip, deflate, br, zstd", &["gzip", "deflate", "br", "zstd"][..]),
            ("gzip;q=0, br;q=0.5, sdch, dcb", &["br"]),
            ("compress", &["identity"]),
        ] {
            client.navigate("/", &[("accept-encoding", sent)]).await;
            let last = origin.last();
            let field = last.header("accept-encoding").unwrap_or("identity");
            let codings: Vec<&str> = field.split(',').map(|c| c.split(';').next().unwrap().trim()).collect();
            assert!(asked.iter().all(|c| codings.contains(c)), "{sent}: {field}");
            assert!(!field.contains("sdch") && !field.contains("dcb") && !field.contains("compress"), "{field}");
        }
    });
}

#[test]
fn html_in_an_unknown_coding_is_refused_not_passed_unread() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html"), ("content-encoding", "sdch")], "secret").await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
        assert_eq!(reply.status, 502);
        assert!(!reply.text().contains("secret"));
    });
}

#[test]
fn a_compressed_page_streams_chunk_by_chunk() {
    const CODINGS: [(&str, Coding); 4] =
        [("gzip", Coding::Gzip), ("deflate", Coding::Deflate), ("br", Coding::Brotli), ("zstd", Coding::Zstd)];
    block_on(async {
        for (name, coding) in CODINGS {
            let (mut encoder, mut parts) = (Encoder::new(coding, Level::Fast).unwrap(), [Vec::new(), Vec::new()]);
            encoder.write(b"<h1>Tea</h1><script>", &mut parts[0]).unwrap();
            encoder.flush(&mut parts[0]).unwrap();
            encoder.write(b"counter('init')</script><p>end", &mut parts[1]).unwrap();
            encoder.end(&mut parts[1]).unwrap();
            let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {name}\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            let origin = RawOrigin::start(vec![
                Step::ReadHead,
                Step::Write([head.as_bytes(), &chunk(&parts[0])].concat()),
                Step::Wait,
                Step::Write([&chunk(&parts[1])[..], b"0\r\n\r\n"].concat()),
                Step::Stall,
            ])
            .await;
            let proxy = Proxy::to(origin.address).await;
            let mut client = Client::h2(&proxy).await;
            let headers = [("accept", "text/html"), ("accept-encoding", name)];
            let response = client.start(http::Method::GET, "/", &headers, "").await.unwrap();
            assert_eq!(response.headers()["content-encoding"], name);
            let mut body = response.into_body();
            let mut decoder = Decoder::new(&[coding], Caps { bytes: 1 << 20, ratio: 1000 });
            let mut read = |coded: &[u8], text: &mut Vec<u8>| {
                let mut take = |piece: &[u8]| {
                    text.extend_from_slice(piece);
                    Ok::<_, coding::Error>(())
                };
                decoder.write(coded, &mut take).unwrap();
            };
            let mut text = Vec::new();
            while text != b"<h1>Tea</h1><script>" {
                let frame = body.frame().await.expect("the page ended").unwrap();
                read(frame.data_ref().unwrap(), &mut text);
            }
            origin.go();
            read(&body.collect().await.unwrap().to_bytes(), &mut text);
            decoder.end().unwrap();
            assert_eq!(String::from_utf8_lossy(&text), "<h1>Tea</h1><script></script><p>end", "{name}");
        }
    });
}

#[test]
fn a_decompression_bomb_is_aborted() {
    block_on(async {
        let zeros = vec![b' '; 8 << 20];
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        bomb.write_all(&zeros).unwrap();
        let bomb = bomb.finish().unwrap();
        let origin = Origin::start(move |_| {
            respond(200, &[("content-type", "text/html"), ("content-encoding", "gzip")], bomb.clone())
        })
        .await;
        let proxy = Proxy::builder()
            .top("limits: { decompressed: 1 MiB }")
            .site(crate::support::HOST, origin.address, "")
            .start();
        assert!(is_cut_off(Client::h1(&proxy).await).await);
        assert_eq!(Client::h1(&proxy).await.get("/_consent/", &[]).await.status, 200, "the others are served");
    });
}

#[test]
fn a_truncated_or_corrupt_coding_is_aborted() {
    block_on(async {
        let whole = encode("gzip", PAGE.repeat(100).as_bytes());
        for body in [whole[..whole.len() / 2].to_vec(), [&whole[..20], &[0xff; 40][..]].concat()] {
            let origin = Origin::start(move |_| {
                respond(200, &[("content-type", "text/html"), ("content-encoding", "gzip")], body.clone())
            })
            .await;
            let proxy = Proxy::to(origin.address).await;
            assert!(is_cut_off(Client::h2(&proxy).await).await);
        }
    });
}

/// Whether the client can tell that the page is not whole: the transfer, or the connection, breaks.
async fn is_cut_off(mut client: Client) -> bool {
    match client.start(http::Method::GET, "/", &[], "").await {
        Ok(response) => response.into_body().collect().await.is_err(),
        Err(_) => true,
    }
}
