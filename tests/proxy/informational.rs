//! Informational answers of the origin (RFC 9110 §15.2): they arrive ahead of the answer, and under the same consent.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::{Request, Response};
use tokio::time::timeout;

use crate::support::client::{Raw, connect};
use crate::support::origin::{RawOrigin, Step};
use crate::support::{HOST, Origin, Proxy, block_on};

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\n\
    Link: </style.css>; rel=preload; as=style, <https://cdn.adnet.example/a.js>; rel=preload; as=script\r\n\
    Set-Cookie: _ga=GA1.1; Path=/\r\n\
    Set-Cookie: SHOPSID=1; Path=/\r\n\
    Content-Length: 5\r\n\
    Connection: x-hop\r\n\
    X-Hop: 1\r\n\
    X-Kept: 1\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\ndone";

/// What of [`HINTS`] a visitor gets who has granted nothing.
const FILTERED: [(&str, &str); 4] = [
    ("cache-control", "private"),
    ("link", "</style.css>; rel=preload; as=style"),
    ("set-cookie", "SHOPSID=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
    ("x-kept", "1"),
];

fn write(text: impl AsRef<[u8]>) -> Step {
    Step::Write(text.as_ref().to_vec())
}

fn get(version: &str) -> String {
    format!("GET / HTTP/{version}\r\nHost: {HOST}\r\n\r\n")
}

/// The statuses in what a client of HTTP/1.1 has read.
fn statuses(text: &str) -> Vec<&str> {
    text.split("HTTP/1.").skip(1).map(|head| &head[2..5]).collect()
}

async fn h2(proxy: &Proxy) -> SendRequest<Bytes> {
    let (sender, connection) = h2::client::handshake(connect(proxy, HOST, b"h2").await).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn ask(sender: &mut SendRequest<Bytes>) -> ResponseFuture {
    sender.send_request(Request::get(format!("https://{HOST}/")).body(()).unwrap(), true).unwrap().0
}

async fn informational(response: &mut ResponseFuture) -> Option<Response<()>> {
    std::future::poll_fn(|cx| response.poll_informational(cx)).await.map(Result::unwrap)
}

#[test]
fn hints_arrive_ahead_of_the_answer_and_filtered() {
    block_on(async {
        let steps = [Step::ReadHead, write(HINTS), Step::Wait, write(ANSWER)];
        let origin = RawOrigin::start(vec![steps; 2].concat()).await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Raw::h1(&proxy).await;
        for _ in 0..2 {
            client.write(get("1.1").as_bytes()).await;
            let head = client.read_until(b"\r\n\r\n").await;
            let head = String::from_utf8(head).unwrap();
            let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
            assert_eq!(lines.remove(0), "HTTP/1.1 103 Early Hints");
            lines.sort_unstable();
            assert_eq!(lines, FILTERED.map(|(name, value)| format!("{name}: {value}")));
            // The origin has not said more yet.
            origin.go();
            let answer = String::from_utf8(client.read_until(b"done").await).unwrap();
            assert_eq!(statuses(&answer), ["200"]);
        }
        let mut client = h2(&proxy).await;
        let mut response = ask(&mut client);
        let hints = informational(&mut response).await.unwrap();
        assert_eq!(hints.status(), 103);
        let mut fields: Vec<_> = hints.headers().iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        fields.sort_unstable();
        assert_eq!(fields, FILTERED);
        origin.go();
        assert_eq!(response.await.unwrap().status(), 200);
    });
}

#[test]
fn what_comes_at_once_keeps_its_order() {
    block_on(async {
        let processing = "HTTP/1.1 102 Processing\r\n\r\n";
        let answers = [processing, HINTS, ANSWER].concat();
        let origin = RawOrigin::start(vec![[Step::ReadHead, write(answers)]; 3].concat()).await;
        let proxy = Proxy::builder().site(HOST, origin.address, "mode: off").start();
        let mut client = Raw::h1(&proxy).await;
        // The second request waits while the first is answered.
        client.write(get("1.1").repeat(2).as_bytes()).await;
        let mut seen = String::new();
        while seen.matches("done").count() < 2 {
            seen.push_str(&String::from_utf8(client.read_until(b"done").await).unwrap());
        }
        assert_eq!(statuses(&seen), ["102", "103", "200", "102", "103", "200"], "{seen}");
        assert!(seen.contains("adnet") && seen.contains("_ga=") && !seen.to_lowercase().contains("x-hop"), "{seen}");
        let mut client = h2(&proxy).await;
        let mut response = ask(&mut client);
        for status in [102, 103] {
            assert_eq!(informational(&mut response).await.unwrap().status(), status);
        }
        assert_eq!(response.await.unwrap().status(), 200);
    });
}

#[test]
fn clients_that_know_of_none_and_answers_to_ourselves_get_none() {
    block_on(async {
        let answers = ["HTTP/1.1 100 Continue\r\n\r\n", HINTS, ANSWER].concat();
        let origin = RawOrigin::start(vec![[Step::ReadHead, write(answers)]; 2].concat()).await;
        let proxy = Proxy::to(origin.address).await;
        let mut old = Raw::h1(&proxy).await;
        old.write(get("1.0").as_bytes()).await;
        assert_eq!(statuses(&String::from_utf8(old.read_to_end().await).unwrap()), ["200"]);
        let mut client = Raw::h1(&proxy).await;
        client.write(get("1.1").as_bytes()).await;
        let seen = String::from_utf8(client.read_until(b"done").await).unwrap();
        assert_eq!(statuses(&seen), ["103", "200"], "nobody asked for 100");
    });
}

/// Those beyond a few are dropped, and the answer arrives all the same.
#[test]
fn a_flood_of_hints_is_cut_short() {
    block_on(async {
        let flood = "HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n".repeat(500);
        let origin = RawOrigin::start(vec![[Step::ReadHead, write(flood + ANSWER)]; 2].concat()).await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Raw::h1(&proxy).await;
        client.write(get("1.1").as_bytes()).await;
        let seen = String::from_utf8(client.read_until(b"done").await).unwrap();
        assert_eq!(statuses(&seen).len(), 9, "{seen}");
        let mut client = h2(&proxy).await;
        let mut response = ask(&mut client);
        let mut hints = 0;
        while informational(&mut response).await.is_some() {
            hints += 1;
        }
        assert_eq!((hints, response.await.unwrap().status().as_u16()), (8, 200));
    });
}

/// What does not say its type is looked at before its head leaves, and the hints must not be lost over that.
#[test]
fn hints_leave_ahead_of_a_page_that_comes_with_them() {
    block_on(async {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n";
        let steps = [Step::ReadHead, write([HINTS, head].concat()), Step::Wait, write("<title>x</title")];
        let origin = RawOrigin::start(vec![steps; 2].concat()).await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Raw::h1(&proxy).await;
        for _ in 0..2 {
            client.write(get("1.1").as_bytes()).await;
            let hints = String::from_utf8(client.read_until(b"\r\n\r\n").await).unwrap();
            assert_eq!(statuses(&hints), ["103"]);
            origin.go();
            let page = String::from_utf8(client.read_until(b"\r\n0\r\n\r\n").await).unwrap();
            assert_eq!(statuses(&page), ["200"]);
        }
    });
}

/// Who waits to be asked for an upload is asked once it is wanted, and not where it is refused (RFC 9110 §10.1.1).
#[test]
fn an_upload_is_asked_for_over_http2() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "taken").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = h2(&proxy).await;
        let post = |host: &str| {
            let request = Request::post(format!("https://{host}/upload")).header("expect", "100-continue");
            request.body(()).unwrap()
        };
        let (mut response, mut upload) = client.send_request(post(HOST), false).unwrap();
        assert_eq!(informational(&mut response).await.unwrap().status(), 100);
        upload.send_data(Bytes::from_static(b"whole"), true).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
        let seen = origin.last();
        assert_eq!((&seen.body[..], seen.header("expect")), (&b"whole"[..], None));
        let (mut response, _upload) = client.send_request(post("nobody.example"), false).unwrap();
        assert!(informational(&mut response).await.is_none());
        assert_eq!(response.await.unwrap().status(), 421);
    });
}

/// An upload that its client takes back must not look whole to the origin, whatever the client calls it.
#[test]
fn half_an_upload_is_none() {
    block_on(async {
        for reason in [h2::Reason::CANCEL, h2::Reason::NO_ERROR] {
            let mut origin = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
            let proxy = Proxy::to(origin.address).await;
            let mut client = h2(&proxy).await;
            let request = Request::post(format!("https://{HOST}/upload")).body(()).unwrap();
            let (response, mut upload) = client.send_request(request, false).unwrap();
            upload.send_data(Bytes::from_static(b"half"), false).unwrap();
            origin.asked().await;
            upload.send_reset(reason);
            drop(response);
            timeout(Duration::from_secs(10), origin.closed()).await.expect("the origin is told");
            let received = String::from_utf8(origin.received()).unwrap();
            assert!(received.starts_with("POST /upload") && !received.ends_with("0\r\n\r\n"), "{received}");
        }
    });
}
