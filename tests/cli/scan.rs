//! `consentry scan` against real sites: what it visits, what it tells, and what it drafts.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use consentry::proxy::coding::{Coding, Encoder, Level};
use http_body_util::BodyExt as _;
use tokio::sync::watch;

use super::program::Program;
use super::run;
use super::support::origin::{Answer, Seen, respond};
use super::support::{Origin, Proxy, RawOrigin, Step, block_on};

const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

fn page(cookies: &[&str], body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = cookies.iter().map(|line| ("set-cookie", *line)).chain([HTML]).collect();
    respond(200, &headers, body.to_owned())
}

/// An answer whose body never comes.
struct Never;

impl http_body::Body for Never {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
        Poll::Pending
    }
}

fn never() -> Answer {
    http::Response::builder().header(HTML.0, HTML.1).body(Never.boxed()).unwrap()
}

/// A shop with a page behind the first, one that robots may not see, and links to elsewhere.
fn shop(request: &Seen) -> Answer {
    match &*request.target {
        "/robots.txt" => respond(200, &[("content-type", "text/plain")], "User-agent: *\nDisallow: /private\n"),
        "/" => page(
            &["PHPSESSID=secret1; Path=/; HttpOnly", "theme=dark; Max-Age=31536000"],
            "<a href=/tea?x=1#y>tea</a><a href=/private/x>p</a><a href=https://elsewhere.invalid/>e</a>\
             <script src='https://www.googletagmanager.com/gtag/js?id=G-1'></script><img src=//pixel.unknown.invalid/i.gif?u=7>\
             <script>fbq('init', '1')</script><script src=/own.js></script>",
        ),
        "/tea?x=1" if request.header("cookie").is_some_and(|line| line.contains("PHPSESSID=secret1")) => page(
            &["_ga=GA1.secret2; Max-Age=63072000; Path=/", "_ga_ABC=1; Expires=Thu, 01 Jan 2037 00:00:00 GMT"],
            "<a href=/>back</a><a href=/broken>b</a><a href=/moved>m</a><a href=/logout>l</a>",
        ),
        "/moved" => respond(302, &[("location", "/end"), ("set-cookie", "hop=1")], ""),
        "/end" => page(&["late=1"], "<iframe src=/framed></iframe>"),
        "/framed" => page(&["framed=1; SameSite=None"], ""),
        _ => respond(500, &[HTML], "no"),
    }
}

fn targets(origin: &Origin) -> Vec<String> {
    origin.seen().into_iter().map(|request| request.target).collect()
}

/// The draft, once `check` has accepted it.
fn checked(file: &Path) -> (String, serde_json::Value) {
    let (code, out, err) = run(&["check", "--no-certificates", "--config", file.to_str().unwrap()]);
    let text = fs::read_to_string(file).unwrap();
    assert_eq!((code, &*err), (0, ""), "{out}\n{text}");
    let yaml: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    (text, yaml)
}

