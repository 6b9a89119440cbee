use proptest::prelude::*;

use super::super::fixture::{self, head, lines};
use super::*;
use crate::policy::Finding;

/// 2026-01-01.
const NOW: UnixTime = UnixTime(1_767_225_600);

struct Case<'a> {
    granted: &'a [u8],
    apply: bool,
    body: Body,
    status: u16,
    expire: &'a [&'a str],
    conditional: Conditional,
    keyed: bool,
    marker: Option<&'a str>,
    shared: bool,
    told_by: &'static [&'static str],
}

const PLAIN: Case<'_> = Case {
    granted: &[0],
    apply: true,
    body: Body::Plain,
    status: 200,
    expire: &[],
    conditional: Conditional::Plain,
    keyed: false,
    marker: None,
    shared: false,
    told_by: &[],
};

fn filtered(case: &Case<'_>, given: &[(&str, &str)]) -> (Vec<String>, Vec<Finding>) {
    let mut headers = head(given);
    let mut findings = Vec::new();
    response(
        &fixture::policy(),
        &fixture::grant(case.granted),
        &mut headers,
        &ResponseContext {
            apply: case.apply,
            now: NOW,
            status: StatusCode::from_u16(case.status).unwrap(),
            body: case.body,
            address: Address { authority: "www.shop.example", target: "/a/b" },
            requested: &Requested {
                navigation: true,
                conditional: case.conditional,
                expire: case.expire.iter().map(|name| name.as_bytes().into()).collect(),
                cross_site: false,
            },
            salt: 0,
            told_by: case.told_by,
            keyed: case.keyed,
            marker: case.marker,
            pages: case.shared.then_some(&fixture::grant(&[0])),
        },
        &mut findings,
    );
    (lines(&headers), findings)
}

fn set(granted: &[u8], given: &[&str]) -> Vec<String> {
    let given: Vec<_> = given.iter().map(|line| ("set-cookie", *line)).collect();
    let (lines, _) = filtered(&Case { granted, ..PLAIN }, &given);
    lines.iter().filter_map(|line| line.strip_prefix("set-cookie: ").map(str::to_owned)).collect()
}

