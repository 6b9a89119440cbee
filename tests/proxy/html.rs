//! Pages: what is refused never reaches the browser, and what is sent is not held back.

use http_body_util::BodyExt;

use crate::support::{Client, HOST, Origin, Proxy, RawOrigin, Step, block_on};

const PAGE: &str = "<!doctype html><head><title>Shop</title>\n\
<link rel=preconnect href=//cdn.adnet.example>\
<script>counter('init')</script><script>first('party')</script>\n\
<script async src=\"https://js.counter.example/c.js\"></script></head>\n\
<body><p>Tea &amp; tins</p><img src='/tin.png'>\
<noscript><img src=https://px.adnet.example/p.gif></noscript>\
<img src=\"https&#58;//px.adnet.example/1x1.gif\"></body>\n";

const COUNTER: [&str; 2] = ["js.counter.example", "counter('init')"];
const ADNET: [&str; 3] = ["cdn.adnet.example", "px.adnet.example/p.gif", "1x1.gif"];
const OWN: [&str; 4] = ["<title>Shop</title>", "first('party')", "<p>Tea &amp; tins</p>", "<img src='/tin.png'>"];

#[test]
fn a_page_holds_exactly_what_is_granted() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html; charset=utf-8")], PAGE).await;
        let proxy = Proxy::to(origin.address).await;
        for h2 in [false, true] {
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            for (form, counter, adnet) in [
                (None, false, false),
                (Some("decision=reject-all"), false, false),
                (Some("decision=save&category=analytics&service=counter"), true, false),
                (Some("decision=save&service=adnet"), false, true),
                (Some("decision=accept-all"), true, true),
            ] {
                let mut headers = Vec::new();
                let choice;
                if let Some(form) = form {
                    choice = client.choose(form).await;
                    headers.push(("cookie", &*choice));
                }
                let text = client.navigate("/", &headers).await.text();
                for (parts, expected) in [(&COUNTER[..], counter), (&ADNET[..], adnet), (&OWN[..], true)] {
                    for part in parts {
                        assert_eq!(text.contains(part), expected, "{form:?}: {part} in\n{text}");
                    }
                }
                if counter && adnet {
                    assert_eq!(text, PAGE);
                }
            }
        }
    });
}

#[test]
fn a_page_without_content_type_is_sniffed() {
    block_on(async {
        let origin = Origin::fixed(200, &[], PAGE).await;
        let proxy = Proxy::to(origin.address).await;
        let text = Client::h1(&proxy).await.navigate("/", &[]).await.text();
        assert!(text.contains("Tea") && !text.contains("adnet"), "{text}");
    });
}

#[test]
fn a_slow_page_shows_its_head_at_once_and_is_not_held_back() {
    block_on(async {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len()).into_bytes();
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Write(head.to_vec()),
            Step::Write(chunk("<head><title>Shop</title></head><body><h1>Tea</h1>")),
            Step::Wait,
            Step::Write(chunk("<script src=//px.adnet.example/a.js></script><p>end")),
            Step::Write(b"0\r\n\r\n".to_vec()),
            Step::Stall,
        ])
        .await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let response = client.start(http::Method::GET, "/", &[("accept", "text/html")], "").await.unwrap();
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&first[..], b"<head><title>Shop</title></head><body><h1>Tea</h1>");
        origin.go();
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(&rest[..], b"<p>end");
    });
}

#[test]
fn a_tag_cut_at_every_byte_is_still_found() {
    block_on(async {
        let page = "<p>a<script src=https://px.adnet.example/a.js>x</script>b<img src=/own.png>";
        for cut in 1..page.len() {
            let (one, two) = page.split_at(cut);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", page.len());
            let origin = RawOrigin::start(vec![
                Step::ReadHead,
                Step::Write([head.as_bytes(), one.as_bytes()].concat()),
                Step::Wait,
                Step::Write(two.as_bytes().to_vec()),
                Step::Stall,
            ])
            .await;
            let proxy = Proxy::to(origin.address).await;
            let mut client = Client::h1(&proxy).await;
            let response = client.start(http::Method::GET, "/", &[], "").await.unwrap();
            origin.go();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(std::str::from_utf8(&body).unwrap(), "<p>ab<img src=/own.png>", "cut at {cut}");
        }
    });
}

#[test]
fn a_page_that_trips_the_memory_limit_is_aborted_or_passed_as_configured() {
    block_on(async {
        let huge = format!("<p>before</p><img alt=\"{}\"><p>after</p>", "x".repeat(3 << 20));
        let origin = Origin::fixed(200, &[("content-type", "text/html")], &huge).await;
        for (extra, passes) in [("", false), ("on_rewrite_error: pass", true)] {
            let proxy =
                Proxy::builder().top("limits: { html_memory: 1 MiB }").site(HOST, origin.address, extra).start();
            for h2 in [false, true] {
                let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
                let response = client.start(http::Method::GET, "/", &[], "").await.unwrap();
                let whole = response.into_body().collect().await;
                assert_eq!(whole.is_ok(), passes, "a cut page must look cut; h2: {h2}");
                if let Ok(whole) = whole {
                    assert_eq!(whole.to_bytes(), huge.as_bytes());
                }
            }
        }
    });
}
