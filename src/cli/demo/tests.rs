//! The shop over real TCP, with hyper's client and raw sockets.

use std::io::Read as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

struct Running {
    addr: SocketAddr,
    shop: JoinHandle<()>,
    stop: DropGuard,
}

impl Running {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        Self { addr, shop: tokio::spawn(super::serve(listener, stop.clone())), stop: stop.drop_guard() }
    }

    async fn client(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (client, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn send(&self, request: http::request::Builder, body: &'static str) -> Response<Incoming> {
        let request = request.header(header::HOST, "shop.test").body(Full::from(body)).unwrap();
        self.client().await.send_request(request).await.unwrap()
    }

    async fn fetch(&self, path: &str) -> Response<Incoming> {
        self.send(Request::get(path), "").await
    }

    /// Stops the shop and waits for it; a panic in it fails the test.
    async fn stop(self) {
        drop(self.stop);
        self.shop.await.unwrap();
    }
}

fn cookies<B>(response: &Response<B>) -> Vec<&str> {
    response.headers().get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect()
}

fn cookie<B>(response: &Response<B>, name: &str) -> String {
    let prefix = format!("{name}=");
    let line = cookies(response).into_iter().find(|line| line.starts_with(&prefix)).unwrap();
    line.split(';').next().unwrap().to_owned()
}

async fn bytes(response: Response<Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(bytes(response).await.to_vec()).unwrap()
}

#[tokio::test]
async fn each_first_cookie_is_a_line_of_its_own() {
    let shop = Running::start().await;
    for path in ["/", "/api/cart", "/badge.png", "/redirect", "/broken", "/nothing-here", "/download", "/login"] {
        let response = shop.fetch(path).await;
        let lines = cookies(&response);
        let names: Vec<_> = lines.iter().map(|line| line.split('=').next().unwrap()).collect();
        assert_eq!(names, ["PHPSESSID", "XSRF-TOKEN", "_ga", "_fbp", "partner_ref"], "{path}");
        assert!(lines[0].ends_with("; path=/") && !lines[0].contains("HttpOnly"), "{}", lines[0]);
        assert!(lines[2].ends_with("; Max-Age=63072000; Path=/"), "{}", lines[2]);
        assert!(lines[3].contains("; Expires=") && lines[3].ends_with(" GMT"), "{}", lines[3]);
    }
    assert!(cookies(&shop.fetch("/assets/shop.css").await).is_empty());
    shop.stop().await;
}

#[tokio::test]
async fn a_visitor_who_has_all_cookies_gets_none_again() {
    let shop = Running::start().await;
    let first = shop.fetch("/").await;
    let jar: Vec<_> = cookies(&first).iter().map(|line| line.split(';').next().unwrap()).collect();
    let again = shop.send(Request::get("/").header(header::COOKIE, jar.join("; ")), "").await;
    assert!(cookies(&again).is_empty(), "{:?}", cookies(&again));
    shop.stop().await;
}

#[tokio::test]
async fn the_page_holds_every_tracker_that_the_demo_speaks_of() {
    let shop = Running::start().await;
    let page = text(shop.fetch("/").await).await;
    for tracker in [
        "googletagmanager.com/gtm.js",
        "googletagmanager.com/ns.html",
        "googletagmanager.com/gtag/js",
        "gtag('config'",
        "fbq('init'",
        "facebook.com/tr?",
        "static.hotjar.com",
        "snap.licdn.com",
        "px.ads.linkedin.com",
        "widget.intercom.io",
        "rel=\"preconnect\"",
        "rel=\"dns-prefetch\"",
    ] {
        assert!(page.contains(tracker), "{tracker}");
    }
    assert!(page.contains("window.shop = {"));
    assert!(text(shop.fetch("/video").await).await.contains("https://www.youtube.com/embed/"));
    shop.stop().await;
}

#[tokio::test]
async fn slow_page_shows_its_head_before_the_rest_exists() {
    let shop = Running::start().await;
    let mut body = shop.fetch("/slow").await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = std::str::from_utf8(&first).unwrap();
    assert!(first.contains("</head>") && first.contains("<h1>") && !first.contains("</html>"), "{first}");
    // Nothing more is there now, and yet it comes.
    assert!(tokio::time::timeout(Duration::ZERO, body.frame()).await.is_err());
    let rest = body.collect().await.unwrap().to_bytes();
    assert!(std::str::from_utf8(&rest).unwrap().ends_with("</html>"));
    shop.stop().await;
}

#[tokio::test]
async fn events_come_one_by_one() {
    let shop = Running::start().await;
    let response = shop.fetch("/events").await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body();
    for number in 0..3 {
        let event = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let event = std::str::from_utf8(&event).unwrap();
        assert!(event.starts_with(&format!("id: {number}\ndata: ")) && event.ends_with("\n\n"), "{event:?}");
    }
    assert!(body.frame().await.is_none());
    shop.stop().await;
}

#[tokio::test]
async fn compressed_pages_are_the_plain_page() {
    let shop = Running::start().await;
    let session = cookie(&shop.fetch("/").await, "PHPSESSID");
    let get = async |path| shop.send(Request::get(path).header(header::COOKIE, &session), "").await;
    let plain = text(get("/").await).await;

    let gzip = get("/gzip").await;
    assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
    let etag = gzip.headers()[header::ETAG].clone();
    let mut decoded = String::new();
    flate2::read::GzDecoder::new(&bytes(gzip).await[..]).read_to_string(&mut decoded).unwrap();
    assert_eq!(decoded, plain);

    let br = get("/br").await;
    assert_eq!(br.headers()[header::CONTENT_ENCODING], "br");
    let mut decoded = Vec::new();
    brotli::BrotliDecompress(&mut &bytes(br).await[..], &mut decoded).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), plain);

    let known = Request::get("/gzip").header(header::COOKIE, &session).header(header::IF_NONE_MATCH, etag);
    assert_eq!(shop.send(known, "").await.status(), StatusCode::NOT_MODIFIED);
    shop.stop().await;
}

