//! Tables of lines before and after an edit.

use std::borrow::Cow;

use super::*;

const FULL: Edits = Edits {
    http_only: true,
    remove_http_only: false,
    secure: true,
    same_site: Some(SameSite::Strict),
    remove_domain: false,
    host_prefix: false,
    cap: None,
};
const HOST: Edits = Edits { host_prefix: true, ..FULL };

fn check(edits: &Edits, cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let cookie = SetCookie::parse(line.as_bytes());
        let edited = edit(&cookie, edits, NOW);
        assert_eq!(String::from_utf8_lossy(&edited), *expected, "{line}");
        assert_eq!(matches!(edited, Cow::Borrowed(_)), line == expected, "{line}");
    }
}

#[test]
fn hardening_leaves_one_of_each_flag_in_any_spelling() {
    check(
        &FULL,
        &[
            ("sid=1", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Path=/", "sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; HttpOnly", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; SameSite=Lax; Path=/", "sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; SameSite=Strict; SameSite=None", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Secure; secure; SECURE=1;HttpOnly=", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1;httponly;samesite=none;secure", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; SameSite=\"Strict\"; Secure; HttpOnly", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; SameSite=Strict; Secure=false; HttpOnly", "sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; \t samesite\t=\tLax ;Path=/a", "sid=1;Path=/a; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; SameSite", "sid=1; HttpOnly; Secure; SameSite=Strict"),
        ],
    );
}

#[test]
fn hardening_leaves_every_other_byte() {
    check(
        &FULL,
        &[
            ("sid=1; HttpOnlyx; XSecure", "sid=1; HttpOnlyx; XSecure; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; \"HttpOnly\"; =Secure", "sid=1; \"HttpOnly\"; =Secure; HttpOnly; Secure; SameSite=Strict"),
            ("sid=\"a;b\"; Path=/", "sid=\"a;b\"; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("sid=a, b=c", "sid=a, b=c; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1;", "sid=1;; HttpOnly; Secure; SameSite=Strict"),
            (" sid = 1 ;;  ; Priority=High", " sid = 1 ;;  ; Priority=High; HttpOnly; Secure; SameSite=Strict"),
            ("=sid=1; secure", "=sid=1; HttpOnly; Secure; SameSite=Strict"),
            ("sid", "sid; HttpOnly; Secure; SameSite=Strict"),
            ("sid=é\u{a0}; X=ü", "sid=é\u{a0}; X=ü; HttpOnly; Secure; SameSite=Strict"),
            ("sid=HttpOnly; Path=Secure", "sid=HttpOnly; Path=Secure; HttpOnly; Secure; SameSite=Strict"),
        ],
    );
    let edited = edit(&SetCookie::parse(b"s=\xff\xfe; \x80=\x81"), &FULL, NOW).into_owned();
    assert_eq!(edited, b"s=\xff\xfe; \x80=\x81; HttpOnly; Secure; SameSite=Strict");
}

#[test]
fn what_is_hard_already_stays_as_it_came() {
    for line in [
        "sid=1; HttpOnly; Secure; SameSite=Strict",
        "sid=1;samesite=strict;secure;httponly;",
        "sid=1; Secure ; Path=/; SAMESITE = STRICT; httpOnly=; X=\u{e9}",
    ] {
        check(&FULL, &[(line, line)]);
    }
}

#[test]
fn parts_of_a_hardening_leave_the_rest_to_the_origin() {
    let lax = Edits { http_only: false, same_site: Some(SameSite::Lax), ..FULL };
    check(
        &lax,
        &[
            ("csrf=1; SameSite=None", "csrf=1; Secure; SameSite=Lax"),
            ("csrf=1; HttpOnly; Secure", "csrf=1; HttpOnly; Secure; SameSite=Lax"),
        ],
    );
    let readable = Edits { remove_http_only: true, ..lax };
    check(
        &readable,
        &[
            ("csrf=1; HttpOnly; Path=/", "csrf=1; Path=/; Secure; SameSite=Lax"),
            ("csrf=1; httponly=1; Secure; SameSite=Lax; HttpOnly", "csrf=1; Secure; SameSite=Lax"),
            ("csrf=1; Secure; SameSite=Lax", "csrf=1; Secure; SameSite=Lax"),
            // Browsers refuse these without.
            ("__Http-csrf=1; HttpOnly", "__Http-csrf=1; HttpOnly; Secure; SameSite=Lax"),
            ("__host-http-csrf=1; HttpOnly", "__host-http-csrf=1; HttpOnly; Secure; SameSite=Lax"),
        ],
    );
    let keep = Edits { same_site: None, ..FULL };
    check(&keep, &[("a=1; SameSite=None; SameSite=Lax", "a=1; SameSite=None; SameSite=Lax; HttpOnly; Secure")]);
    // Browsers refuse SameSite=None without Secure.
    let none = Edits { same_site: Some(SameSite::None), ..Edits::default() };
    check(
        &none,
        &[
            ("a=1; SameSite=Lax", "a=1; Secure; SameSite=None"),
            ("a=1; Secure; SameSite=None", "a=1; Secure; SameSite=None"),
        ],
    );
}

#[test]
fn domain_is_removed_in_every_copy() {
    let edits = Edits { remove_domain: true, ..Edits::default() };
    check(
        &edits,
        &[
            ("a=1; Domain=.example.com; Path=/", "a=1; Path=/"),
            ("a=1;domain=a;Secure; DOMAIN = b", "a=1;Secure"),
            ("a=1; Domain", "a=1"),
            ("a=1; Path=/", "a=1; Path=/"),
        ],
    );
}

#[test]
fn host_prefix_is_taken_only_where_browsers_keep_the_cookie() {
    check(
        &HOST,
        &[
            ("sid=1", "__Host-sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Path=/; Domain=x.example", "__Host-sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            (" sid=1; path = / ; Secure", " __Host-sid=1; path = / ; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Path=/a; Path=/", "__Host-sid=1; Path=/a; Path=/; HttpOnly; Secure; SameSite=Strict"),
            // Any other path would come to reach more of the site than the origin wants.
            ("sid=1; Path=/a; Domain=x", "sid=1; Path=/a; Domain=x; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Path=/; Path=/a", "sid=1; Path=/; Path=/a; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Path=", "sid=1; Path=; HttpOnly; Secure; SameSite=Strict"),
            ("sid=1; Path=\"/\"", "sid=1; Path=\"/\"; HttpOnly; Secure; SameSite=Strict"),
            // Nameless, or prefixed already.
            ("=sid=1; Path=/", "=sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("sid; Path=/", "sid; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("__Host-sid=1; Path=/; Secure", "__Host-sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("__host-sid=1; Path=/", "__host-sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("__SECURE-sid=1; Domain=x", "__SECURE-sid=1; Domain=x; HttpOnly; Secure; SameSite=Strict"),
            ("__Http-sid=1; Path=/", "__Http-sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("__Host-Http-sid=1; Path=/", "__Host-Http-sid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
            ("__Hostsid=1; Path=/", "__Host-__Hostsid=1; Path=/; HttpOnly; Secure; SameSite=Strict"),
        ],
    );
    // The prefix alone brings what browsers ask of it.
    let only = Edits { host_prefix: true, ..Edits::default() };
    check(
        &only,
        &[
            ("sid=1; Domain=x", "__Host-sid=1; Path=/; Secure"),
            ("sid=1; Path=/; Secure", "__Host-sid=1; Path=/; Secure"),
        ],
    );
    // Seven bytes more and browsers would throw it away.
    let long = format!("sid={}; Path=/; HttpOnly; Secure; SameSite=Strict", "x".repeat(4087));
    check(&HOST, &[(&long, &long)]);
}

#[test]
fn a_deletion_reaches_the_renamed_cookie_and_stays_a_deletion() {
    let edits = Edits { cap: Some(60), ..HOST };
    check(
        &edits,
        &[
            ("sid=; Max-Age=0", "__Host-sid=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict"),
            (
                "sid=; Expires=Thu, 01 Jan 1970 00:00:00 +0000; Domain=x",
                "__Host-sid=; Expires=Thu, 01 Jan 1970 00:00:00 +0000; Path=/; HttpOnly; Secure; SameSite=Strict",
            ),
        ],
    );
    let zero = Edits { cap: Some(0), ..Edits::default() };
    check(
        &zero,
        &[(
            "a=; Max-Age=-1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
            "a=; Max-Age=-1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
        )],
    );
}

#[test]
fn messagebird_b3_lifetimes_are_capped_and_never_lengthened() {
    let year = Edits { cap: Some(31_536_000), ..Edits::default() };
    const NEXT: &str = "Mon, 22 Nov 2027 00:00:00 GMT";
    check(
        &year,
        &[
            ("a=1; Max-Age=63072000; Path=/", "a=1; Max-Age=31536000; Path=/"),
            ("a=1;max-age= 63072000 ;Path=/", "a=1;max-age= 31536000 ;Path=/"),
            ("a=1; Expires=Thu, 22-Nov-2029 00:00:00 GMT", &format!("a=1; Expires={NEXT}")),
            ("a=1; Max-Age=63072000; Expires=x 1 jan 2040 0:0:0", &format!("a=1; Max-Age=31536000; Expires={NEXT}")),
            // Max-Age holds, but what reads only Expires would keep it longer.
            ("a=1; Max-Age=60; Expires=Fri, 31 Dec 9999 23:59:59 GMT", &format!("a=1; Max-Age=60; Expires={NEXT}")),
            ("a=1; Max-Age=60; Max-Age=99999999999999999999", "a=1; Max-Age=60; Max-Age=31536000"),
            ("a=1; Max-Age=99999999; Max-Age=1h", "a=1; Max-Age=31536000; Max-Age=1h"),
            ("a=1; Max-Age=31536000", "a=1; Max-Age=31536000"),
            ("a=1; Max-Age=60", "a=1; Max-Age=60"),
            ("a=1; Expires=Mon, 22-Nov-2027 00:00:00 UTC", "a=1; Expires=Mon, 22-Nov-2027 00:00:00 UTC"),
            ("a=1", "a=1"),
            ("a=1; Path=/; Expires=never", "a=1; Path=/; Expires=never"),
            ("a=; Max-Age=0", "a=; Max-Age=0"),
        ],
    );
}

#[test]
fn a_cookie_declared_for_the_session_loses_its_dates() {
    let session = Edits { cap: Some(0), ..Edits::default() };
    check(
        &session,
        &[
            ("a=1; Max-Age=60; Path=/; expires=Fri, 31 Dec 9999 23:59:59 GMT", "a=1; Path=/"),
            ("a=1; Path=/", "a=1; Path=/"),
        ],
    );
}

#[test]
fn no_edits_change_nothing() {
    for line in ["a=1; Secure; Secure; SameSite=None; Max-Age=9999999999;;", "", ";", "=;=", "__Host-a=1"] {
        check(&Edits::default(), &[(line, line)]);
    }
}
