//! Pages: what is refused never reaches the browser, and what is sent is not held back.

use http_body_util::BodyExt;

use crate::support::origin::respond;
use crate::support::proxy::POLICY;
use crate::support::{Client, HOST, Origin, Proxy, Raw, RawOrigin, Step, block_on};

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
fn a_page_that_says_its_type_oddly_is_a_page() {
    block_on(async {
        for kinds in [
            &["text/html, text/html"][..],
            &["text/plain", "text/html"],
            &["text/html", "*/*"],
            &["text/html charset=utf-8"],
            &["text /html"],
        ] {
            let headers: Vec<_> = kinds.iter().map(|kind| ("content-type", *kind)).collect();
            let origin = Origin::fixed(200, &headers, PAGE).await;
            let proxy = Proxy::to(origin.address).await;
            let text = Client::h1(&proxy).await.navigate("/", &[]).await.text();
            assert!(text.contains("Tea") && !text.contains("adnet"), "{kinds:?}: {text}");
        }
    });
}

/// Read by the first line alone it would be UTF-8, in which nothing stands.
#[test]
fn a_charset_on_a_second_line_counts() {
    block_on(async {
        let page = "<p>tea<script src=https://px.adnet.example/a.js></script>";
        let bytes: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let origin = Origin::start(move |_| {
            let lines = [("content-type", "text/html"), ("content-type", "text/html; charset=utf-16le")];
            respond(200, &lines, bytes.clone())
        })
        .await;
        let proxy = Proxy::to(origin.address).await;
        let reply = Client::h1(&proxy).await.navigate("/", &[]).await;
        let text = reply.text().replace('\0', "");
        assert!(text.contains("tea") && !text.contains("adnet"), "{text}");
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

/// Pages at a limit of the rewriter, and beyond it.
fn at_and_beyond() -> Vec<(&'static str, String, String)> {
    let tag = |length| format!("<h1>Tea</h1><img alt=\"{}\"><p>after</p>", "x".repeat(length));
    let sheet = |length| format!("<h1>Tea</h1><style>a{{b:url(/{})}}</style><p>after</p>", "x".repeat(length));
    let documents = |depth| {
        let inner = (0..depth).fold("<p>x".to_owned(), |inner, _| {
            let inner = inner.replace('&', "&amp;").replace('"', "&quot;");
            format!("<iframe srcdoc=\"{inner}\"></iframe>")
        });
        format!("<h1>Tea</h1>{inner}<p>after</p>")
    };
    vec![
        ("a tag", tag(31 << 10), tag(1 << 20)),
        ("a URL in a style sheet", sheet(63 << 10), sheet(1 << 20)),
        ("documents in one another", documents(8), documents(9)),
    ]
}

#[test]
fn a_page_that_trips_a_limit_is_aborted_or_passed_as_configured() {
    block_on(async {
        let pages: Vec<_> = at_and_beyond()
            .into_iter()
            .flat_map(|(what, at, beyond)| [(what, at, false), (what, beyond, true)])
            .collect();
        let answers = pages.clone();
        let origin = Origin::start(move |request| {
            let number: usize = request.target[1..].parse().unwrap();
            respond(200, &[("content-type", "text/html")], answers[number].1.clone())
        })
        .await;
        for (extra, passes) in [("", false), ("on_rewrite_error: pass", true)] {
            let proxy = Proxy::builder()
                .top("limits: { html_memory: 64 KiB }\nadmin: { listen: 127.0.0.1:0 }")
                .site_with(HOST, &format!("http://{}", origin.address), &format!("{POLICY}styles: true\n"), extra)
                .start();
            for (number, (what, page, trips)) in pages.iter().enumerate() {
                let complete = passes || !trips;
                for h2 in [false, true] {
                    let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
                    let whole = match client.start(http::Method::GET, &format!("/{number}"), &[], "").await {
                        Ok(response) => response.into_body().collect().await,
                        // What breaks off with its first piece may take the head with it.
                        Err(error) => Err(error),
                    };
                    assert_eq!(whole.is_ok(), complete, "a cut page must look cut: {what}, h2: {h2}");
                    if let Ok(whole) = whole {
                        assert_eq!(whole.to_bytes(), page.as_bytes(), "{what}");
                    }
                }
                // The same in bytes: what is cut has no last chunk.
                let mut raw = Raw::h1(&proxy).await;
                let request = format!("GET /{number} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
                raw.write(request.as_bytes()).await;
                let answer = raw.read_to_end().await;
                assert_eq!(answer.ends_with(b"\r\n0\r\n\r\n"), complete, "{what}");
            }
            // Three pages, each asked for three times.
            let (name, other) = match passes {
                true => ("pages_unfiltered", "bodies_aborted"),
                false => ("bodies_aborted", "pages_unfiltered"),
            };
            let line = |name: &str, count: u32| format!("consentry_{name}_total{{site=\"{HOST}\"}} {count}");
            let mut metrics = String::new();
            // The last exchange may end a moment after its client has read all of it.
            for _ in 0..1000 {
                metrics = crate::admin::text(&proxy, "/metrics").await;
                if metrics.lines().any(|known| known == line(name, 9)) {
                    break;
                }
            }
            for wanted in [line(name, 9), line(other, 0)] {
                assert!(metrics.lines().any(|known| known == wanted), "no {wanted} in\n{metrics}");
            }
        }
    });
}
