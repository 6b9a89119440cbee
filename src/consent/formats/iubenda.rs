//! iubenda: `_iub_cs-POLICY`, encoded JSON with numbered purposes, or one answer for all.

use serde_json::Value;

use super::jar::Jar;
use super::wire::{moment, object};
use super::{AtOnce, Kinds, Meaning, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "iubenda",
    record: &["_iub_cs-*"],
    beside: &["_iub_previous_preference_id"],
    service: Some("iubenda"),
    read: |jar: &Jar<'_>| {
        jar.records_by_name(|name, value| match name {
            // Of the same tool for other purposes.
            _ if name.ends_with(b"-granular") || name.ends_with(b"-uspr") => Reading::None,
            _ => record(value).unwrap_or(Reading::Unreadable),
        })
    },
    meaning: |purpose| match purpose {
        "all" => Meaning::EVERYTHING,
        "2" => Meaning::of(Kinds::FUNCTIONAL),
        "3" => Meaning::of(Kinds::PREFERENCES),
        "4" => Meaning::of(Kinds::ANALYTICS),
        "5" => Meaning::of(Kinds::MARKETING),
        _ => Meaning::NONE,
    },
    kinds: Kinds::FUNCTIONAL.and(Kinds::PREFERENCES).and(Kinds::ANALYTICS).and(Kinds::MARKETING),
    at_once: AtOnce::Sometimes,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let mut said = Said::default();
    if let Some(purposes) = map.get("purposes") {
        let purposes = purposes.as_object()?;
        purposes.iter().for_each(|(id, granted)| said.push(id.as_str(), *granted == true));
    } else if let Some(consent) = map.get("consent").and_then(Value::as_bool) {
        said.push("all", consent);
    } else {
        map.get("id")?;
    }
    said.made = moment(&map, &["timestamp"]);
    Some(Reading::of(!said.groups.is_empty(), said))
}
