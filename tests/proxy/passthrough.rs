//! Nothing is touched that need not be: what the origin sends arrives as it left.

use std::io::Write as _;

use http::Method;

use crate::support::{Client, HOST, Origin, Proxy, block_on, origin::respond};

/// Odd but legal values: order within a name, spaces inside, 8-bit bytes.
const HEADERS: [(&str, &str); 9] = [
    ("content-type", "application/octet-stream"),
    ("x-a", "1,  2;q=\"\\\"\""),
    ("x-a", "second"),
    ("x-latin", "caf\u{e9}"),
    ("etag", "\"strong\""),
    ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("cache-control", "public, max-age=60"),
    ("accept-ranges", "bytes"),
    ("set-cookie", "cart=1"),
];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_response_without_a_rule_arrives_as_it_left() {
    block_on(async {
        let body = gzip(b"<script src='https://cdn.adnet.example/a.js'></script>");
        let sent = body.clone();
        let origin = Origin::start(move |_| {
            let mut answer = respond(200, &HEADERS, sent.clone());
            answer.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
            answer
        })
        .await;
        let proxy = Proxy::to(origin.address).await;
        for h2 in [false, true] {
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            let reply = client.get("/a.bin", &[]).await;
            assert_eq!(reply.body, body, "not HTML: not even decoded");
            let mut expected: Vec<(String, Vec<u8>)> =
                HEADERS.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
            expected.push(("content-encoding".into(), b"gzip".to_vec()));
            expected.push(("content-length".into(), body.len().to_string().into_bytes()));
            let mut got: Vec<(String, Vec<u8>)> =
                reply.headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
            got.retain(|(n, _)| n != "date");
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            got.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(got, expected, "h2: {h2}");
        }
    });
}

#[test]
fn mode_off_leaves_a_page_of_trackers_alone() {
    block_on(async {
        let page = gzip(b"<script src=https://cdn.adnet.example/a.js></script>");
        let sent = page.clone();
        let origin = Origin::start(move |_| {
            let headers = [
                ("content-type", "text/html"),
                ("content-encoding", "gzip"),
                ("etag", "\"e\""),
                ("set-cookie", "_ga=1"),
                ("set-cookie", "SHOPSID=1"),
            ];
            respond(200, &headers, sent.clone())
        })
        .await;
        let proxy = Proxy::builder().site(HOST, origin.address, "mode: off").start();
        let reply = Client::h1(&proxy).await.navigate("/", &[("cookie", "_ga=1"), ("accept-encoding", "gzip")]).await;
        assert_eq!(reply.body, page);
        assert_eq!(reply.header("etag"), Some("\"e\""));
        assert_eq!(reply.set_cookies(), ["_ga=1", "SHOPSID=1"]);
        assert_eq!(reply.header("vary"), None);
        assert_eq!(origin.last().header("cookie"), Some("_ga=1"));
    });
}

#[test]
fn a_granted_page_keeps_its_coded_bytes() {
    block_on(async {
        let page = gzip(b"<script src=https://cdn.adnet.example/a.js></script>");
        let sent = page.clone();
        let origin = Origin::start(move |_| {
            respond(200, &[("content-type", "text/html"), ("content-encoding", "gzip")], sent.clone())
        })
        .await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let choice = client.choose("decision=accept-all").await;
        let reply = client.navigate("/", &[("cookie", &choice), ("accept-encoding", "gzip")]).await;
        assert_eq!(reply.body, page, "nothing can be blocked: not even decoded");
        assert_eq!(reply.header("content-length"), Some(&*page.len().to_string()));
    });
}

#[test]
fn bodies_and_methods_reach_the_origin_as_they_are() {
    block_on(async {
        let origin = Origin::start(|seen| respond(200, &[], seen.body.clone())).await;
        let proxy = Proxy::to(origin.address).await;
        let body = "x".repeat(300_000);
        for h2 in [false, true] {
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let reply = client.send(method.clone(), "/p%61th?q=%20&&x", &[], &body).await;
                assert_eq!(reply.text(), body);
                let seen = origin.last();
                assert_eq!((seen.method, &*seen.target), (method, "/p%61th?q=%20&&x"));
            }
        }
        assert_eq!(origin.connections(), 1, "the origin's connection is used again");
    });
}