#[test]
fn scan_over_tls_keeps_to_what_is_asked() {
    block_on(async {
        let origin = Origin::start(shop).await;
        let proxy = Proxy::builder().site("localhost", origin.address, "mode: off").start();
        let url = format!("https://localhost:{}/", proxy.address.port());
        let (code, out, err) = run(&["scan", &url]);
        assert_eq!((code, &*out), (1, ""), "an authority that nobody knows\n{err}");
        assert!(err.contains("--ca") && err.contains("--insecure") && err.lines().count() == 1, "{err}");
        assert!(origin.seen().is_empty());

        let ca = proxy.folder.path().join("ca.pem");
        fs::write(&ca, proxy.authority.pem()).unwrap();
        let ca = ca.to_str().unwrap();
        let (code, out, err) = run(&["scan", &url, "--ca", ca, "--delay", "1", "--json"]);
        assert_eq!((code, &*err), (0, ""));
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        let cookies = found["cookies"].as_array().unwrap();
        let cookie =
            |name: &str| cookies.iter().find(|cookie| cookie["name"] == name).unwrap_or_else(|| panic!("{out}"));
        let ga = cookie("_ga");
        assert_eq!((&ga["service"], &ga["category"]), (&"google-analytics".into(), &"analytics".into()));
        assert_eq!((&ga["lifetime"], &ga["first_page"]), (&63_072_000.into(), &"/tea".into()));
        assert_eq!((&cookie("PHPSESSID")["category"], &cookie("theme")["category"]), (&"necessary".into(), &().into()));
        for late in ["hop", "late", "framed"] {
            cookie(late);
        }
        assert!(!out.contains("secret") && !out.contains("u=7"), "{out}");
        assert!(found["expected"].as_array().unwrap().iter().any(|cookie| cookie["name"] == "_fbp"), "{out}");
        assert_eq!(found["forbidden_by_robots"], 1);
        assert!(out.contains("cookies that scripts set are not seen"), "{out}");
        // The broken page is told of, and the scan went on.
        assert!(found["problems"][0]["url"].as_str().unwrap().ends_with("/broken"), "{out}");
        let mut asked = targets(&origin);
        assert_eq!(asked.remove(0), "/robots.txt");
        asked.sort();
        assert_eq!(asked, ["/", "/broken", "/end", "/framed", "/moved", "/tea?x=1"]);
        assert!(origin.seen().iter().all(|seen| seen.header("user-agent").unwrap().starts_with("consentry/")));

        let (code, out, _) = run(&["scan", &url, "--insecure", "--delay", "1", "--pages", "1"]);
        assert_eq!(code, 0);
        assert!(out.starts_with("1 page read: 2 cookies, 3 tags of 2 known services."), "{out}");
        assert_eq!(targets(&origin)[7..], ["/robots.txt", "/"]);
        let (_, _, _) = run(&["scan", &url, "--insecure", "--delay", "1", "--depth", "1"]);
        assert_eq!(targets(&origin)[9..], ["/robots.txt", "/", "/tea?x=1"]);
    });
}

#[test]
fn scan_drafts_what_check_accepts() {
    block_on(async {
        let origin = Origin::start(shop).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("draft.yaml");
        let (url, name) = (format!("http://{}", origin.address), file.to_str().unwrap());
        let (code, out, err) = run(&["scan", &url, "--delay", "1", "--draft", name]);
        assert_eq!(code, 0, "{err}");
        assert!(err.contains("consentry check --config"), "{err}");
        for word in ["google-analytics", "pixel.unknown.invalid", "unclassified", "KEPT FOR", "_fbp", "2 years"] {
            assert!(out.contains(word), "{word}\n{out}");
        }
        let (text, yaml) = checked(&file);
        let site = &yaml["sites"][0];
        assert_eq!((&site["mode"], &site["origin"]), (&"observe".into(), &url.clone().into()));
        let policy = &site["policy"];
        let ga = &policy["services"]["google-analytics"];
        assert_eq!((&ga["uses"], &ga["category"]), (&"google-analytics".into(), &"analytics".into()));
        assert_eq!(ga["cookies"]["_ga"], "2 years");
        assert_eq!(policy["services"]["meta-pixel"]["category"], "marketing");
        assert_eq!(policy["cookies"]["PHPSESSID"]["category"], "necessary");
        // Nothing but the session is guessed; what nobody knows is marked.
        assert_eq!(policy["cookies"].as_object().unwrap().len(), 1, "{text}");
        for (name, page) in [("theme", "/"), ("late", "/end"), ("pixel.unknown.invalid", "/")] {
            let line = text.lines().find(|line| line.contains(&format!("\"{name}\""))).unwrap();
            assert!(line.trim().starts_with('#') && line.contains("# unclassified: "), "{line}");
            assert!(line.ends_with(&format!("first seen on {page}")), "{line}");
        }
        let config = ["explain", "--config", name, "Set-Cookie: _ga=1"];
        assert!(run(&config).1.contains("analytics"), "{:?}", run(&config));

        fs::write(&file, "mine").unwrap();
        let before = origin.seen().len();
        let (code, _, err) = run(&["scan", &url, "--draft", name]);
        assert!(code == 2 && err.contains("--force"), "{err}");
        assert_eq!(origin.seen().len(), before, "told before anything is visited");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        assert_eq!(run(&["scan", &url, "--draft", name, "--force", "--pages", "1"]).0, 0);
        let (code, out, err) = run(&["scan", &url, "--draft", "-", "--pages", "1", "--delay", "1"]);
        assert_eq!((code, out), (0, fs::read_to_string(&file).unwrap()));
        assert!(err.contains("PHPSESSID"), "{err}");
    });
}

