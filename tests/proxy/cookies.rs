//! `Set-Cookie` on the way back, `Cookie` on the way there.

use http::Method;

use crate::support::{Client, HOST, Origin, Proxy, block_on, origin::respond};

const LEGACY: [(&str, &str); 8] = [
    ("set-cookie", "SHOPSID=abc123; path=/"),
    ("set-cookie", "_ga=GA1.1.1.2; Max-Age=63072000; Path=/"),
    ("set-cookie", "=_fbp=fb.1.2.3"),
    ("set-cookie", "cart=\"a;b\"; Path=/; Priority=High"),
    ("set-cookie", "who_knows=1"),
    ("set-cookie", "_ga=; Expires=Thu, 01 Jan 1970 00:00:00 +0000"),
    ("set-cookie", "lang=de"),
    ("content-type", "application/json"),
];

#[test]
fn set_cookie_without_grant_is_stripped_and_the_rest_keeps_bytes_and_order() {
    block_on(async {
        let origin = Origin::fixed(200, &LEGACY, "{}").await;
        let proxy = Proxy::to(origin.address).await;
        for h2 in [false, true] {
            let mut client = if h2 { Client::h2(&proxy).await } else { Client::h1(&proxy).await };
            let reply = client.get("/api", &[]).await;
            assert_eq!(
                reply.set_cookies(),
                [
                    "SHOPSID=abc123; path=/; HttpOnly; Secure; SameSite=Strict",
                    "cart=\"a;b\"; Path=/; Priority=High",
                    "_ga=; Expires=Thu, 01 Jan 1970 00:00:00 +0000",
                    "__Host-consentry-session=1; Path=/; Secure; HttpOnly; SameSite=Lax",
                ],
                "h2: {h2}"
            );
            assert_eq!(reply.text(), "{}");
        }
    });
}

#[test]
fn set_cookie_is_kept_once_its_category_or_service_is_granted() {
    block_on(async {
        let origin = Origin::fixed(200, &LEGACY, "{}").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        for (form, ga, fbp, lang) in [
            ("decision=accept-all", true, true, true),
            ("decision=reject-all", false, false, false),
            ("decision=save&category=analytics&service=counter", true, false, false),
            ("decision=save&service=adnet", false, true, false),
            ("decision=save&category=functional", false, false, true),
        ] {
            let choice = client.choose(form).await;
            let lines = client.get("/api", &[("cookie", &choice)]).await.set_cookies();
            let has = |start: &str| lines.iter().any(|l| l.starts_with(start) && !l.contains("1970"));
            assert_eq!((has("_ga=GA"), has("=_fbp"), has("lang")), (ga, fbp, lang), "{form}: {lines:?}");
            assert!(has("SHOPSID") && has("cart"), "{form}: {lines:?}");
            assert!(!has("who_knows"), "unclassified is stripped: {lines:?}");
        }
    });
}

#[test]
fn set_cookie_is_decided_on_every_kind_of_response() {
    block_on(async {
        let origin = Origin::start(|seen| {
            let status = seen.target[1..].parse().unwrap_or(200);
            let cookies = [("set-cookie", "_ga=1"), ("set-cookie", "SHOPSID=1"), ("location", "/x"), ("etag", "\"e\"")];
            let body = if [204, 304].contains(&status) || seen.method == Method::HEAD { "" } else { "body" };
            respond(status, &cookies, body)
        })
        .await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        for status in [200, 201, 204, 301, 302, 304, 400, 401, 404, 500, 503] {
            for method in [Method::GET, Method::HEAD, Method::POST] {
                let reply = client.send(method.clone(), &format!("/{status}"), &[], "").await;
                assert_eq!(reply.status.as_u16(), status);
                let lines = reply.set_cookies();
                assert!(!lines.iter().any(|l| l.starts_with("_ga")), "{method} {status}: {lines:?}");
                let session = "SHOPSID=1; HttpOnly; Secure; SameSite=Strict";
                assert!(lines.iter().any(|l| l == session), "{method} {status}: {lines:?}");
            }
        }
    });
}

