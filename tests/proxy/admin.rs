//! The admin listener: what it tells, whom it tells, and until when.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Method;
use http_body_util::BodyExt as _;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::client::client_config;
use crate::support::{Client, HOST, Origin, Proxy, RawOrigin, Step, block_on};

pub(crate) const ADMIN: &str = "admin: { listen: 127.0.0.1:0, hosts: ops.example }";

/// Status, head and body.
pub(crate) type Reply = (u16, String, String);

async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Reply {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
}

fn request(path: &str, extra: &str) -> String {
    let host = if extra.contains("Host:") { "" } else { "Host: localhost\r\n" };
    format!("GET {path} HTTP/1.1\r\n{host}{extra}Connection: close\r\n\r\n")
}

pub(crate) async fn ask(address: SocketAddr, path: &str, extra: &str) -> Reply {
    say(TcpStream::connect(address).await.unwrap(), &request(path, extra)).await
}

pub(crate) async fn text(proxy: &Proxy, path: &str) -> String {
    let (status, head, body) = ask(proxy.admin.unwrap(), path, "").await;
    assert_eq!(status, 200, "{path}: {head}\n{body}");
    body
}

pub(crate) async fn json(proxy: &Proxy, path: &str) -> Value {
    serde_json::from_str(&text(proxy, path).await).unwrap()
}

/// A page with a tracker, a foreign image and cookies of every fate.
pub(crate) async fn shop() -> Origin {
    let page = "<html><script src=https://px.adnet.example/a.js></script><img src=//cdn.elsewhere.example/i.png>";
    let headers = [
        ("content-type", "text/html"),
        ("set-cookie", "_ga=1; Max-Age=999999999"),
        ("set-cookie", "SHOPSID=1"),
        ("set-cookie", "cart=1; Secure"),
        ("set-cookie", "mystery: \"x=1"),
    ];
    Origin::fixed(200, &headers, page).await
}

#[test]
fn findings_tell_what_was_seen_in_both_modes() {
    block_on(async {
        let origin = shop().await;
        for mode in ["observe", "enforce"] {
            let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, &format!("mode: {mode}")).start();
            let cross = [("sec-fetch-site", "cross-site"), ("cookie", "_fbp=1; cart=2")];
            for path in ["/first?secret=1", "/last?secret=2"] {
                Client::h2(&proxy).await.navigate(path, &cross).await;
            }
            let all = json(&proxy, "/api/findings").await;
            assert!(!all.to_string().contains("secret"), "{all}");
            let row = |kind: &str, name: &str, action: &str| {
                let is = |row: &&Value| row["kind"] == kind && row["name"] == name && row["action"] == action;
                let rows: Vec<_> = all["findings"].as_array().unwrap().iter().filter(is).collect();
                assert_eq!(rows.len(), 1, "{kind} {name} {action} in {all:#}");
                rows[0].clone()
            };
            let ga = row("cookie", "_ga", "strip");
            assert_eq!(
                (&ga["service"], &ga["category"], &ga["count"]),
                (&"counter".into(), &"analytics".into(), &2.into())
            );
            assert_eq!((&ga["first_page"], &ga["last_page"]), (&"/first".into(), &"/last".into()));
            assert_eq!((&ga["lines"]["longest"], &ga["declared"]), (&999_999_999.into(), &(2 * 31_536_000).into()));
            assert_eq!(ga["applied"], mode == "enforce");
            assert_eq!(row("cookie", "SHOPSID", "harden")["left_behind"], 2, "set across sites, and made Strict");
            assert_eq!(row("cookie", "cart", "keep")["lines"]["secure"], 2);
            assert_eq!(row("cookie", "_fbp", "strip")["lines"]["read"], 0, "in the request alone");
            assert_eq!(row("tag", "px.adnet.example", "strip")["service"], "adnet");
            let foreign = row("tag", "cdn.elsewhere.example", "keep");
            assert!(foreign["paste"].as_str().unwrap().contains("hosts: [\"cdn.elsewhere.example\"]"), "{foreign}");
            let mystery = row("cookie", "mystery: \"x", "strip");
            assert!(mystery["paste"].as_str().unwrap().contains("\"mystery: \\\"x\":"), "{mystery}");

            let count = async |query: &str| {
                json(&proxy, &format!("/api/findings?{query}")).await["findings"].as_array().unwrap().len()
            };
            assert_eq!(count("unclassified").await, 2);
            assert_eq!(count("kind=tag&action=keep").await, 1);
            assert_eq!(count("site=other.example").await, 0);
            for wrong in ["kind=biscuit", "colour=red", "action=eat", "site=a&site=b"] {
                let (status, _, body) = ask(proxy.admin.unwrap(), &format!("/api/findings?{wrong}"), "").await;
                assert_eq!(status, 400, "{wrong}: {body}");
                assert!(serde_json::from_str::<Value>(&body).unwrap()["error"].is_string());
            }
            let drift = json(&proxy, "/api/drift").await;
            let has = |kind: &str, name: &str| {
                drift["drift"].as_array().unwrap().iter().any(|d| d["drift"] == kind && d["name"] == name)
            };
            assert!(has("undeclared", "cdn.elsewhere.example") && has("never-seen", "lang"), "{drift:#}");
            assert!(
                has("longer", "_ga") && has("missing-flags", "SHOPSID") && has("strict-risk", "SHOPSID"),
                "{drift:#}"
            );
        }
    });
}

