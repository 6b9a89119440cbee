//! Civic Cookie Control: raw JSON, `optionalCookies: {analytics: "accepted"}`.

use serde_json::Value;

use super::jar::Jar;
use super::wire::{moment, object};
use super::{Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "civic",
    record: &["CookieControl"],
    beside: &["CookieControlTC"],
    service: Some("civic"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let groups = map.get("optionalCookies")?.as_object()?;
    let mut said = Said::of(groups.iter().map(|(group, answer)| (group.as_str(), answer == "accepted")));
    said.made = moment(&map, &["consentDate"]);
    Some(Reading::of(map.get("interactedWith").and_then(Value::as_bool) == Some(true), said))
}
