//! Axeptio: `axeptio_cookies` is JSON of vendors, half or wholly percent-encoded; `axeptio_authorized_vendors` is `,a,b,`.

use serde_json::Value;

use super::jar::Jar;
use super::wire::{decoded, moment, object};
use super::{Reading, Said, Services, Spec, meaning};

const AUTHORIZED: &str = "axeptio_authorized_vendors";
const ALL: &str = "axeptio_all_vendors";

pub(super) const SPEC: Spec = Spec {
    word: "axeptio",
    record: &["axeptio_cookies"],
    beside: &[AUTHORIZED, ALL, "axeptio_gpp_*"],
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
    services: Services::Groups,
    // The list names the authorised ones alone.
    omits: true,
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

/// What every copy of the list names, and what the list of all vendors names beside that.
fn listed(jar: &Jar<'_>) -> Option<Reading> {
    let all: Vec<_> = jar.values(ALL).filter_map(names).flatten().collect();
    let list = |value| {
        let Some(names) = names(value) else { return Reading::Unreadable };
        let refused = all.iter().filter(|name| !names.contains(name)).map(|name| (name.clone(), false));
        Reading::Act(Said::of(names.iter().map(|name| (name.clone(), true)).chain(refused)))
    };
    jar.values(AUTHORIZED).map(list).reduce(Reading::strictest)
}

fn names(value: &[u8]) -> Option<Vec<Box<str>>> {
    decoded(value, |text| {
        Some(text.strip_prefix(',')?.split(',').filter(|name| !name.is_empty()).map(Into::into).collect())
    })
}
