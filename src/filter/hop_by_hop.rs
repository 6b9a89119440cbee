//! Removes what is meant for one connection only (RFC 9110 §7.6.1), on the way to the origin and back.
//!
//! Framing is the protocol engine's: no `Transfer-Encoding` of a peer is ever passed on.

use http::header::{CONNECTION, HeaderName, HeaderValue, TE};
use http::{HeaderMap, header};

use super::list;
use super::removal::remove_where;

/// End-to-end fields stay, whatever `Connection` says of them: a client that names `cookie`, `authorization` or
/// `x-forwarded-for` there wants the origin to see another request than the one that was judged (threat 20).
const END_TO_END: [HeaderName; 40] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::DNT,
    header::ETAG,
    header::EXPECT,
    header::FORWARDED,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::LOCATION,
    header::ORIGIN,
    header::PRAGMA,
    header::RANGE,
    header::REFERER,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::TRAILER,
    header::USER_AGENT,
    header::VARY,
    header::VIA,
    header::WWW_AUTHENTICATE,
    header::X_CONTENT_TYPE_OPTIONS,
    header::X_FRAME_OPTIONS,
    HeaderName::from_static("consent"),
    HeaderName::from_static("sec-gpc"),
    HeaderName::from_static("x-real-ip"),
];

/// Cleans a request. `upgrade` keeps a WebSocket upgrade, which the caller has found to be one.
///
/// Names with `_` go, as in nginx: to CGI, WSGI and their kin `X_Forwarded_For` is `X-Forwarded-For` (RFC 3875 §4.1.18).
pub fn request(headers: &mut HeaderMap, upgrade: bool) {
    let trailers = headers.get_all(TE).iter().any(|line| {
        list::elements(line.as_bytes()).any(|coding| {
            let name = list::split(coding, b';').next().unwrap_or_default();
            name.trim_ascii().eq_ignore_ascii_case(b"trailers")
        })
    });
    remove_named(headers);
    remove_where(headers, |name| is_of_this_hop(name, upgrade) || name.contains('_'));
    keep_upgrade(headers, upgrade);
    if trailers && !upgrade {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        // RFC 9110 §10.1.4: who sends TE names it, so that the next hop drops it.
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// Cleans a response. `upgrade` is true for a 101 that answers an upgrade of ours.
pub fn response(headers: &mut HeaderMap, upgrade: bool) {
    clean(headers, upgrade);
}

/// Cleans an informational answer (1xx), which has no content of which to say anything (RFC 9110 §8.6).
pub fn informational(headers: &mut HeaderMap) {
    clean(headers, false);
    [header::CONTENT_LENGTH, header::TRAILER].iter().for_each(|name| drop(headers.remove(name)));
}

/// Removes from trailers what must not be merged into a head that was judged already (RFC 9110 §6.5.1): framing,
/// routing, credentials, cookies, cache orders and what describes the content.
pub fn trailers(headers: &mut HeaderMap) {
    const FORBIDDEN: [HeaderName; 27] = [
        header::AGE,
        header::ALT_SVC,
        header::AUTHORIZATION,
        header::CACHE_CONTROL,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::CONTENT_SECURITY_POLICY,
        header::CONTENT_TYPE,
        header::COOKIE,
        header::EXPECT,
        header::EXPIRES,
        header::HOST,
        header::LINK,
        header::LOCATION,
        header::MAX_FORWARDS,
        header::RANGE,
        header::REFRESH,
        header::RETRY_AFTER,
        header::SET_COOKIE,
        header::STRICT_TRANSPORT_SECURITY,
        header::TRAILER,
        header::VARY,
        header::WWW_AUTHENTICATE,
        HeaderName::from_static("consent"),
        HeaderName::from_static("set-cookie2"),
        HeaderName::from_static("forwarded"),
    ];
    clean(headers, false);
    FORBIDDEN.iter().for_each(|name| drop(headers.remove(name)));
}

fn clean(headers: &mut HeaderMap, upgrade: bool) {
    remove_named(headers);
    remove_where(headers, |name| is_of_this_hop(name, upgrade));
    keep_upgrade(headers, upgrade);
}

fn is_of_this_hop(name: &str, upgrade: bool) -> bool {
    is_hop_by_hop(name) && !(upgrade && name == "upgrade")
}

fn keep_upgrade(headers: &mut HeaderMap, upgrade: bool) {
    if upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// `Connection` itself, and what is of one connection whether or not `Connection` names it.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-authentication-info"
            // Of the h2c upgrade that we never do (RFC 9113 §3.1).
            | "http2-settings"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Removes what `Connection` names. Allocates only where it names something unusual.
fn remove_named(headers: &mut HeaderMap) {
    let unusual = |token: &[u8]| {
        !["keep-alive", "close", "upgrade", "te"].iter().any(|usual| token.eq_ignore_ascii_case(usual.as_bytes()))
    };
    if !headers.get_all(CONNECTION).iter().any(|line| list::elements(line.as_bytes()).any(unusual)) {
        return;
    }
    let lines: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    for token in lines.iter().flat_map(|line| list::elements(line.as_bytes())).filter(|token| unusual(token)) {
        let Ok(name) = HeaderName::from_bytes(token) else { continue };
        if !is_end_to_end(&name) {
            headers.remove(name);
        }
    }
}

fn is_end_to_end(name: &HeaderName) -> bool {
    END_TO_END.contains(name)
        || ["sec-", "x-forwarded-", "access-control-", "content-", "set-cookie"]
            .iter()
            .any(|prefix| name.as_str().starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).fold(
            HeaderMap::new(),
            |mut map, (name, value)| {
                map.append(name, value);
                map
            },
        )
    }

    fn text(headers: &HeaderMap) -> Vec<String> {
        let mut lines: Vec<_> = headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn request_fields_of_one_hop_go() {
        let mut head = headers(&[
            ("host", "example.com"),
            ("connection", "keep-alive, X-Mine"),
            ("connection", "x-other"),
            ("x-mine", "1"),
            ("x-other", "1"),
            ("x-theirs", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAAP__"),
            ("te", "gzip"),
            ("trailer", "expires"),
        ]);
        request(&mut head, false);
        assert_eq!(text(&head), ["host: example.com", "trailer: expires", "x-theirs: 1"]);
    }

    #[test]
    fn naming_a_field_that_matters_does_not_remove_it() {
        let kept = [
            "cookie",
            "set-cookie",
            "set-cookie2",
            "content-length",
            "host",
            "authorization",
            "consent",
            "sec-gpc",
            "dnt",
            "sec-fetch-site",
            "x-forwarded-for",
            "x-forwarded-proto",
            "forwarded",
            "x-real-ip",
            "content-type",
            "content-encoding",
            "origin",
            "if-none-match",
            "vary",
            "cache-control",
            "content-security-policy",
            "strict-transport-security",
            "access-control-allow-origin",
        ];
        for name in kept {
            let mut head = HeaderMap::new();
            head.insert(CONNECTION, HeaderValue::from_str(&name.to_uppercase()).unwrap());
            head.insert(HeaderName::from_static(name), HeaderValue::from_static("x"));
            request(&mut head, false);
            assert!(head.contains_key(name), "{name}");
            assert!(!head.contains_key(CONNECTION));
        }
    }

    #[test]
    fn what_an_application_would_take_for_another_field_goes() {
        let lines = [("x_forwarded_for", "6.6.6.6"), ("content_length", "5"), ("a_b", "1"), ("a-b", "2"), ("_", "3")];
        let mut head = headers(&lines);
        request(&mut head, false);
        assert_eq!(text(&head), ["a-b: 2"]);
        let mut head = headers(&lines);
        response(&mut head, false);
        assert_eq!(text(&head).len(), 5, "the site's own names are its own");
    }

    #[test]
    fn te_goes_on_as_trailers_only_where_the_client_sent_it() {
        for (te, expected) in [
            ("trailers", Some("trailers")),
            ("Trailers, deflate;q=0.5", Some("trailers")),
            ("deflate", None),
            ("xtrailers", None),
        ] {
            let mut head = headers(&[("connection", "te"), ("te", te)]);
            request(&mut head, false);
            assert_eq!(head.get(TE).map(|v| v.to_str().unwrap()), expected, "{te}");
        }
        let mut head = headers(&[]);
        request(&mut head, false);
        assert!(head.is_empty());
    }

    #[test]
    fn upgrade_stays_only_where_the_caller_wants_it() {
        let lines = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")];
        let mut head = headers(&lines);
        request(&mut head, true);
        assert_eq!(text(&head), ["connection: upgrade", "sec-websocket-version: 13", "upgrade: websocket"]);
        let mut head = headers(&lines);
        response(&mut head, false);
        assert_eq!(text(&head), ["sec-websocket-version: 13"]);
    }

    #[test]
    fn trailers_bring_no_cookies_and_no_framing() {
        let mut head = headers(&[
            ("set-cookie", "_ga=1"),
            ("set-cookie2", "_ga=1"),
            ("cookie", "_ga=1"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
            ("vary", "x"),
            ("grpc-status", "0"),
            ("server-timing", "db;dur=1"),
            ("content-digest", "x"),
        ]);
        trailers(&mut head);
        assert_eq!(text(&head), ["content-digest: x", "grpc-status: 0", "server-timing: db;dur=1"]);
    }

    #[test]
    fn garbage_in_connection_is_no_name() {
        let mut head = headers(&[("connection", "\"a, b\", (), , x y"), ("x", "1"), ("y", "1")]);
        request(&mut head, false);
        assert_eq!(text(&head), ["x: 1", "y: 1"]);
    }
}