#[test]
fn set_cookie_lifetimes_are_capped_to_what_the_policy_publishes() {
    block_on(async {
        let lines = [
            ("set-cookie", "_ga=1; Max-Age=999999999; Path=/"),
            ("set-cookie", "_ga_X=1; Max-Age=31536000"),
            ("set-cookie", "_ga_Y=1; expires=Fri, 31 Dec 2100 23:59:59 GMT"),
            ("set-cookie", "_ga_Z=1"),
        ];
        let origin = Origin::fixed(200, &lines, "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let choice = client.choose("decision=accept-all").await;
        let lines = client.get("/", &[("cookie", &choice)]).await.set_cookies();
        assert_eq!(lines[0], "_ga=1; Max-Age=63072000; Path=/");
        assert_eq!(lines[1], "_ga_X=1; Max-Age=31536000");
        assert!(lines[2].starts_with("_ga_Y=1; expires=") && !lines[2].contains("2100"), "{}", lines[2]);
        assert_eq!(lines[3], "_ga_Z=1");
    });
}

#[test]
fn session_cookie_exceptions_hold() {
    block_on(async {
        let lines = [
            ("set-cookie", "csrf=t; SameSite=None; samesite=Lax; HTTPONLY=1; httponlyx"),
            ("set-cookie", "sso=1; SameSite=None; Secure"),
            ("set-cookie", "raw=1"),
            ("set-cookie", "SHOPSID=1; SameSite=None; Secure=no; secure ;HttpOnly"),
        ];
        let origin = Origin::fixed(200, &lines, "").await;
        let proxy = Proxy::to(origin.address).await;
        let lines = Client::h1(&proxy).await.get("/", &[]).await.set_cookies();
        assert_eq!(
            lines[..4],
            [
                // No HttpOnly for a token that scripts read.
                "csrf=t; httponlyx; Secure; SameSite=Strict",
                "sso=1; HttpOnly; Secure; SameSite=Lax",
                "raw=1",
                "SHOPSID=1; HttpOnly; Secure; SameSite=Strict",
            ]
        );
    });
}

#[test]
fn cookie_of_refused_services_does_not_reach_the_origin() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        client.get("/", &[("cookie", "SHOPSID=1; _ga=GA1; cart=\"x y\"; _fbp=2; =_ga=3")]).await;
        assert_eq!(origin.last().header("cookie"), Some("SHOPSID=1; cart=\"x y\""));
        assert_eq!(origin.last().header("consent"), Some("necessary"));

        client.get("/", &[("cookie", "_ga=GA1")]).await;
        assert_eq!(origin.last().header("cookie"), None, "an empty Cookie header goes");

        // Two lines, as HTTP/2 may split them.
        client.get("/", &[("cookie", "SHOPSID=1; _ga=2"), ("cookie", "_fbp=3")]).await;
        let all: Vec<_> = origin.last().headers.get_all("cookie").iter().cloned().collect();
        assert_eq!(all, ["SHOPSID=1"]);

        let choice = client.choose("decision=save&category=analytics&service=counter").await;
        let sent = format!("{choice}; _ga=GA1; _fbp=2");
        client.get("/", &[("cookie", &sent), ("consent", "necessary, marketing")]).await;
        assert_eq!(origin.last().header("cookie"), Some("_ga=GA1"));
        assert_eq!(origin.last().header("consent"), Some("necessary, analytics"), "a client's own Consent is dropped");
    });
}