#[test]
fn set_cookie_lines_are_judged_one_by_one_in_order() {
    let hardened = |line: &str| format!("{line}; HttpOnly; Secure; SameSite=Strict");
    let sid = hardened("sid=1; path=/");
    for (granted, given, expected) in [
        (
            &[0_u8] as &[u8],
            &["cart=1;  Path=/ ;x", "_ga=2", "cart=3"] as &[&str],
            &["cart=1;  Path=/ ;x", "cart=3"] as &[&str],
        ),
        (&[0, 1], &["_ga=2; Path=/", "_fbp=1"], &["_ga=2; Path=/"]),
        (&[0, 1, 2], &["_fbp=1; SameSite=None", "mystery=1"], &["_fbp=1; SameSite=None"]),
        (&[0], &["=_ga=1", "_ga", "  _ga =1", "_ga%5Fx=1"], &[]),
        // One line is one cookie.
        (&[0], &["cart=1, _ga=2; Path=/"], &["cart=1, _ga=2; Path=/"]),
        (&[0], &["_ga=1, cart=2"], &[]),
        (&[0], &["sid=1; path=/"], &[&sid]),
        (&[0], &[&sid], &[&sid]),
        (&[0], &["csrf=1"], &["csrf=1; Secure; SameSite=Lax"]),
        (&[0], &["app=1; Domain=shop.example"], &["__Host-app=1; Path=/; HttpOnly; Secure; SameSite=Strict"]),
        (&[0], &["lang=de; Max-Age=999999", "lang=de; Max-Age=60"], &["lang=de; Max-Age=86400", "lang=de; Max-Age=60"]),
        // Deletions pass, and follow a cookie to its new name.
        (
            &[0],
            &["_ga=; Max-Age=0; Path=/", "_fbp=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
            &["_ga=; Max-Age=0; Path=/", "_fbp=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
        ),
        (&[0], &["sid=; Max-Age=-1"], &["sid=; Max-Age=-1"]),
    ] {
        assert_eq!(set(granted, given), expected, "{granted:?} {given:?}");
    }
    let deleted = set(&[0], &["app=; Max-Age=0"]);
    assert!(deleted[0].starts_with("__Host-app=; Max-Age=0") && deleted[0].contains("; Secure"), "{deleted:?}");
}

#[test]
fn findings_say_what_happened_to_each_cookie() {
    let given = [
        ("set-cookie", "cart=1"),
        ("set-cookie", "_ga=1"),
        ("set-cookie", "sid=1"),
        ("set-cookie", "lang=de; Max-Age=999999"),
    ];
    for apply in [true, false] {
        let (_, findings) = filtered(&Case { apply, ..PLAIN }, &given);
        let seen: Vec<_> = findings.iter().map(|finding| (&*finding.name, finding.action)).collect();
        use FindingAction::{Cap, Harden, Keep, Strip};
        assert_eq!(seen, [("cart", Keep), ("_ga", Strip), ("sid", Harden), ("lang", Cap)]);
    }
}

const RICH: [(&str, &str); 14] = [
    ("accept-ranges", "bytes"),
    ("alt-svc", "h3=\":443\""),
    ("cache-control", "public, max-age=60"),
    ("content-length", "5"),
    ("content-md5", "x"),
    ("content-type", "text/html"),
    ("digest", "x"),
    ("etag", "\"x\""),
    ("link", "<https://ads.example/x.js>; rel=preload"),
    ("observe-browsing-topics", "?1"),
    ("refresh", "5; url=//a.ga.example/"),
    ("set-cookie", "_ga=1"),
    ("set-cookie", "cart=1"),
    ("set-cookie2", "_ga=1"),
];

#[test]
fn nothing_changes_in_observe_mode() {
    let case = Case { apply: false, body: Body::Rewritten, expire: &[], ..PLAIN };
    let (after, findings) = filtered(&case, &RICH);
    assert_eq!(after, lines(&head(&RICH)));
    assert!(findings.len() >= 5, "{findings:?}");
}

#[test]
fn nothing_changes_where_nothing_applies() {
    let given = [
        ("accept-ranges", "bytes"),
        ("cache-control", "Public,Max-Age=60"),
        ("content-length", "5"),
        ("content-type", "image/png"),
        ("digest", "x"),
        ("etag", "\"x\""),
        ("link", "</s.css>;rel=preload ,  </t>"),
        ("nel", "{}"),
        ("set-cookie", "cart=1;  path=/;;"),
        ("surrogate-control", "max-age=9"),
        ("vary", "Accept"),
    ];
    for status in [103, 200, 204, 301, 304, 404, 500] {
        let (after, _) = filtered(&Case { status, ..PLAIN }, &given);
        assert_eq!(after, lines(&head(&given)));
    }
}

#[test]
fn a_rewritten_page_tells_no_lies_about_its_bytes() {
    let (after, _) = filtered(&Case { body: Body::Rewritten, ..PLAIN }, &RICH);
    let suffix = Suffix::new(&fixture::policy(), &fixture::grant(&[0]));
    let tag = validators::encode(b"\"x\"", suffix).unwrap();
    assert_eq!(
        after,
        [
            "cache-control: max-age=60, private",
            "content-type: text/html",
            &format!("etag: {}", tag.to_str().unwrap()),
            "set-cookie: cart=1",
            "vary: Cookie",
            "vary: Sec-GPC",
        ]
    );
}

#[test]
fn a_page_that_passed_keeps_its_length_but_not_its_tag() {
    let (after, _) = filtered(&Case { body: Body::Passed, granted: &[0, 1, 2], ..PLAIN }, &RICH);
    for kept in ["content-length: 5", "accept-ranges: bytes", "digest: x", "observe-browsing-topics: ?1"] {
        assert!(after.contains(&kept.to_owned()), "{kept}");
    }
    assert!(after.iter().any(|line| line.starts_with("etag: W/\"x~")));
    assert!(after.contains(&"cache-control: max-age=60, private".to_owned()));
}

#[test]
fn a_304_to_a_filtered_page_is_one_of_it() {
    let given = [("etag", "\"x\""), ("cache-control", "max-age=9"), ("content-length", "5"), ("repr-digest", "x")];
    let (after, _) = filtered(&Case { status: 304, conditional: Conditional::Filtered, ..PLAIN }, &given);
    assert_eq!(after[0], "cache-control: max-age=9, private");
    assert!(after[1].starts_with("etag: W/\"x~"), "{after:?}");
}

#[test]
fn answers_with_cookies_of_one_visitor_are_for_no_shared_cache() {
    let public = ("cache-control", "public, max-age=60");
    for (granted, cookie, private) in [
        (&[0_u8] as &[u8], "cart=1", false),
        (&[0], "_ga=1", true),
        (&[0, 1], "_ga=1", true),
        (&[0], "sid=1", true),
        (&[0], "_ga=; Max-Age=0", true),
    ] {
        for keyed in [false, true] {
            let (after, _) = filtered(&Case { granted, keyed, ..PLAIN }, &[public, ("set-cookie", cookie)]);
            assert_eq!(after.contains(&"cache-control: max-age=60, private".to_owned()), private, "{cookie}");
        }
    }
}

#[test]
fn unclassified_cookies_that_count_as_a_category_depend_on_the_grant() {
    let mut parts = fixture::parts();
    parts.unclassified = crate::policy::Unclassified::Category(crate::policy::CategoryId(1));
    let policy = fixture::compile(parts);
    for granted in [&[0_u8] as &[u8], &[0, 1]] {
        let judge =
            Judge { policy: &policy, grant: &fixture::grant(granted), apply: true, now: NOW, cross_site: false };
        let mut headers = head(&[("set-cookie", "mystery=1")]);
        assert!(judge.filter(&mut headers, &mut ()).personal);
        assert_eq!(headers.contains_key(SET_COOKIE), granted.len() == 2);
    }
}

#[test]
fn a_keyed_cache_may_keep_pages() {
    let given = [("cache-control", "public, s-maxage=60"), ("surrogate-control", "max-age=9")];
    let (after, _) = filtered(&Case { keyed: true, body: Body::Rewritten, ..PLAIN }, &given);
    assert_eq!(
        after,
        [
            "cache-control: public, s-maxage=60",
            "surrogate-control: max-age=9",
            "vary: Consent",
            "vary: Accept-Encoding",
        ]
    );
}

#[test]
fn links_and_advertising_follow_the_grant() {
    let given = [
        ("attribution-reporting-register-source", "{}"),
        ("link", "</a>; rel=next, <https://x.ga.example/ga.js>; rel=preload, <//ads.example>; rel=preconnect"),
        ("observe-browsing-topics", "?1"),
    ];
    for (granted, expected) in [
        (&[0_u8] as &[u8], &["link: </a>; rel=next"] as &[&str]),
        (&[0, 1], &["link: </a>; rel=next, <https://x.ga.example/ga.js>; rel=preload"]),
        (
            &[0, 2],
            &[
                "attribution-reporting-register-source: {}",
                "link: </a>; rel=next, <//ads.example>; rel=preconnect",
                "observe-browsing-topics: ?1",
            ],
        ),
    ] {
        assert_eq!(filtered(&Case { granted, ..PLAIN }, &given).0, expected, "{granted:?}");
    }
}

#[test]
fn advertising_without_a_marketing_category_needs_every_category() {
    let mut parts = fixture::parts();
    parts.categories[2].id = "partners".into();
    parts.categories[2].catalogue.clear();
    let policy = fixture::compile(parts);
    for (granted, expected) in [(&[0_u8] as &[u8], false), (&[0, 2], false), (&[0, 1, 2], true)] {
        assert_eq!(grants_advertising(&policy, &fixture::grant(granted)), expected);
    }
    let mut parts = fixture::parts();
    parts.categories.truncate(1);
    parts.services.clear();
    assert!(!grants_advertising(&fixture::compile(parts), &fixture::grant(&[0])));
}

#[test]
fn refused_cookies_are_deleted_in_the_browser() {
    let (after, findings) = filtered(&Case { expire: &["_ga"], ..PLAIN }, &[("set-cookie", "cart=1")]);
    assert_eq!(
        after,
        [
            "cache-control: private",
            "set-cookie: cart=1",
            "set-cookie: _ga=; Max-Age=0; Path=/",
            "set-cookie: _ga=; Max-Age=0; Path=/; Domain=www.shop.example",
            "set-cookie: _ga=; Max-Age=0; Path=/; Domain=shop.example",
        ]
    );
    assert!(findings.iter().any(|finding| finding.action == FindingAction::Expire));
    let (early, _) =
        filtered(&Case { expire: &["_ga"], status: 103, marker: Some("has"), ..PLAIN }, &[("link", "</a>")]);
    assert_eq!(early, ["link: </a>"]);
}

proptest! {
    #[test]
    fn no_spelling_sets_a_refused_cookie(line in r#"[ \t=]{0,3}(_ga|_fbp)[ \t]{0,2}(=[a,"]{0,3})?(; ?(HttpOnly|Path=/|SameSite=None|x=_ga)){0,3}"#) {
        prop_assert_eq!(set(&[0], &[line.trim()]), Vec::<String>::new());
    }

    #[test]
    fn a_granted_cookie_keeps_its_bytes(line in r#"cart=[ -:<-~]{0,12}(; ?[a-zA-Z]{0,9}(=[ -:<-~]{0,9})?){0,4}"#) {
        let line = line.trim();
        prop_assert_eq!(set(&[0, 1, 2], &[line]), [line]);
    }
}

#[test]
fn the_marker_follows_strict_sessions() {
    let marker = |cookie: &str| {
        let (after, _) = filtered(&Case { marker: Some("has"), ..PLAIN }, &[("set-cookie", cookie)]);
        after.into_iter().find_map(|line| line.strip_prefix("set-cookie: has=").map(str::to_owned))
    };
    assert_eq!(marker("sid=1").as_deref(), Some("1; Path=/; Secure; HttpOnly; SameSite=Lax"));
    assert_eq!(marker("sid=1; Max-Age=60").as_deref(), Some("1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"));
    assert_eq!(marker("sid=; Max-Age=0").as_deref(), Some("1; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"));
    assert_eq!(marker("csrf=1"), None);
    assert_eq!(marker("cart=1"), None);
}

#[test]
fn page_that_is_the_same_for_everybody_may_be_kept_by_any_cache() {
    let given = [("cache-control", "public, max-age=60"), ("etag", "\"v1\"")];
    let of = |granted| filtered(&Case { granted, body: Body::Rewritten, shared: true, ..PLAIN }, &given).0;
    let lines = of(&[0]);
    assert!(lines.contains(&"cache-control: public, max-age=60".to_owned()), "{lines:?}");
    assert!(lines.contains(&"vary: Accept-Encoding".to_owned()), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("vary") && line.contains("Cookie")), "{lines:?}");
    assert_eq!(of(&[0, 1, 2]), lines);
    let personal = filtered(
        &Case { body: Body::Rewritten, shared: true, ..PLAIN },
        &[("cache-control", "public"), ("set-cookie", "_ga=1")],
    );
    assert!(personal.0.contains(&"cache-control: private".to_owned()), "{personal:?}");
}
