use proptest::prelude::*;

use super::super::fixture::{self, head, lines};
use super::*;
use crate::policy::Finding;

const NAVIGATION: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

struct Case {
    granted: &'static [u8],
    apply: bool,
    refused: bool,
    method: Method,
}

const REFUSED: Case = Case { granted: &[0], apply: true, refused: true, method: Method::GET };

fn filtered(case: &Case, given: &[(&str, &str)]) -> (HeaderMap, Requested) {
    let (headers, outcome, _) = seen(case, given);
    (headers, outcome)
}

fn seen(case: &Case, given: &[(&str, &str)]) -> (HeaderMap, Requested, Vec<Finding>) {
    let mut findings = Vec::new();
    let policy = fixture::policy();
    let mut headers = head(given);
    let fetch = Fetch::read(&headers);
    let outcome = request(
        &policy,
        &fixture::grant(case.granted),
        &mut headers,
        &RequestContext {
            apply: case.apply,
            method: &case.method,
            fetch,
            own: &OwnCookies { choice: "consent", neighbours: &[] },
            consent: &ConsentHeader::new(&policy),
            refused: case.refused,
            pages: &fixture::grant(case.granted),
            salt: 0,
        },
        &mut findings,
    );
    (headers, outcome, findings)
}

fn cookies(granted: &'static [u8], given: &[&str]) -> Vec<String> {
    let given: Vec<_> = given.iter().map(|line| ("cookie", *line)).collect();
    let (headers, _) = filtered(&Case { granted, ..REFUSED }, &given);
    headers.get_all(COOKIE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
}

#[test]
fn cookies_that_are_not_granted_stay_behind() {
    for (granted, given, expected) in [
        (&[0_u8] as &'static [u8], &["sid=1; _ga=2; cart=3"] as &[&str], &["sid=1; cart=3"] as &[&str]),
        (&[0, 1], &["sid=1; _ga=2; _fbp=4; cart=3"], &["sid=1; _ga=2; cart=3"]),
        (&[0, 1, 2], &["sid=1;_ga=2;  _fbp=\"a, b\""], &["sid=1;_ga=2;  _fbp=\"a, b\""]),
        (&[0], &["_ga=2; _fbp=1"], &[]),
        // HTTP/2 crumbs.
        (&[0], &["sid=1", "_ga=2", "cart=3"], &["sid=1", "cart=3"]),
        (&[0], &["_ga=1", "_ga=2"], &[]),
        // Nobody knows it.
        (&[0, 1, 2], &["sid=1; mystery=1"], &["sid=1"]),
        // Nameless ones are what the origin reads.
        (&[0], &["=_ga=1; sid=2; _ga"], &["sid=2"]),
        // Ours.
        (&[0, 1, 2], &["consent=v1; sid=1; __Host-consentry-session=1; __Secure-consentry=v1"], &["sid=1"]),
        // `app` was renamed on its way out; `sid` was not, so that `__Host-sid` is the origin's own name.
        (&[0], &["__Host-app=1; __Host-sid=2"], &["app=1; __Host-sid=2"]),
        (&[0], &["app=tossed", "__Host-app=1; app=2; sid=3"], &["app=1; sid=3"]),
        // Without a name any sub-domain can set it: it is not ours, and takes the place of nothing.
        (&[0], &["=__Host-app=1; app=2"], &["=__Host-app=1; app=2"]),
        (&[0], &["__Host-app; =__Host-app=1; __Host-app=3"], &["__Host-app; =__Host-app=1; app=3"]),
        (&[0], &["app=1"], &["app=1"]),
    ] {
        assert_eq!(cookies(granted, given), expected, "{granted:?} {given:?}");
    }
}

#[test]
fn dropped_cookies_are_remembered_for_expiry_only_where_a_refusing_visitor_opens_a_page() {
    let cookie = ("cookie", "_ga=1; sid=1; _fbp=2; _ga=3; mystery=1; consent=x; =_ga4=1");
    let names = |case: &Case, lines: &[(&str, &str)]| {
        let (_, outcome) = filtered(case, lines);
        outcome.expire.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>()
    };
    let navigation = [&NAVIGATION[..], &[cookie]].concat();
    assert_eq!(names(&REFUSED, &navigation), ["_ga", "_fbp", "mystery"]);
    assert!(names(&Case { refused: false, ..REFUSED }, &navigation).is_empty());
    assert!(names(&REFUSED, &[cookie]).is_empty());
    assert!(names(&REFUSED, &[cookie, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]).is_empty());
    let many: String = (0..100).map(|n| format!("_ga{n}=1; ")).collect();
    assert_eq!(names(&REFUSED, &[NAVIGATION[0], NAVIGATION[1], ("cookie", &many)]).len(), 32);
}

#[test]
fn the_origin_learns_the_grant_from_us_alone() {
    let (headers, _) = filtered(&REFUSED, &[("consent", "necessary, marketing"), ("consent", "x")]);
    assert_eq!(lines(&headers), ["consent: necessary"]);
    let (headers, _) = filtered(&Case { granted: &[0, 1], ..REFUSED }, &[]);
    assert_eq!(lines(&headers), ["consent: necessary, analytics"]);
}

#[test]
fn nothing_changes_in_observe_mode_but_findings_tell() {
    let given = [
        ("accept", "text/html"),
        ("accept-encoding", "gzip, exi"),
        ("consent", "necessary, marketing"),
        ("cookie", "_ga=1; sid=1; consent=x"),
        ("if-none-match", "\"x\""),
        ("range", "bytes=0-"),
    ];
    let (headers, _, findings) = seen(&Case { apply: false, ..REFUSED }, &given);
    assert_eq!(lines(&headers), lines(&head(&given)));
    let seen: Vec<_> = findings.iter().map(|finding| (&*finding.name, finding.action)).collect();
    // Our own cookie is nobody's finding.
    assert_eq!(seen, [("_ga", FindingAction::Strip), ("sid", FindingAction::Keep)]);
}

#[test]
fn documents_are_asked_for_whole_and_in_a_coding_that_we_read() {
    let ranged = [("range", "bytes=5-"), ("if-range", "\"x\""), ("accept-encoding", "gzip, dcb")];
    let asked = |more: &[(&str, &str)]| lines(&filtered(&REFUSED, &[&ranged[..], more].concat()).0);
    assert_eq!(asked(&[("accept", "text/html")]), ["accept: text/html", "accept-encoding: gzip", "consent: necessary"]);
    let part = asked(&[("sec-fetch-dest", "video"), ("sec-fetch-mode", "no-cors")]);
    assert!(part.contains(&"range: bytes=5-".to_owned()) && part.contains(&"accept-encoding: gzip, dcb".to_owned()));
    // A download by a tool may be anything: the range stays, the coding must be readable.
    let tool = asked(&[("accept", "*/*")]);
    assert!(tool.contains(&"range: bytes=5-".to_owned()) && tool.contains(&"accept-encoding: gzip".to_owned()));
}

#[test]
fn codings_that_we_know_keep_their_bytes() {
    for (given, expected) in [
        (
            &["gzip,deflate,  br;q=0.9 , zstd"] as &[&str],
            &["accept-encoding: gzip,deflate,  br;q=0.9 , zstd"] as &[&str],
        ),
        (&["identity;q=1, gzip", "br"], &["accept-encoding: identity;q=1, gzip", "accept-encoding: br"]),
        (&["*"], &["accept-encoding: gzip, br, zstd, deflate"]),
        (&["exi", "br"], &["accept-encoding: br"]),
        (&["exi"], &["accept-encoding: identity"]),
        (&[], &[]),
    ] {
        let given: Vec<_> = given.iter().map(|line| ("accept-encoding", *line)).collect();
        let (mut headers, _) = filtered(&REFUSED, &given);
        headers.remove(CONSENT);
        assert_eq!(lines(&headers), expected);
    }
}

#[test]
fn a_page_of_another_mind_is_not_revalidated() {
    let policy = fixture::policy();
    let tag = |granted: &[u8]| {
        let suffix = Suffix::new(&policy, &fixture::grant(granted));
        validators::encode(b"\"x\"", suffix).unwrap().to_str().unwrap().to_owned()
    };
    for (made_under, kept) in [(&[0_u8] as &[u8], true), (&[0, 1], false)] {
        let tag = tag(made_under);
        let given = [("accept", "text/html"), ("if-none-match", &*tag), ("if-modified-since", "yesterday")];
        let (headers, outcome) = filtered(&REFUSED, &given);
        assert_eq!(headers.get("if-none-match").is_some_and(|tag| tag == "\"x\""), kept);
        assert_eq!(headers.contains_key("if-modified-since"), kept);
        assert_eq!(outcome.conditional, Conditional::Filtered);
    }
}

proptest! {
    #[test]
    fn no_spelling_brings_a_refused_cookie_to_the_origin(given in r#"[ \t;=,"]{0,4}(_ga|_fbp)[ \t;=,"a]{0,4}(; ?sid=1)?"#) {
        let (headers, _) = filtered(&REFUSED, &[("cookie", given.trim())]);
        for line in headers.get_all(COOKIE) {
            for pair in cookie::pairs(line.as_bytes()) {
                prop_assert!(pair.name() == b"sid", "{line:?}");
            }
        }
    }
}
