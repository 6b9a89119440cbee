//! Properties: against an oracle written from the RFC, against the `cookie` crate, and of edits.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

/// Lines made of what matters to a parser, with any bytes between.
fn line() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&str; 25] = [
        ";",
        ";",
        "; ",
        "=",
        "=",
        " ",
        "\t",
        "\"",
        ",",
        "a",
        "_ga",
        "Secure",
        "httponly",
        "SameSite",
        "Lax",
        "none",
        "Path",
        "/",
        "Domain",
        "Max-Age",
        "-1",
        "99999",
        "Expires",
        "Fri, 31 Dec 2049 23:59:59 GMT",
        "__Host-",
    ];
    let word = prop_oneof![
        9 => prop::sample::select(&WORDS[..]).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn edits() -> impl Strategy<Value = Edits> {
    let same_site = prop::sample::select(vec![None, Some(SameSite::Strict), Some(SameSite::Lax), Some(SameSite::None)]);
    let cap = prop::sample::select(vec![None, Some(0), Some(60), Some(31_536_000), Some(u64::MAX)]);
    (any::<[bool; 5]>(), same_site, cap).prop_map(
        |([http_only, remove_http_only, secure, remove_domain, host_prefix], same_site, cap)| Edits {
            http_only,
            remove_http_only,
            secure,
            same_site,
            remove_domain,
            host_prefix,
            cap,
        },
    )
}

/// RFC 6265bis §5.6, word by word: name, value, attributes. Nothing shared with the code under test.
type Parsed = (Vec<u8>, Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>);
fn oracle(line: &[u8]) -> Parsed {
    let trim = |text: &[u8]| {
        let mut text = text.to_vec();
        while text.first().is_some_and(|b| b" \t".contains(b)) {
            text.remove(0);
        }
        while text.last().is_some_and(|b| b" \t".contains(b)) {
            text.pop();
        }
        text
    };
    let mut parts = line.split(|b| *b == b';');
    let pair = parts.next().unwrap();
    let cut = |text: &[u8]| match text.iter().position(|b| *b == b'=') {
        Some(at) => (trim(&text[..at]), Some(trim(&text[at + 1..]))),
        None => (trim(text), None),
    };
    let (name, value) = match cut(pair) {
        (name, Some(value)) => (name, value),
        (value, None) => (vec![], value),
    };
    let attributes = parts.map(cut).map(|(name, value)| (name, value.unwrap_or_default())).collect();
    (name, value, attributes)
}

/// What a browser sends for a stored cookie, and what a server makes of that.
fn round_trip(name: &[u8], value: &[u8]) -> Vec<u8> {
    let sent = if name.is_empty() { value.to_vec() } else { [name, b"=", value].concat() };
    let start = sent.iter().position(|b| !b"= \t".contains(b)).unwrap_or(sent.len());
    let sent = &sent[start..];
    let name = sent.split(|b| *b == b'=').next().unwrap().to_vec();
    let end = name.iter().rposition(|b| !b" \t".contains(b)).map_or(0, |at| at + 1);
    name[..end].to_vec()
}

proptest! {
    #[test]
    fn the_reading_agrees_with_the_rfc(line in line()) {
        let cookie = SetCookie::parse(&line);
        let (name, value, attributes) = oracle(&line);
        prop_assert_eq!(cookie.name(), round_trip(&name, &value));
        if !name.is_empty() {
            prop_assert_eq!(cookie.name(), name);
            prop_assert_eq!(cookie.value(), value);
        }
        let found: Vec<_> = cookie.attributes().map(|a| (a.name.to_vec(), a.value.to_vec())).collect();
        prop_assert_eq!(found, attributes);
        let mut at = cookie.pair().raw().len();
        for attribute in cookie.attributes() {
            prop_assert_eq!(attribute.span.start, at);
            prop_assert_eq!(&line[attribute.value_span], attribute.value);
            at = attribute.span.end;
        }
        prop_assert_eq!(at, line.len());
    }

    #[test]
    fn both_directions_read_the_same_name(line in line()) {
        let cookie = SetCookie::parse(&line);
        prop_assume!(!cookie.ignored());
        let (name, value, _) = oracle(&line);
        let sent = if name.is_empty() { value } else { [&name[..], b"=", &value].concat() };
        let back: Vec<_> = pairs(&sent).map(|pair| pair.name()).collect();
        prop_assert_eq!(back, vec![cookie.name()]);
    }

    #[test]
    fn editing_twice_is_editing_once(line in line(), edits in edits()) {
        let once = edit(&SetCookie::parse(&line), &edits, NOW).into_owned();
        let twice = edit(&SetCookie::parse(&once), &edits, NOW);
        prop_assert!(matches!(twice, Cow::Borrowed(_)), "{:?}", String::from_utf8_lossy(&twice));
    }

    #[test]
    fn an_edited_cookie_is_what_was_asked_for(line in line(), edits in edits()) {
        let before = SetCookie::parse(&line);
        let edited = edit(&before, &edits, NOW);
        let after = SetCookie::parse(&edited);
        prop_assert!(!edits.http_only || after.is_http_only());
        prop_assert!(!edits.secure || after.is_secure());
        prop_assert!(!before.is_secure() || after.is_secure());
        prop_assert!(!before.is_http_only() || after.is_http_only() || edits.remove_http_only);
        prop_assert_eq!(after.same_site(), edits.same_site.or_else(|| before.same_site()));
        prop_assert!(edits.same_site != Some(SameSite::None) || after.is_secure());
        prop_assert_eq!(after.value(), before.value());
        prop_assert_eq!(after.deletes(NOW), before.deletes(NOW));
        let expected = match (before.lifetime(NOW), edits.cap) {
            (Some(life), Some(0)) if life > 0 => None,
            (Some(life), Some(cap)) => Some(life.min(cap)),
            (life, _) => life,
        };
        prop_assert_eq!(after.lifetime(NOW), expected);
        if after.name() != before.name() {
            prop_assert!(edits.host_prefix);
            prop_assert_eq!(after.name().strip_prefix(HOST_PREFIX), Some(before.name()));
            prop_assert!(after.is_secure() && after.domain().is_none() && after.path() == Some(b"/"));
        }
        // Attributes that no edit speaks of are there, in order, to the byte.
        let other = |cookie: &SetCookie<'_>| -> Vec<Vec<u8>> {
            let spoken = [AttributeKind::Other, AttributeKind::Partitioned];
            cookie.attributes().filter(|a| spoken.contains(&a.kind())).map(|a| cookie.line()[a.span].to_vec()).collect()
        };
        prop_assert_eq!(other(&after), other(&before));
    }

    #[test]
    fn no_edits_are_no_copy(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let cookie = SetCookie::parse(&line);
        let same = matches!(edit(&cookie, &Edits::default(), NOW), Cow::Borrowed(b) if b == line);
        prop_assert!(same);
    }

    #[test]
    fn retain_keeps_bytes_and_order(header in line(), drop in any::<u16>()) {
        let mut index = 0;
        let mut kept = Vec::new();
        let mut dropped = false;
        let left = retain(&header, |pair| {
            index += 1;
            if drop >> (index % 16) & 1 == 1 {
                dropped = true;
                return Fate::Drop;
            }
            kept.push((pair.name(), pair.value()));
            Fate::Keep
        });
        match left {
            None => prop_assert!(kept.is_empty() && dropped),
            Some(left) => {
                let again: Vec<_> = pairs(&left).map(|pair| (pair.name(), pair.value())).collect();
                prop_assert_eq!(again, kept);
                prop_assert_eq!(!dropped, matches!(left, Cow::Borrowed(_)));
            }
        }
    }

    /// Where the `cookie` crate can be trusted (tokens, no odd attributes), both read the same.
    #[test]
    fn plain_cookies_are_read_as_the_cookie_crate_reads_them(
        name in "[A-Za-z_][A-Za-z0-9_-]{0,12}",
        value in "[A-Za-z0-9./+-]{0,12}",
        path in prop::option::of("/[a-z]{0,6}"),
        age in prop::option::of(0_u32..1_000_000),
        flags in any::<[bool; 2]>(),
    ) {
        let mut line = format!("{name}={value}");
        if let Some(path) = &path { line += &format!("; Path={path}"); }
        if let Some(age) = age { line += &format!("; Max-Age={age}"); }
        for (set, flag) in flags.iter().zip(["; Secure", "; HttpOnly"]) {
            if *set { line += flag; }
        }
        let theirs = ::cookie::Cookie::parse(line.as_str()).unwrap();
        let ours = SetCookie::parse(line.as_bytes());
        prop_assert_eq!(ours.name(), theirs.name().as_bytes());
        prop_assert_eq!(ours.value(), theirs.value().as_bytes());
        prop_assert_eq!(ours.path(), theirs.path().map(str::as_bytes));
        prop_assert_eq!(ours.is_secure(), theirs.secure().unwrap_or(false));
        prop_assert_eq!(ours.is_http_only(), theirs.http_only().unwrap_or(false));
        prop_assert_eq!(ours.lifetime(NOW), theirs.max_age().map(|age| age.whole_seconds() as u64));
    }
}
