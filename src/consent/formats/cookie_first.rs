//! CookieFirst: JSON of four categories.

use super::jar::Jar;
use super::wire::{moment, object};
use super::{Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "cookiefirst",
    record: &["cookiefirst-consent"],
    beside: &["cookiefirst-id"],
    service: Some("cookiefirst"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    kinds: Kinds::FUNCTIONAL.and(Kinds::PERFORMANCE).and(Kinds::MARKETING),
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let mut said = Said::of(map.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_bool()?))));
    said.made = moment(&map, &["timestamp"]);
    (!said.groups.is_empty()).then_some(Reading::Act(said))
}