#[tokio::test]
async fn login_changes_the_session_and_logout_deletes_it() {
    let shop = Running::start().await;
    let before = cookie(&shop.fetch("/").await, "PHPSESSID");
    let login = |password| {
        let form = Request::post("/login").header(header::COOKIE, &before);
        shop.send(form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), password)
    };
    assert_eq!(login("user=demo&password=wrong").await.status(), StatusCode::FORBIDDEN);
    let signed_in = login("user=demo&password=demo").await;
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
    assert_eq!(signed_in.headers()[header::LOCATION], "/account");
    let after = cookie(&signed_in, "PHPSESSID");
    assert_ne!(before, after);

    let account = |session: &str| shop.send(Request::get("/account").header(header::COOKIE, session), "");
    assert_eq!(account(&before).await.status(), StatusCode::SEE_OTHER);
    assert!(text(account(&after).await).await.contains("Welcome back, demo"));

    let out = shop.send(Request::post("/logout").header(header::COOKIE, &after), "").await;
    let deleted = cookies(&out).iter().filter(|line| line.contains("Max-Age=0")).count();
    assert_eq!((out.status(), deleted), (StatusCode::SEE_OTHER, 3));
    assert_eq!(account(&after).await.status(), StatusCode::SEE_OTHER);
    shop.stop().await;
}

#[tokio::test]
async fn cart_is_filled_by_form_and_by_script_with_its_token() {
    let shop = Running::start().await;
    let first = shop.fetch("/").await;
    let (session, csrf) = (cookie(&first, "PHPSESSID"), cookie(&first, "XSRF-TOKEN"));
    let form = shop.send(Request::post("/cart").header(header::COOKIE, &session), "product=meadow").await;
    assert_eq!(cookie(&form, "cart_items"), "cart_items=1");
    let script = |token: &str| {
        let request = Request::post("/api/cart").header(header::COOKIE, &session);
        shop.send(request.header("x-xsrf-token", token), r#"{"product":"meadow"}"#)
    };
    assert_eq!(script("guessed").await.status(), StatusCode::FORBIDDEN);
    let large = Request::post("/cart").header(header::COOKIE, &session);
    let large = shop.send(large, Box::leak("x".repeat(16 * 1024 + 1).into_boxed_str())).await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let added = script(csrf.strip_prefix("XSRF-TOKEN=").unwrap()).await;
    let added: serde_json::Value = serde_json::from_slice(&bytes(added).await).unwrap();
    assert_eq!(added, serde_json::json!({ "items": 2, "lines": [{ "product": "meadow", "quantity": 2 }] }));
    shop.stop().await;
}

#[tokio::test]
async fn download_serves_ranges_of_the_same_bytes() {
    let shop = Running::start().await;
    let whole = shop.fetch("/download").await;
    assert_eq!(whole.headers()[header::CONTENT_LENGTH], "262144");
    assert_eq!(whole.headers()[header::ACCEPT_RANGES], "bytes");
    let etag = whole.headers()[header::ETAG].clone();
    let whole = bytes(whole).await;
    for (range, expected) in [
        ("bytes=0-99", Some(0..100)),
        ("bytes=262100-", Some(262_100..262_144)),
        ("bytes=-10", Some(262_134..262_144)),
        ("bytes=262143-999999", Some(262_143..262_144)),
        ("bytes=262144-", None),
        ("bytes=-0", None),
    ] {
        let response = shop.send(Request::get("/download").header(header::RANGE, range), "").await;
        let content_range = response.headers()[header::CONTENT_RANGE].clone();
        if let Some(expected) = expected {
            assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT, "{range}");
            let stated = format!("bytes {}-{}/262144", expected.start, expected.end - 1);
            assert_eq!(content_range, stated.as_str());
            assert_eq!(bytes(response).await, whole.slice(expected), "{range}");
        } else {
            assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
            assert_eq!(content_range, "bytes */262144");
        }
    }
    for range in ["bytes=5-4", "bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=a-b"] {
        let response = shop.send(Request::get("/download").header(header::RANGE, range), "").await;
        assert_eq!(response.status(), StatusCode::OK, "{range}");
    }
    let stale = Request::get("/download").header(header::RANGE, "bytes=0-9").header(header::IF_RANGE, "\"other\"");
    assert_eq!(shop.send(stale, "").await.status(), StatusCode::OK);
    let known = Request::get("/download").header(header::IF_NONE_MATCH, etag);
    assert_eq!(shop.send(known, "").await.status(), StatusCode::NOT_MODIFIED);
    shop.stop().await;
}