#[test]
fn metrics_count_what_happened() {
    block_on(async {
        let origin = shop().await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        let mut client = Client::h2(&proxy).await;
        for _ in 0..3 {
            client.navigate("/", &[]).await;
        }
        Client::h1(&proxy).await.get("/", &[("host", "unknown.example")]).await;
        let text = text(&proxy, "/metrics").await;
        for line in [
            "consentry_requests_total{site=\"shop.example\",status=\"2xx\"} 3",
            "consentry_requests_total{site=\"\",status=\"4xx\"} 1",
            "consentry_added_seconds_count{site=\"shop.example\",status=\"2xx\"} 3",
            "consentry_origin_seconds_bucket{site=\"shop.example\",status=\"2xx\",le=\"+Inf\"} 3",
            "consentry_findings_total{site=\"shop.example\",kind=\"cookie\",category=\"analytics\",action=\"strip\"} 3",
            "consentry_findings_total{site=\"shop.example\",kind=\"tag\",category=\"marketing\",action=\"strip\"} 3",
            "consentry_findings_overflow_total 0",
            "consentry_connections_total{protocol=\"h2\"} 1",
            "consentry_connections_total{protocol=\"http/1.1\"} 1",
            "consentry_connections_open{protocol=\"h2\"} 1",
            "consentry_connections_refused_total 0",
            "consentry_origin_errors_total{site=\"shop.example\",error=\"connect\"} 0",
            "consentry_strict_risks_total{site=\"shop.example\"} 0",
            "consentry_log_lines_dropped_total{log=\"access\"} 0",
            "consentry_receipts_store_up 1",
            "consentry_config_reloads_total{result=\"good\"} 0",
            "consentry_origin_connections_total{site=\"shop.example\"} 1",
            "consentry_origin_connections_reused_total{site=\"shop.example\"} 2",
            "consentry_site_mode{site=\"shop.example\",mode=\"enforce\"} 1",
            "consentry_ready 1",
        ] {
            assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
        }
        for begin in [
            "consentry_build_info{version=\"",
            "process_start_time_seconds ",
            "consentry_certificate_expiry_timestamp_seconds{file=\"",
        ] {
            assert!(text.lines().any(|line| line.starts_with(begin)), "no {begin} in\n{text}");
        }
    });
}

