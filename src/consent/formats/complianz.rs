//! Complianz for WordPress: one cookie a category, `allow` or `deny`, and `cmplz_banner-status=dismissed` once answered.

use super::jar::Jar;
use super::wire::{decoded, json, texts};
use super::{AtOnce, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "complianz",
    record: &["cmplz_*"],
    beside: &["complianz_*"],
    service: Some("complianz"),
    read,
    at_once: AtOnce::Sometimes,
    ..Spec::PLAIN
};

const CATEGORIES: [&str; 5] = ["functional", "preferences", "statistics", "statistics-anonymous", "marketing"];

fn read(jar: &Jar<'_>) -> Reading {
    // Sites of a network each have their own: `cookie: cmplz_eu_*`.
    let prefix = jar.renamed.unwrap_or("cmplz_").trim_end_matches('*');
    let named = |name: &str| format!("{prefix}{name}");
    let mut said = Said::default();
    for category in CATEGORIES {
        said.groups.extend(jar.values(&named(category)).map(|value| (category.into(), value == b"allow")));
    }
    if said.groups.is_empty() {
        for value in jar.values(&named("saved_categories")) {
            let listed = decoded(value, |text| json(text).filter(serde_json::Value::is_array));
            let Some(listed) = listed else { return Reading::Unreadable };
            let has = |category: &str| texts(Some(&listed)).any(|text| text == category);
            said.groups.extend(CATEGORIES.map(|category| (category.into(), has(category))));
        }
    }
    if said.groups.is_empty() {
        let oldest = jar.values("complianz_consent_status").map(|value| Said::of([("all", value == b"allow")]));
        return oldest.map(Reading::Act).reduce(Reading::strictest).unwrap_or(Reading::None);
    }
    let policy = named("policy_id");
    let policies = jar.values(&policy).map(|value| String::from_utf8_lossy(value).into());
    said.revision = policies.reduce(|one: Box<str>, other| if one == other { one } else { "".into() });
    Reading::of(jar.says(&named("banner-status"), "dismissed"), said)
}
