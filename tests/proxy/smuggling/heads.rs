//! Where does a line end, what is a name, whose request is it, and what does `Connection` take away
//! (RFC 9112 §2.2, §3, §5; RFC 9110 §7.6.1, §7.8).

use super::{Either, Fate, One, Refused, play};
use crate::support::{Client, HOST, Proxy, Raw, StrictOrigin, block_on};

const LINES: &[(&str, Fate)] = &[
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", One("")),
    ("\r\n\r\nGET /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Either),
    ("GET /@ HTTP/1.1\nHost: shop.example\n\n", Either),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: y\n\r\n", Either),
    ("GET /@ HTTP/1.1\rHost: shop.example\r\r", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\rX: y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: y\r\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: a\u{0}b\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: a\u{1}b\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: a\u{7f}b\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX\u{0}: y\r\n\r\n", Refused),
    (" GET /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET  /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@  HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET\t/@\tHTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1 \r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ x HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1, HTTP/1.0\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.2\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/2.0\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/0.9\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ http/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1X\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/01.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("G\u{0}T /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("G(T /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@\u{0} HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@\u{7f} HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@#f HTTP/1.1\r\nHost: shop.example\r\n\r\n", Either),
    ("GET @ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\n Host: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: y\r\n folded\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: y\r\n\tfolded\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX : y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX\t: y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX Y: y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\n: y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nno colon\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\n\"X\": y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX\u{fc}: y\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX: \r\n\r\n", One("")),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nX:\r\n\r\n", One("")),
];

const HOSTS: &[(&str, Fate)] = &[
    ("GET /@ HTTP/1.1\r\nhost:shop.example\r\n\r\n", One("")),
    ("GET /@ HTTP/1.1\r\nHost: SHOP.example\r\n\r\n", One("")),
    ("GET /@ HTTP/1.1\r\nHost: shop.example:443\r\n\r\n", One("")),
    ("GET https://shop.example/@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", One("")),
    ("GET /@ HTTP/1.1\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost:\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: \t\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nHost: evil.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: evil.example\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\r\nhOST: evil.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example, evil.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example evil.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example/evil\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example?x\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example#x\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: evil@shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example:x\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example:443:80\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example:99999\r\n\r\n", Either),
    ("GET /@ HTTP/1.1\r\nHost: [shop.example]\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: https://shop.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop.example\u{b}\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: sh\u{f6}p.example\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: shop%2eexample\r\n\r\n", Refused),
    ("GET /@ HTTP/1.1\r\nHost: evil.example\r\n\r\n", Refused),
    ("GET https://evil.example/@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET https://shop.example/@ HTTP/1.1\r\nHost: evil.example\r\n\r\n", Refused),
    ("GET https://evil@shop.example/@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("GET https://shop.example/@ HTTP/1.1\r\n\r\n", Either),
    ("GET //evil.example/@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Either),
    ("GET shop.example/@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", Refused),
    ("TRACE /@ HTTP/1.1\r\nHost: shop.example\r\n\r\n", Refused),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refused),
];

#[test]
fn lines_and_names_in_doubt_are_refused() {
    block_on(play(LINES));
}

#[test]
fn hosts_in_doubt_are_refused() {
    block_on(play(HOSTS));
}

/// A body that comes with an upgrade, or bytes that come before the answer to one, are no way past.
#[test]
fn an_upgrade_carries_nothing_before_it_is_granted() {
    const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    block_on(play(&[
        (
            "GET /@ HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            One(""),
        ),
        (
            "POST /@ HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
            One("hello"),
        ),
        (
            "POST /@ HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
            One("hello"),
        ),
    ]));
    block_on(async {
        let origin = StrictOrigin::start().await;
        let proxy = super::proxy(&origin);
        for body in ["Content-Length: 49\r\n", ""] {
            let mut raw = Raw::h1(&proxy).await;
            let upgrade = "GET /up HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                           Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
            raw.write(format!("{upgrade}{body}\r\n{SMUGGLED}").as_bytes()).await;
            raw.read_to_end().await;
            // The origin did not switch. Bytes that were no body are a request of this client's own.
            assert!(origin.faults().is_empty(), "{body:?}: {:#?}", origin.faults());
            assert_eq!(Client::h1(&proxy).await.get("/own", &[]).await.text(), "for /own");
        }
        let upgrades = origin.requests("/up");
        assert!(upgrades.iter().all(|request| request.body.is_empty()), "{upgrades:?}");
        assert!(origin.requests("/smuggled").len() <= 1, "the body of an upgrade is no request");
    });
}

#[test]
fn naming_a_field_in_connection_changes_nothing_that_was_judged() {
    block_on(async {
        let origin = StrictOrigin::start().await;
        let proxy: Proxy = super::proxy(&origin);
        let named = [
            "cookie",
            "host",
            "content-length",
            "transfer-encoding",
            "authorization",
            "x-forwarded-for",
            "x-forwarded-host",
            "forwarded",
            "consent",
            "sec-gpc",
            "via",
            "x-real-ip",
            "content-type",
            "origin",
            "if-none-match",
        ];
        for name in named {
            let mut raw = Raw::h1(&proxy).await;
            let request = format!(
                "POST /{name} HTTP/1.1\r\nHost: shop.example\r\nConnection: close, {name}\r\nCookie: SHOPSID=1\r\nSec-GPC: 1\r\n\
                 Authorization: a\r\nX-Forwarded-For: 10.9.9.9\r\nForwarded: for=10.9.9.9\r\nX-Real-IP: 10.9.9.9\r\n\
                 Content-Type: a/b\r\nOrigin: https://shop.example\r\nContent-Length: 5\r\n\r\nhello"
            );
            raw.write(request.as_bytes()).await;
            raw.read_to_end().await;
            let [seen] = &origin.requests(&format!("/{name}"))[..] else { panic!("{name}") };
            assert_eq!(seen.body, b"hello", "{name}");
            for (field, value) in [
                ("host", HOST),
                ("cookie", "SHOPSID=1"),
                ("authorization", "a"),
                ("content-type", "a/b"),
                ("consent", "necessary"),
                ("sec-gpc", "1"),
                ("origin", "https://shop.example"),
                ("x-forwarded-for", "127.0.0.1"),
            ] {
                assert_eq!(seen.field(field), Some(value), "{field} with Connection: {name}");
            }
            assert!(!format!("{seen:?}").contains("10.9.9.9"), "{seen:?}");
        }
        assert!(origin.faults().is_empty(), "{:#?}", origin.faults());
    });
}