#[test]
fn waiting_for_an_origin_that_never_answers_is_not_our_time() {
    block_on(async {
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
        let top = format!("{ADMIN}\ntimeouts: {{ origin_first_byte: 200ms }}");
        let proxy = Proxy::builder().top(&top).site(HOST, origin.address, "").start();
        assert_eq!(Client::h2(&proxy).await.get("/", &[]).await.status, 504);
        let text = text(&proxy, "/metrics").await;
        for line in [
            "consentry_requests_total{site=\"shop.example\",status=\"5xx\"} 1",
            "consentry_origin_seconds_bucket{site=\"shop.example\",status=\"5xx\",le=\"0.1\"} 0",
            "consentry_added_seconds_bucket{site=\"shop.example\",status=\"5xx\",le=\"0.1\"} 1",
            "consentry_origin_errors_total{site=\"shop.example\",error=\"timeout\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
        }
    });
}

#[test]
fn explain_says_what_the_command_says() {
    block_on(async {
        let origin = shop().await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        let query = "/api/explain?site=shop.example&grant=analytics&input=Set-Cookie:%20_ga=1&input=Cookie:%20_fbp=1";
        let answers = json(&proxy, query).await;
        assert_eq!(
            (&answers["answers"][0]["action"], &answers["answers"][0]["service"]),
            (&"keep".into(), &"counter".into())
        );
        assert_eq!(answers["answers"][1]["action"], serde_json::json!(["strip", "expire"]), "a visitor who chose");
        assert!(answers["answers"][1]["rule"]["line"].as_u64().unwrap() > 0);
        for wrong in ["", "?input=what", "?input=/&site=nobody.example", "?input=/&grant=nothing-known"] {
            let (status, _, body) = ask(proxy.admin.unwrap(), &format!("/api/explain{wrong}"), "").await;
            assert_eq!(status, 400, "{wrong}: {body}");
        }
    });
}

#[test]
fn status_names_what_runs_and_before_what() {
    block_on(async {
        let origin = shop().await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "mode: observe").start();
        let status = json(&proxy, "/api/status").await;
        assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!((&status["sites"][0]["site"], &status["sites"][0]["mode"]), (&HOST.into(), &"observe".into()));
        assert!(status["config"].as_str().unwrap().ends_with("consentry.yaml"));
        assert!(status["certificates"][0]["days_left"].as_i64().is_some());
        let origins = &status["sites"][0]["origins"];
        let connections = serde_json::json!({ "busy": 0, "idle": 0 });
        let url = format!("http://{}", origin.address);
        assert_eq!(*origins, serde_json::json!([{ "origin": url, "up": true, "connections": connections }]));
    });
}

#[test]
fn the_page_shows_findings_and_runs_nothing_of_theirs() {
    block_on(async {
        let name = "x</code><script>alert(1)</script>";
        let origin = Origin::fixed(200, &[("set-cookie", &format!("{name}=1")), ("set-cookie", "_ga=1")], "").await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        Client::h2(&proxy).await.get("/a'b&c", &[]).await;
        let (status, head, page) = ask(proxy.admin.unwrap(), "/", "").await;
        assert_eq!(status, 200);
        assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self';"), "{head}");
        assert!(!head.contains("unsafe"), "{head}");
        // One script, our own; names are text.
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert!(page.contains("&#60;script&#62;alert(1)") && page.contains("/a&#39;b&#38;c"), "{page}");
        assert!(page.contains("undeclared") && page.contains("_ga") && page.contains("Copy rule"), "{page}");
        assert!(
            !text(&proxy, "/?unclassified=true&kind=cookie&site=").await.contains("<code>_ga</code></td><td>counter")
        );
        for (path, kind) in [("/page.css", "text/css"), ("/page.js", "text/javascript")] {
            let (status, head, _) = ask(proxy.admin.unwrap(), path, "").await;
            assert!(status == 200 && head.contains(kind), "{head}");
        }
        let traffic = json(&proxy, "/api/traffic").await;
        assert_eq!(traffic["requests"], 1);
        let added = traffic["added"].as_array().unwrap();
        assert_eq!(added.len(), traffic["bounds"].as_array().unwrap().len() + 1);
        assert_eq!(added.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 1);
    });
}

