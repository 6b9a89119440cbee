//! What a line means: attributes, lifetimes, deletions.

use super::*;

fn lifetime(line: &str) -> Option<u64> {
    SetCookie::parse(line.as_bytes()).lifetime(NOW)
}

#[test]
fn lifetime_is_the_last_valid_max_age_else_the_last_valid_expires() {
    for (line, expected) in [
        ("a=1", None),
        ("a=1; Path=/; Secure", None),
        ("a=1; Max-Age=60", Some(60)),
        ("a=1;max-age = 60 ", Some(60)),
        ("a=1; Max-Age=60; Max-Age=120", Some(120)),
        ("a=1; Max-Age=60; Max-Age=1h", Some(60)),
        ("a=1; Max-Age=60; Max-Age", Some(60)),
        ("a=1; Max-Age=\"60\"", None),
        ("a=1; Max-Age=+60", None),
        ("a=1; Max-Age=1.5", None),
        ("a=1; Max-Age=-", None),
        ("a=1; Max-Age=-0", Some(0)),
        ("a=1; Max-Age=-1", Some(0)),
        ("a=1; Max-Age=0060", Some(60)),
        ("a=1; Max-Age=99999999999999999999999", Some(i64::MAX as u64)),
        ("a=1; Max-Age=-99999999999999999999999", Some(0)),
        ("a=1; Expires=Sun, 22 Nov 2026 00:01:00 GMT", Some(60)),
        ("a=1; EXPIRES=sun 22-nov-26 0:1:0", Some(60)),
        ("a=1; Expires=Sun, 22 Nov 2026 00:01:00 GMT; Expires=never", Some(60)),
        ("a=1; Expires=Sun, 22 Nov 2026 00:01:00 GMT; Expires=Sun, 22 Nov 2026 00:02:00 GMT", Some(120)),
        ("a=1; Expires=Sun, 22 Nov 2026 00:00:00 GMT", Some(0)),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 +0000", Some(0)),
        ("a=1; expires=Thu, 1-Jan-70 0:0:0", Some(0)),
        ("a=1; Expires=0", None),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", Some(60)),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(60)),
        ("a=1; Max-Age=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("a=1; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", Some(0)),
        ("Max-Age=0; a=1", None),
        ("a=Max-Age=0", None),
        ("a=\"; Max-Age=0\"", None),
        ("a=1, b=2; Max-Age=5", Some(5)),
    ] {
        assert_eq!(lifetime(line), expected, "{line}");
        assert_eq!(SetCookie::parse(line.as_bytes()).deletes(NOW), expected == Some(0), "{line}");
    }
}

#[test]
fn attributes_that_browsers_do_not_look_at_do_not_count() {
    let long = "0".repeat(1025);
    assert_eq!(lifetime(&format!("a=1; Max-Age=5; Max-Age={long}")), Some(5));
    let line = format!("a=1; Secure={long}");
    assert!(!SetCookie::parse(line.as_bytes()).is_secure());
}

#[test]
fn flags_are_found_in_any_spelling_and_lookalikes_are_not() {
    for (line, secure, http_only, same_site) in [
        ("a=1; Secure; HttpOnly; SameSite=Lax", true, true, Some(SameSite::Lax)),
        ("a=1;secure;HTTPONLY;samesite=STRICT", true, true, Some(SameSite::Strict)),
        ("a=1; \tSecure\t; HttpOnly=false; SameSite = None ", true, true, Some(SameSite::None)),
        ("a=1; SameSite=Strict; SameSite=None", false, false, Some(SameSite::None)),
        ("a=1; SameSite=Strict; SameSite=Garbage", false, false, None),
        ("a=1; SameSite=\"Strict\"; SameSite", false, false, None),
        ("a=1; Securex; HttpOnlyx; SameSite-=Lax", false, false, None),
        ("a=1; \"Secure\"; =HttpOnly; Same Site=Lax", false, false, None),
        ("a=1, Secure, HttpOnly", false, false, None),
        ("a=1; Path=/; Secure HttpOnly", false, false, None),
        ("Secure; HttpOnly=1", false, true, None),
    ] {
        let cookie = SetCookie::parse(line.as_bytes());
        assert_eq!(
            (cookie.is_secure(), cookie.is_http_only(), cookie.same_site()),
            (secure, http_only, same_site),
            "{line}"
        );
    }
}

#[test]
fn the_last_path_and_domain_hold() {
    for (line, path, domain) in [
        ("a=1", None, None),
        ("a=1; Path=/x; Domain=.Example.com", Some("/x"), Some("Example.com")),
        ("a=1; Path=/x; Path=/", Some("/"), None),
        ("a=1; Path=/x; Path=x", None, None),
        ("a=1; Path=/x; Path", None, None),
        ("a=1; Domain=a.example; Domain=b.example", None, Some("b.example")),
        ("a=1; Domain=a.example; Domain=", None, None),
        ("a=1; Path=\"/\"", None, None),
    ] {
        let cookie = SetCookie::parse(line.as_bytes());
        assert_eq!((cookie.path(), cookie.domain()), (path.map(str::as_bytes), domain.map(str::as_bytes)), "{line}");
    }
    assert!(SetCookie::parse(b"a=1; Secure; partitioned").is_partitioned());
}

#[test]
fn lines_that_browsers_throw_away() {
    for line in ["", "=", " = ; Path=/", "a=1\0", "a=1; \x7f", "a\r=1", "\x1f=1"] {
        assert!(SetCookie::parse(line.as_bytes()).ignored(), "{line:?}");
    }
    let full = format!("{}={}", "n".repeat(96), "v".repeat(4000));
    assert!(!SetCookie::parse(format!("{full}; Path=/").as_bytes()).ignored());
    assert!(SetCookie::parse(format!("{full}v; Path=/").as_bytes()).ignored());
    for line in ["a", "=a", "a=", "a\t=\t1", "a=\u{e9}", "\u{80}=1"] {
        assert!(!SetCookie::parse(line.as_bytes()).ignored(), "{line:?}");
    }
}
