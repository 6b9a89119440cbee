//! CookieScript: raw JSON with an `action`, and `categories` as JSON within a text of it.

use super::jar::Jar;
use super::wire::{json, moment, object, texts};
use super::{AtOnce, Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "cookiescript",
    record: &["CookieScriptConsent"],
    service: Some("cookie-script"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    kinds: Kinds::FUNCTIONAL.and(Kinds::PERFORMANCE).and(Kinds::MARKETING),
    omits: true,
    at_once: AtOnce::Sometimes,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let action = map.get("action").and_then(|action| action.as_str());
    let listed = map.get("categories");
    let unpacked = listed.and_then(|list| list.as_str()).map(json);
    let list = match &unpacked {
        Some(inner) => Some(inner.as_ref()?),
        None => listed,
    };
    let mut said = match (action, list) {
        (Some("reject"), _) => Said::of([("all", false)]),
        (Some("accept"), None) => Said::of([("all", true)]),
        (_, list) => Said::of(texts(list).map(|group| (group, true))),
    };
    said.made = moment(&map, &["consenttime"]);
    match action {
        Some("accept" | "reject") => Some(Reading::Act(said)),
        // Written when the banner is shown.
        None if map.contains_key("bannershown") => Some(Reading::NotAnAct(said)),
        _ => None,
    }
}