#[test]
fn foreign_names_methods_and_pages_are_refused() {
    block_on(async {
        let origin = shop().await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        let admin = proxy.admin.unwrap();
        for (extra, expected) in [
            ("Host: evil.example\r\n", 421),
            ("Host: localhost.evil.example\r\n", 421),
            ("Host: localhost\r\nHost: localhost\r\n", 421),
            ("Sec-Fetch-Site: cross-site\r\n", 403),
            ("Host: ops.example:9464\r\n", 200),
            ("Host: [::1]:9464\r\n", 200),
            ("Origin: https://evil.example\r\n", 200),
        ] {
            let (status, head, body) = ask(admin, "/api/status", extra).await;
            assert_eq!(status, expected, "{extra}: {body}");
            assert!(!head.contains("access-control"), "no page of another origin may read it: {head}");
            assert!(head.contains("cache-control: no-store"), "{head}");
        }
        let post = "POST /api/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert_eq!(say(TcpStream::connect(admin).await.unwrap(), post).await.0, 405);
        assert_eq!(ask(admin, "/etc/passwd", "").await.0, 404);
    });
}

#[test]
fn readiness_goes_when_the_drain_begins_and_health_stays() {
    block_on(async {
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".to_vec()),
            Step::Wait,
            Step::Write(b"world".to_vec()),
            Step::Stall,
        ])
        .await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        let admin = proxy.admin.unwrap();
        assert_eq!(text(&proxy, "/readyz").await, "ready\n");
        let response = Client::h2(&proxy).await.start(Method::GET, "/", &[], "").await.unwrap();
        proxy.stop();
        assert_eq!(ask(admin, "/readyz", "").await.0, 503);
        assert_eq!(ask(admin, "/healthz", "").await.0, 200);
        assert!(text(&proxy, "/metrics").await.contains("\nconsentry_ready 0\n"));
        origin.go();
        assert_eq!(&response.into_body().collect().await.unwrap().to_bytes()[..], b"helloworld");
        proxy.join();
        assert!(TcpStream::connect(admin).await.is_err(), "the listener is gone");
    });
}

#[test]
fn with_token_and_certificate_it_speaks_tls_to_those_who_know() {
    const TOKEN: &str = "correct-horse-battery-staple";
    block_on(async {
        let origin = shop().await;
        let admin = "admin: { listen: 0.0.0.0:0, token: 'file:token', certificate: site.pem }";
        let proxy =
            Proxy::builder().top(admin).file("token", format!("{TOKEN}\n")).site(HOST, origin.address, "").start();
        let ask = async |path: &str, extra: &str| {
            let stream = TcpStream::connect(proxy.admin.unwrap()).await.unwrap();
            let connector = TlsConnector::from(Arc::new(client_config(&proxy, b"http/1.1")));
            let name = ServerName::try_from("localhost").unwrap();
            say(connector.connect(name, stream).await.unwrap(), &request(path, extra)).await
        };
        for (path, extra, expected) in [
            ("/api/status", String::new(), 401),
            ("/api/status", "Authorization: Bearer wrong-horse-battery-staple\r\n".into(), 401),
            ("/metrics", format!("Authorization: Basic {TOKEN}\r\n"), 401),
            ("/metrics", format!("Authorization: Bearer {TOKEN}\r\n"), 200),
            // As browsers do: user `me`, and the token or something else for a password.
            ("/", "Authorization: Basic bWU6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==\r\n".into(), 200),
            ("/", "Authorization: Basic bWU6d3Jvbmc=\r\n".into(), 401),
            ("/", "Authorization: Basic !\r\n".into(), 401),
            ("/healthz", String::new(), 200),
            ("/readyz", String::new(), 200),
        ] {
            let (status, _, body) = ask(path, &extra).await;
            assert_eq!(status, expected, "{path} {extra}");
            assert!(!body.contains(TOKEN));
        }
    });
}
