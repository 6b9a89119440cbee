//! Axeptio: `axeptio_cookies` is JSON of vendors, half or wholly percent-encoded; `axeptio_authorized_vendors` is `,a,b,`.

use serde_json::Value;

use super::jar::Jar;
use super::wire::{decoded, moment, object};
use super::{Kinds, Reading, Said, Spec, meaning};

const AUTHORIZED: &str = "axeptio_authorized_vendors";

pub(super) const SPEC: Spec = Spec {
    word: "axeptio",
    record: &["axeptio_cookies"],
    beside: &[AUTHORIZED, "axeptio_all_vendors", "axeptio_gpp_*"],
    service: Some("axeptio"),
    read: |jar: &Jar<'_>| {
        // Newer writers compress the record (`lzc1.`); the list beside it says enough.
        let read = |value| record(value).unwrap_or_else(|| listed(jar).unwrap_or(Reading::Unreadable));
        match jar.records(read) {
            Reading::None => listed(jar).unwrap_or(Reading::None),
            reading => reading,
        }
    },
    meaning: meaning::of_service,
    kinds: Kinds::ALL,
    by_service: true,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let done = map.get("$$completed").and_then(Value::as_bool)?;
    let vendors = map.iter().filter(|(key, _)| !key.starts_with("$$"));
    let mut said = Said::of(vendors.filter_map(|(key, value)| Some((key.as_str(), value.as_bool()?))));
    said.made = moment(&map, &["$$date"]);
    Some(Reading::of(done, said))
}

/// What every copy of the list names.
fn listed(jar: &Jar<'_>) -> Option<Reading> {
    let list = |value| {
        let names = decoded(value, |text| {
            let names = text.strip_prefix(',')?.split(',').filter(|name| !name.is_empty());
            Some(names.map(|name| (name.to_owned(), true)).collect::<Vec<_>>())
        });
        names.map_or(Reading::Unreadable, |names| Reading::Act(Said::of(names)))
    };
    jar.values(AUTHORIZED).map(list).reduce(Reading::strictest)
}
