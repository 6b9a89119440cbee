//! Drupal's EU Cookie Compliance: `cookie-agreed`, and the categories as a JSON list in `cookie-agreed-categories`.

use super::jar::Jar;
use super::wire::{decoded, json, texts, unescape};
use super::{Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "drupal",
    record: &["cookie-agreed"],
    beside: &["cookie-agreed-categories", "cookie-agreed-version"],
    service: Some("drupal-eu-cookie"),
    read,
    omits: true,
    ..Spec::PLAIN
};

fn read(jar: &Jar<'_>) -> Reading {
    let name = jar.renamed.unwrap_or("cookie-agreed");
    let mut said = Said::default();
    let mut lists = Vec::new();
    for value in jar.values(&format!("{name}-categories")) {
        let list = decoded(value, |text| json(text).filter(serde_json::Value::is_array));
        let Some(list) = list else { return Reading::Unreadable };
        lists.push(Reading::Act(Said::of(texts(Some(&list)).map(|group| (group, true)))));
    }
    if let Some(Reading::Act(listed)) = lists.into_iter().reduce(Reading::strictest) {
        said = listed;
    }
    let version = format!("{name}-version");
    let versions = jar.values(&version).map(|value| String::from_utf8_lossy(value).into_owned());
    let version = versions
        .map(|version| unescape(&version).into_owned())
        .reduce(|one, other| if one == other { one } else { String::new() });
    said.revision = version.map(Into::into);
    jar.records(|value| match value {
        b"0" => Reading::Act(Said { groups: vec![("all".into(), false)], ..said.clone() }),
        // Without categories the one button is for everything.
        b"1" | b"2" if !jar.has(&format!("{name}-categories")) => {
            Reading::Act(Said { groups: vec![("all".into(), true)], ..said.clone() })
        }
        b"1" | b"2" => Reading::Act(said.clone()),
        _ => Reading::Unreadable,
    })
}
