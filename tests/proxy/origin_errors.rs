//! Origins that are away, slow, broken or hostile.

use http::Method;
use http_body_util::BodyExt;

use crate::support::{Client, HOST, Origin, Proxy, RawOrigin, Step, block_on};

fn short(proxy: &str) -> String {
    format!("timeouts: {{ {proxy} }}")
}

#[test]
fn an_origin_that_refuses_is_502_and_not_named() {
    block_on(async {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let proxy = Proxy::to(free).await;
        for h2 in [false, true] {
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            let reply = client.get("/", &[]).await;
            assert_eq!(reply.status, 502);
            assert!(!reply.text().contains("127.0.0.1") && !reply.text().contains(&free.port().to_string()));
        }
    });
}

#[test]
fn an_origin_that_says_nothing_is_504() {
    block_on(async {
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
        let proxy = Proxy::builder().top(&short("origin_first_byte: 200ms")).site(HOST, origin.address, "").start();
        assert_eq!(Client::h1(&proxy).await.get("/", &[]).await.status, 504);
    });
}

#[test]
fn garbage_is_502() {
    block_on(async {
        for garbage in [
            &b"nonsense\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            b"",
        ] {
            let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(garbage.to_vec()), Step::Close]).await;
            let proxy = Proxy::to(origin.address).await;
            let reply = Client::h1(&proxy).await.get("/", &[]).await;
            assert_eq!(reply.status, 502, "{}", String::from_utf8_lossy(garbage));
        }
    });
}

#[test]
fn an_origin_that_dies_mid_body_is_never_completed() {
    block_on(async {
        let length = "HTTP/1.1 200 OK\r\nContent-Type: TYPE\r\nContent-Length: 100\r\n\r\n<p>only this";
        let chunked = "HTTP/1.1 200 OK\r\nContent-Type: TYPE\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>on\r\n";
        for answer in [length, chunked] {
            for kind in ["text/html", "image/png"] {
                for end in [Step::Close, Step::Reset] {
                    let bytes = answer.replace("TYPE", kind).into_bytes();
                    let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(bytes), end]).await;
                    let proxy = Proxy::to(origin.address).await;
                    for h2 in [false, true] {
                        let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
                        // A reset may arrive before the head was read: then there is no answer to cut off.
                        let Ok(response) = client.start(Method::GET, "/", &[], "").await else { continue };
                        let cut = response.status() == 502 || response.into_body().collect().await.is_err();
                        assert!(cut, "{kind} h2: {h2}");
                    }
                }
            }
        }
    });
}

#[test]
fn a_body_that_pauses_too_long_is_aborted() {
    block_on(async {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(head.to_vec()), Step::Stall]).await;
        let proxy = Proxy::builder().top(&short("body_idle: 200ms")).site(HOST, origin.address, "").start();
        let response = Client::h1(&proxy).await.start(Method::GET, "/", &[], "").await.unwrap();
        assert!(response.into_body().collect().await.is_err());
    });
}

#[test]
fn a_stale_connection_is_tried_again_for_get_but_never_for_post() {
    block_on(async {
        // Answers one request, then closes when the second arrives: the keep-alive race, made certain.
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let steps = vec![Step::ReadHead, Step::Write(answer.to_vec()), Step::ReadHead, Step::Close];
        let origin = RawOrigin::start(steps).await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        assert_eq!(client.get("/1", &[]).await.status, 200);
        assert_eq!(client.get("/2", &[]).await.status, 200, "an idempotent request is sent again");
        assert_eq!(client.send(Method::POST, "/3", &[], "").await.status, 502, "a POST is not");
        let received = String::from_utf8(origin.received()).unwrap();
        assert_eq!(received.matches("GET /2").count(), 2, "{received}");
        assert_eq!(received.matches("POST /3").count(), 1, "{received}");
    });
}

#[test]
fn surplus_bytes_never_become_the_next_answer() {
    block_on(async {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(answer.to_vec()), Step::Stall]).await;
        let proxy = Proxy::to(origin.address).await;
        for _ in 0..5 {
            assert_eq!(Client::h1(&proxy).await.get("/", &[]).await.text(), "ok");
        }
    });
}

#[test]
fn informational_answers_are_not_the_answer() {
    block_on(async {
        let answer = b"HTTP/1.1 103 Early Hints\r\nLink: <https://cdn.adnet.example/a.js>; rel=preload\r\nSet-Cookie: _ga=1\r\n\r\n\
                       HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(answer.to_vec()), Step::Stall]).await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h1(&proxy).await.get("/", &[]).await;
        assert_eq!((reply.status.as_u16(), &*reply.text()), (200, "ok"));
        assert!(reply.set_cookies().is_empty() && reply.header("link").is_none());
    });
}

#[test]
fn an_endless_head_of_the_origin_is_cut_off() {
    block_on(async {
        let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
        for n in 0..40_000 {
            head.extend_from_slice(format!("X-{n}: {}\r\n", "v".repeat(50)).as_bytes());
        }
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(head), Step::Stall]).await;
        let proxy = Proxy::to(origin.address).await;
        assert_eq!(Client::h1(&proxy).await.get("/", &[]).await.status, 502);
    });
}

#[test]
fn trailers_pass_both_ways_but_carry_no_cookie() {
    block_on(async {
        let answer = b"HTTP/1.1 200 OK\r\nTrailer: X-Sum, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n\
                       2\r\nok\r\n0\r\nX-Sum: 7\r\nSet-Cookie: _ga=1\r\n\r\n";
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Write(answer.to_vec()), Step::Stall]).await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h2(&proxy).await.get("/", &[("te", "trailers")]).await;
        let trailers = reply.trailers.as_ref().expect("no trailers");
        assert_eq!(trailers.get("x-sum").map(|v| v.to_str().unwrap()), Some("7"));
        assert!(!trailers.contains_key("set-cookie"));
        assert_eq!(reply.text(), "ok");
    });
}

#[test]
fn the_origin_is_reached_over_tls_with_its_own_authority() {
    block_on(async {
        // A proxy is a TLS server that is at hand: it stands as the origin of another one.
        let shop = Origin::fixed(200, &[], "behind two").await;
        let inner = Proxy::builder().site("localhost", shop.address, "").start();
        let ca = inner.folder.path().join("ca.pem");
        std::fs::write(&ca, inner.authority.pem()).unwrap();
        for http2 in [false, true] {
            let origin = format!("https://localhost:{}", inner.address.port());
            let extra = format!("origin_ca: {}\norigin_http2: {http2}", ca.display());
            let outer = Proxy::builder().site_with("localhost", &origin, crate::support::proxy::POLICY, &extra).start();
            let reply = Client::h2_to(&outer, "localhost").await.get("/", &[]).await;
            assert_eq!((reply.status.as_u16(), &*reply.text()), (200, "behind two"), "http2: {http2}");
            let stranger = Proxy::builder().site_with("localhost", &origin, crate::support::proxy::POLICY, "").start();
            let reply = Client::h2_to(&stranger, "localhost").await.get("/", &[]).await;
            assert_eq!(reply.status, 502, "an origin that nobody vouches for");
        }
    });
}
