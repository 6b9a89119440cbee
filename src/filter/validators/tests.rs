use http::header::HeaderName;
use proptest::prelude::*;

use super::*;

const G: Suffix = Suffix(*b"0123abcd");

fn head(lines: &[(HeaderName, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn value(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn tags_leave_weak_and_with_the_grant() {
    for (tag, expected) in [
        (r#""x""#, Some(r#"W/"x~0123abcd""#)),
        (r#"W/"x""#, Some(r#"W/"x~w0123abcd""#)),
        (r#""""#, Some(r#"W/"~0123abcd""#)),
        (r#""a,b~c""#, Some(r#"W/"a,b~c~0123abcd""#)),
        ("x", None),
        (r#"w/"x""#, None),
        (r#""x"#, None),
        (r#"""#, None),
        (r#""a"b""#, None),
        ("", None),
    ] {
        let mut headers = head(&[(ETAG, tag)]);
        response(&mut headers, G);
        assert_eq!(value(&headers, ETAG), expected, "{tag}");
    }
    let mut headers = head(&[(ETAG, r#""x""#), (ETAG, r#""y""#)]);
    response(&mut headers, G);
    assert!(headers.is_empty());
}

#[test]
fn if_none_match_comes_back() {
    use Conditional::{Filtered, Plain};
    // What is asked, whether it may be a document; what the origin is asked, and whether the date is still asked.
    for (asked, document, expected, dated, conditional) in [
        (r#"W/"x~0123abcd""#, true, Some(r#""x""#), true, Filtered),
        (r#"W/"x~0123abcd""#, false, Some(r#""x""#), true, Filtered),
        (r#"W/"x~w0123abcd""#, true, Some(r#"W/"x""#), true, Filtered),
        (r#"W/"x~ffffffff""#, true, None, false, Filtered),
        (r#"W/"x~ffffffff""#, false, None, false, Filtered),
        (r#"W/"a~0123abcd", W/"b~ffffffff""#, true, Some(r#""a""#), false, Filtered),
        (r#"W/"a,b~0123abcd",W/"c~~0123abcd""#, true, Some(r#""a,b", "c~""#), true, Filtered),
        (r#"W/"a\~0123abcd", W/"b~0123abcd""#, true, Some(r#""a\", "b""#), true, Filtered),
        // Another's tag: on a page it may be older than our filter.
        (r#""x""#, true, None, false, Filtered),
        (r#""x""#, false, Some(r#""x""#), true, Plain),
        (r#""x~0123abcd""#, false, Some(r#""x~0123abcd""#), true, Plain),
        ("*", true, None, false, Filtered),
        ("*", false, Some("*"), true, Plain),
        ("garbage", true, None, false, Filtered),
        ("garbage, W/\"x", false, Some("garbage, W/\"x"), true, Plain),
        (r#""y", W/"x~0123abcd""#, false, Some(r#""y", "x""#), true, Filtered),
        (r#""y", W/"x~0123abcd""#, true, Some(r#""x""#), false, Filtered),
    ] {
        let mut headers = head(&[(IF_NONE_MATCH, asked), (IF_MODIFIED_SINCE, "yesterday")]);
        assert_eq!(request(&mut headers, &Method::GET, document, G), conditional, "{asked}");
        assert_eq!(value(&headers, IF_NONE_MATCH), expected, "{asked} {document}");
        assert_eq!(headers.contains_key(IF_MODIFIED_SINCE), dated, "{asked} {document}");
    }
}

#[test]
fn a_date_alone_does_not_revive_a_page() {
    for (document, kept) in [(true, false), (false, true)] {
        let mut headers = head(&[(IF_MODIFIED_SINCE, "yesterday")]);
        request(&mut headers, &Method::GET, document, G);
        assert_eq!(headers.contains_key(IF_MODIFIED_SINCE), kept);
    }
}

#[test]
fn preconditions_of_writes_are_never_lost() {
    for (asked, expected) in [
        (r#"W/"x~0123abcd""#, r#""x""#),
        // The origin's state has no grant.
        (r#"W/"x~ffffffff""#, r#""x""#),
        (r#""a", W/"x~wffffffff""#, r#""a", W/"x""#),
        ("*", "*"),
        ("garbage", "garbage"),
    ] {
        let mut headers = head(&[(IF_MATCH, asked)]);
        request(&mut headers, &Method::PUT, true, G);
        assert_eq!(value(&headers, IF_MATCH), Some(expected), "{asked}");
    }
    // Create only if absent.
    let mut headers = head(&[(IF_NONE_MATCH, "*")]);
    request(&mut headers, &Method::PUT, true, G);
    assert_eq!(value(&headers, IF_NONE_MATCH), Some("*"));
}

#[test]
fn our_tags_never_validate_a_range() {
    let mut headers = head(&[(RANGE, "bytes=5-"), (IF_RANGE, r#"W/"x~0123abcd""#)]);
    request(&mut headers, &Method::GET, false, G);
    assert!(headers.is_empty());
    let mut headers = head(&[(RANGE, "bytes=5-"), (IF_RANGE, r#""x""#)]);
    request(&mut headers, &Method::GET, false, G);
    assert_eq!(headers.len(), 2);
}

#[test]
fn suffix_tells_grants_and_policy_versions_apart() {
    use crate::policy::{Catalogue, CategoryId, PolicyParts};
    let policy = |version| {
        Policy::compile(PolicyParts { version, ..Default::default() }, Catalogue::compile(Default::default()).into())
    };
    let mut grant = Grant::none();
    let none = Suffix::new(&policy(1), &grant);
    assert_ne!(none, Suffix::new(&policy(2), &grant));
    assert_eq!(std::str::from_utf8(&none.0).unwrap(), format!("{:08x}", grant.digest(policy(1).fingerprint())));
    grant.grant_category(CategoryId(1));
    assert_ne!(none, Suffix::new(&policy(1), &grant));
}

proptest! {
    #[test]
    fn any_tag_comes_back_as_it_was(weak in any::<bool>(), opaque in r#"[!#-~\u{80}-\u{ff}]{0,12}(~w?[0-9a-f]{8})?"#) {
        let tag = format!("{}\"{opaque}\"", if weak { "W/" } else { "" });
        let ours = encode(tag.as_bytes(), G).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, ours);
        request(&mut headers, &Method::GET, true, G);
        prop_assert_eq!(headers[IF_NONE_MATCH].as_bytes(), tag.as_bytes());
    }

    #[test]
    fn no_list_gets_a_foreign_tag_past_on_a_document(list in r#"[W/"x~, a0-9*]{0,40}"#) {
        let mut headers = head(&[(IF_NONE_MATCH, &list)]);
        request(&mut headers, &Method::GET, true, G);
        prop_assert!(!headers.contains_key(IF_NONE_MATCH) || list.contains("~0123abcd"));
    }
}
