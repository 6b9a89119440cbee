//! What must hold for any bytes, and what each tool's records say.

mod records;
mod tcf;
mod tools;

use proptest::prelude::*;

use super::*;

/// A value that looks like one of theirs, up to some point.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("{\"categories\":[\"analytics\"]".to_owned()),
        Just("groups=C0002%3A1%2C".to_owned()),
        Just("{stamp:%27x%27%2Cnecessary:true".to_owned()),
        Just("!gtag=true".to_owned()),
        Just("CQSU_AAQSU_AAEsAEBENBQFgAIGAAAAAAAYgF5wAgAMgLzAAAAAA".to_owned()),
        Just("DBABLA~CVQVAAAAAACA.YA".to_owned()),
        Just("%25".to_owned()),
        "[-{}\\[\\]\",:%=&|!@~.A-Za-z0-9+/_\u{e9}]{0,40}",
    ];
    let text = proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![text, proptest::collection::vec(any::<u8>(), 0..200)]
}

/// A cookie of this tool, whatever its name has for a `*`.
fn line(pattern: &str, values: &[Vec<u8>]) -> Vec<u8> {
    let name = pattern.replace('*', "x");
    let pairs: Vec<_> = values.iter().map(|value| [name.as_bytes(), b"=", value].concat()).collect();
    pairs.join(&b"; "[..])
}

proptest! {
    #[test]
    fn nothing_that_a_cookie_holds_panics(one in value(), other in value()) {
        for format in Format::all() {
            for pattern in format.owned(None) {
                let line = line(&pattern, &[one.clone(), other.clone()]);
                let _ = format.read([&line[..]], None);
            }
        }
    }

    /// A second copy never grants what the first alone does not, nor the other way round.
    #[test]
    fn copies_only_narrow(one in value(), other in value()) {
        for format in Format::all() {
            for pattern in format.cookies() {
                let alone = format.read([&line(pattern, std::slice::from_ref(&one))[..]], None);
                let both = format.read([&line(pattern, &[one.clone(), other.clone()])[..]], None);
                let act = |reading: &Reading| matches!(reading, Reading::Act(_));
                prop_assert!(act(&alone) || !act(&both) || alone == Reading::None, "{format:?}: {alone:?}, {both:?}");
                let granted = both.said().into_iter().flat_map(|said| said.groups.iter().filter(|(_, granted)| *granted));
                for (group, _) in granted {
                    prop_assert_eq!(alone.said().and_then(|said| said.answer(group)), Some(true), "{:?} {}", format, group);
                }
            }
        }
    }
}

#[test]
fn words_and_cookies_are_each_of_one_tool() {
    let words: Vec<_> = Format::all().map(Format::word).collect();
    let mut sorted = words.clone();
    sorted.sort_unstable();
    assert_eq!(words, sorted, "messages list them in order");
    sorted.dedup();
    assert_eq!(words.len(), sorted.len());
    for format in Format::all() {
        assert!(format.is_bridged() || !format.cookies().is_empty(), "{format:?}");
        assert_eq!(Format::named(format.word()), Some(format));
    }
}

#[test]
fn hostile_sizes_are_not_read() {
    let long = format!("klaro=%7B%22a%22%3Atrue%7D{}", " ".repeat(5000)) + "x";
    assert_eq!(Format::named("klaro").unwrap().read([long.as_bytes()], None), Reading::Unreadable);
    let many = vec!["klaro=%7B%7D"; 100].join("; ");
    assert_eq!(Format::named("klaro").unwrap().read([many.as_bytes()], None), Reading::Unreadable);
    // Every vendor there could be, many times over.
    let mut bits = String::from("C").repeat(36);
    bits.push_str(&"_".repeat(4000));
    let line = format!("euconsent-v2={bits}");
    let _ = Format::named("tcf").unwrap().read([line.as_bytes()], None);
}