#[tokio::test]
async fn debug_shows_the_head_as_it_came() {
    let shop = Running::start().await;
    let response = shop.send(Request::get("/debug?a=1").header("consent", "necessary"), "").await;
    let seen = text(response).await;
    assert!(seen.starts_with("GET /debug?a=1 HTTP/1.1\n") && seen.contains("\nconsent: necessary\n"), "{seen}");
    shop.stop().await;
}

/// Opens the WebSocket with the key of RFC 6455 §1.3.
async fn websocket(shop: &Running) -> TcpStream {
    let mut socket = TcpStream::connect(shop.addr).await.unwrap();
    let hello = "GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(hello.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    assert!(head.contains("\r\nset-cookie: _ga="), "{head}");
    socket
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        length @ ..=125 => frame.push(0x80 | length as u8),
        length @ ..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[tokio::test]
async fn websocket_echoes_messages_and_answers_pings() {
    let shop = Running::start().await;
    let mut socket = websocket(&shop).await;
    let long = [7; 300];
    let mut long_back = vec![0x82, 126, 1, 44];
    long_back.extend(long);
    let cases: [(Vec<u8>, &[u8]); 5] = [
        (masked(0x81, "tea?".as_bytes()), b"\x81\x04tea?"),
        (masked(0x82, &long), &long_back),
        (masked(0x89, b"hi"), b"\x8a\x02hi"),
        // Two fragments with a ping between them: the pong comes first, then the whole message.
        ([masked(0x01, b"gr"), masked(0x89, b""), masked(0x80, b"een")].concat(), b"\x8a\x00\x81\x05green"),
        (masked(0x88, &1000_u16.to_be_bytes()), b"\x88\x02\x03\xe8"),
    ];
    for (sent, expected) in cases {
        socket.write_all(&sent).await.unwrap();
        let mut back = vec![0; expected.len()];
        socket.read_exact(&mut back).await.unwrap();
        assert_eq!(back, expected);
    }
    shop.stop().await;
}

#[tokio::test]
async fn websocket_closes_on_frames_that_may_not_be() {
    let shop = Running::start().await;
    let cases: [(Vec<u8>, u16); 7] = [
        (b"\x81\x02hi".to_vec(), 1002),                // not masked
        (masked(0xc1, b"hi"), 1002),                   // a reserved bit
        (masked(0x83, b"hi"), 1002),                   // an unknown opcode
        (masked(0x80, b"hi"), 1002),                   // a continuation of nothing
        (masked(0x89, &[0; 126]), 1002),               // a long ping
        (masked(0x81, b"\xff\xfe"), 1007),             // not UTF-8
        (masked(0x82, &vec![0; 64 * 1024 + 1]), 1009), // too large
    ];
    for (sent, code) in cases {
        let mut socket = websocket(&shop).await;
        // The shop may close before it has read all of a message that is too large.
        let _ = socket.write_all(&sent).await;
        let mut back = [0; 4];
        socket.read_exact(&mut back).await.unwrap();
        assert_eq!((back[..2].to_vec(), u16::from_be_bytes([back[2], back[3]])), (vec![0x88, 2], code));
    }
    shop.stop().await;
}

#[tokio::test]
async fn websocket_refuses_what_is_no_handshake() {
    let shop = Running::start().await;
    let good = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (missing, status) in [(0, 426), (1, 426), (2, 426), (3, 400)] {
        let mut request = Request::get("/ws");
        for (index, (name, value)) in good.into_iter().enumerate() {
            if index != missing {
                request = request.header(name, HeaderValue::from_static(value));
            }
        }
        assert_eq!(shop.send(request, "").await.status(), status, "without {}", good[missing].0);
    }
    shop.stop().await;
}

#[tokio::test]
async fn stopping_ends_open_sockets_and_idle_connections() {
    let shop = Running::start().await;
    let mut socket = websocket(&shop).await;
    let mut idle = shop.client().await;
    let request = Request::get("/").header(header::HOST, "shop.test").body(Full::default()).unwrap();
    bytes(idle.send_request(request).await.unwrap()).await;
    shop.stop().await;
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\x88\x02\x03\xe9");
}
