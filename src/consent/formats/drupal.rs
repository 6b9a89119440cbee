//! Drupal's EU Cookie Compliance: `cookie-agreed`, and the categories as a JSON list in `cookie-agreed-categories`.

use super::jar::Jar;
use super::wire::{decoded, json, texts, unescape};
use super::{AtOnce, Reading, Said, Spec};

const CATEGORIES: &str = "-categories";
const VERSION: &str = "-version";

pub(super) const SPEC: Spec = Spec {
    word: "drupal",
    record: &["cookie-agreed"],
    companions: &[CATEGORIES, VERSION],
    service: Some("drupal-eu-cookie"),
    read,
    omits: true,
    at_once: AtOnce::Sometimes,
    ..Spec::PLAIN
};

fn read(jar: &Jar<'_>) -> Reading {
    jar.records_by_name(|name, value| record(jar, name, value))
}

/// What the cookie of this name says, with those beside it: sites change how the names begin.
fn record(jar: &Jar<'_>, name: &[u8], value: &[u8]) -> Reading {
    let beside = |end: &str| jar.values([name, end.as_bytes()].concat());
    let mut lists = Vec::new();
    for value in beside(CATEGORIES) {
        let list = decoded(value, |text| json(text).filter(serde_json::Value::is_array));
        let Some(list) = list else { return Reading::Unreadable };
        lists.push(Reading::Act(Said::of(texts(Some(&list)).map(|group| (group, true)))));
    }
    let listed = match lists.into_iter().reduce(Reading::strictest) {
        Some(Reading::Act(listed)) => Some(listed),
        _ => None,
    };
    let versions = beside(VERSION).map(|value| unescape(&String::from_utf8_lossy(value)).into_owned());
    let version = versions.reduce(|one, other| if one == other { one } else { String::new() });
    let said = match (value, listed) {
        (b"0", _) => Said::of([("all", false)]),
        (b"1" | b"2", Some(listed)) => listed,
        // Without categories the one button is for everything.
        (b"1" | b"2", None) => Said::of([("all", true)]),
        _ => return Reading::Unreadable,
    };
    Reading::Act(Said { revision: version.map(Into::into), ..said })
}