#[test]
fn refused_cookies_are_expired_on_navigation_once_refused() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html")], "<p>hi").await;
        let proxy = Proxy::builder().site("www.shop.example", origin.address, "").start();
        let mut client = Client::h2_to(&proxy, "www.shop.example").await;
        let cookies = "_ga=GA1; _fbp=2; SHOPSID=1";

        let before = client.navigate("/", &[("cookie", cookies)]).await.set_cookies();
        assert!(before.is_empty(), "nobody has refused yet: {before:?}");

        let choice = client.choose("decision=save&category=analytics&service=counter").await;
        let sent = format!("{choice}; {cookies}");
        let lines = client.navigate("/", &[("cookie", &sent)]).await.set_cookies();
        let expired: Vec<&str> = lines.iter().map(|l| l.split('=').next().unwrap()).collect();
        assert_eq!(expired, ["_fbp"; 3], "{lines:?}");
        assert!(lines.iter().all(|l| l.contains("Max-Age=0")), "{lines:?}");
        let domains = lines.iter().filter(|l| l.contains("Domain=")).count();
        assert_eq!(domains, 2, "host-only, the host, and its parent up to the registrable one: {lines:?}");

        let lines = client.get("/app.js", &[("cookie", &sent), ("sec-fetch-mode", "no-cors")]).await.set_cookies();
        assert!(lines.is_empty(), "not on a sub-resource: {lines:?}");
    });
}

#[test]
fn strict_bounce_brings_the_session_back_once() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html")], "<p>account").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let marker = "__Host-consentry-session=1";
        let cross = ("sec-fetch-site", "cross-site");

        let bounce = client.navigate("/account?a=1&b=%222", &[("cookie", marker), cross]).await;
        assert!(origin.seen().is_empty(), "the origin is not asked");
        assert!(bounce.text().contains("http-equiv=\"refresh\""), "{}", bounce.text());
        assert_eq!(bounce.header("cache-control"), Some("no-store"));

        for headers in [
            vec![("cookie", marker), ("sec-fetch-site", "same-origin")],
            vec![("cookie", "__Host-consentry-session=1; SHOPSID=1"), cross],
            vec![("cookie", "other=1"), cross],
            vec![cross],
        ] {
            let reply = client.navigate("/account", &headers).await;
            assert_eq!(reply.text(), "<p>account", "{headers:?}");
        }
        let post = [("cookie", marker), cross, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let reply = client.send(Method::POST, "/account", &post, "x=1").await;
        assert_eq!(reply.text(), "<p>account", "never for POST");
    });
}

#[test]
fn host_header_reaches_the_origin_once() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        Client::h2(&proxy).await.get("/", &[]).await;
        let hosts: Vec<_> = origin.last().headers.get_all("host").iter().cloned().collect();
        assert_eq!(hosts, [HOST]);
    });
}

/// §5, C4: what one site of ours keeps on the domain is no cookie that another's refusal may delete.
#[test]
fn a_refusal_spares_the_choice_of_another_site_on_the_domain() {
    block_on(async {
        let origin = Origin::fixed(200, &[("content-type", "text/html")], "<p>Tea").await;
        let proxy = Proxy::builder()
            .site("shop.example.com", origin.address, "cookie: { domain: example.com }")
            .site("news.example.com", origin.address, "cookie: { domain: example.com, name: news }")
            .site("www.example.com", origin.address, "")
            .start();
        let mut client = Client::h1_to(&proxy, "www.example.com").await;
        let none = client.choose("decision=reject-all").await;
        let cookies = format!("{none}; __Secure-consentry=v1.a; news=v1.b; unknown=1");
        let reply = client.navigate("/", &[("cookie", &*cookies)]).await;
        let lines = reply.set_cookies();
        assert!(lines.iter().all(|line| line.starts_with("unknown=; Max-Age=0")) && lines.len() > 1, "{lines:?}");
        assert!(origin.last().header("cookie").is_none(), "{:?}", origin.last());
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [form, ("origin", "https://www.example.com"), ("cookie", &*cookies)];
        let reply = client.send(Method::POST, "/_consent/choice", &headers, "decision=withdraw").await;
        let lines = reply.set_cookies();
        assert!(lines.iter().any(|line| line.starts_with("unknown=; Max-Age=0")), "{lines:?}");
        let spared = |line: &&String| line.starts_with("__Secure-consentry") || line.starts_with("news");
        assert_eq!(lines.iter().find(spared), None, "{lines:?}");
    });
}