#[test]
fn scan_of_a_hostile_site_writes_nothing_but_text() {
    const NAMES: [&str; 9] = [
        "x: y%0A- z",
        "\"x: y\\n- z\"",
        "#{a: b}",
        "\u{9b}2J\u{202e}\u{85}\u{2028}",
        "'",
        "? ",
        "&a *a !!tag",
        "HOSTS ORIGIN",
        "no",
    ];
    block_on(async {
        let origin = Origin::start(|request| {
            let long = format!("{}=1", "n".repeat(4000));
            let mut cookies: Vec<String> =
                NAMES.iter().map(|name| format!("{name}=1; Path=/; Domain=\u{9b}31m")).collect();
            cookies.push(long);
            // A path and a service's cookie that would like to break out, too.
            cookies.push("_ga_\"}\u{85}x: y=1; Max-Age=99999999999999999999".into());
            cookies.push("_gid; Expires=Fri, 31 Dec 9999 23:59:59 GMT".into());
            let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
            match &*request.target {
                "/robots.txt" => respond(404, &[], "Disallow: /"),
                "/" => page(
                    &[],
                    "<a href='/a\"#&#10;- b: c/\u{9b}\u{202e}'>x</a><script src='//a&#10;b.invalid\u{2028}'></script>",
                ),
                _ => page(&cookies, "<script src=//xn--a.invalid></script><base href=//[><a href=//[>"),
            }
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("draft.yaml");
        let (url, name) = (format!("http://localhost:{}/", origin.address.port()), file.to_str().unwrap());
        for format in [&[][..], &["--json"]] {
            let arguments = ["scan", &url, "--delay", "1", "--draft", name, "--force"];
            let (code, out, err) = run(&[&arguments, format].concat());
            assert_eq!(code, 0, "{err}");
            let (text, yaml) = checked(&file);
            for text in [&out, &err, &text] {
                let odd = text.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{2028}".contains(*c));
                assert_eq!(odd, None, "{text}");
            }
            assert!(text.lines().all(|line| line.chars().count() < 400), "{text}");
            let policy = &yaml["sites"][0]["policy"];
            assert_eq!(policy["services"].as_object().unwrap().len(), 1, "{text}");
            assert!(policy["cookies"].as_object().unwrap().is_empty(), "{text}");
            assert_eq!(text.matches("# unclassified: first seen").count(), NAMES.len() + 1, "{text}");
            assert!(policy["services"]["google-analytics"]["cookies"]["_ga_*"].is_string(), "{text}");
        }
    });
}

#[test]
fn scan_of_the_sites_own_server_asks_for_its_host() {
    block_on(async {
        let origin = Origin::start(|request| {
            if request.header("x-forwarded-proto") != Some("https") {
                return respond(301, &[("location", "https://tea.example/")], "");
            }
            let (coding, next, cookie) = match &*request.target {
                "/" => (Coding::Gzip, "https://www.tea.example/br", "gzipped=1; Secure; Domain=tea.example; Path=/"),
                "/br" => (Coding::Brotli, "/zstd", "brotli=1"),
                "/zstd" if request.header("cookie").is_some_and(|line| line.contains("gzipped=1")) => {
                    (Coding::Zstd, "/zstd", "zstandard=1")
                }
                _ => return respond(404, &[], ""),
            };
            let mut encoder = Encoder::new(coding, Level::Fast).unwrap();
            let mut body = Vec::new();
            encoder.write(format!("<a href='{next}'>next</a>").as_bytes(), &mut body).unwrap();
            encoder.end(&mut body).unwrap();
            respond(200, &[HTML, ("content-encoding", coding.token()), ("set-cookie", cookie)], body)
        })
        .await;
        let url = format!("http://{}", origin.address);
        let (code, out, err) = run(&["scan", &url, "--host", "tea.example", "--delay", "1", "--draft", "-"]);
        assert_eq!(code, 0, "{err}");
        for name in ["gzipped", "brotli", "zstandard"] {
            assert!(out.contains(&format!("#\"{name}\"")), "{out}");
        }
        assert!(
            out.contains("host: [tea.example, www.tea.example]") && out.contains(&format!("origin: {url}\n")),
            "{out}"
        );
        let hosts: Vec<String> =
            origin.seen().iter().map(|seen| format!("{}{}", seen.header("host").unwrap(), seen.target)).collect();
        assert_eq!(
            hosts,
            [
                "tea.example/robots.txt",
                "tea.example/",
                "www.tea.example/robots.txt",
                "www.tea.example/br",
                "www.tea.example/zstd"
            ]
        );
        assert_eq!(origin.connections(), 1);
    });
}

#[test]
fn scan_says_why_nothing_could_be_read() {
    block_on(async {
        let forbids = Origin::fixed(200, &[("content-type", "text/plain")], "User-agent: consentry\nDisallow: /").await;
        let broken = Origin::fixed(503, &[], "").await;
        let empty = Origin::fixed(404, &[HTML], "nothing").await;
        let loops = Origin::start(|request| match &*request.target {
            "/robots.txt" => respond(404, &[], ""),
            _ => respond(302, &[("location", "/")], ""),
        })
        .await;
        let away = Origin::start(|request| match &*request.target {
            "/robots.txt" => respond(404, &[], ""),
            _ => respond(302, &[("location", "https://elsewhere.invalid/")], ""),
        })
        .await;
        let garbage =
            RawOrigin::start(vec![Step::ReadHead, Step::Write(b"nonsense\r\n\r\n".to_vec()), Step::Close]).await;
        let stalls = RawOrigin::start(vec![Step::Stall]).await;
        for (address, why) in [
            (forbids.address, "robots.txt forbids"),
            (broken.address, "503"),
            (empty.address, "404"),
            (loops.address, "redirects"),
            (away.address, "elsewhere.invalid"),
            (garbage.address, "no usable answer"),
            (stalls.address, "within 1 s"),
        ] {
            let (code, out, err) = run(&["scan", &format!("http://{address}"), "--delay", "1", "--timeout", "1"]);
            assert_eq!((code, &*out), (1, ""), "{err}");
            assert!(err.contains(why) && err.lines().count() == 1, "{why}: {err}");
        }
        for url in ["ftp://a.example", "http://", "http://me:secret@a.example/", "\u{1b}[2J"] {
            let (code, out, err) = run(&["scan", url]);
            assert!(code == 2 && out.is_empty() && !err.contains('\u{1b}') && !err.contains("me:secret"), "{err}");
        }
    });
}

#[test]
fn interrupted_scan_prints_what_was_found() {
    block_on(async {
        // The second page never comes to its end.
        let (asked, mut second) = watch::channel(false);
        let origin = Origin::start(move |request| {
            if request.target != "/tea?x=1" {
                return shop(request);
            }
            asked.send_replace(true);
            never()
        })
        .await;
        let mut program = Program::start(&["scan", &format!("http://{}", origin.address), "--delay", "0"]);
        second.wait_for(|asked| *asked).await.unwrap();
        program.signal("INT");
        program.line_with("Interrupted. 1 page read: 2 cookies");
        program.line_with("PHPSESSID");
        assert_eq!(program.exit_code(), Some(130));
    });
}
