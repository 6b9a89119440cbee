//! GOV.UK and services like it: `cookies_policy` is JSON, raw, encoded, in base64 or in quotes, written before anybody
//! decides; `cookies_preferences_set=true` says that somebody did. HMRC keeps `userConsent` instead.

use serde_json::{Map, Value};

use super::jar::Jar;
use super::wire::{base64_object, decoded, json, moment, object};
use super::{Kinds, Reading, Said, Spec};

const ANSWERED: [&str; 3] = ["cookies_preferences_set", "cookie_preferences_set", "seen_cookie_message"];
const HMRC: &str = "userConsent";

pub(super) const SPEC: Spec = Spec {
    word: "govuk",
    record: &["cookies_policy", "cookie_policy", HMRC],
    beside: &ANSWERED,
    read: |jar: &Jar<'_>| {
        let answered = ANSWERED.iter().any(|flag| jar.says(flag, "true"));
        jar.records_by_name(|name, value| {
            let reading = if name == HMRC.as_bytes() { hmrc(value) } else { policy(value, answered) };
            reading.unwrap_or(Reading::Unreadable)
        })
    },
    kinds: Kinds::PREFERENCES.and(Kinds::ANALYTICS).and(Kinds::MARKETING),
    ..Spec::PLAIN
};

fn policy(value: &[u8], answered: bool) -> Option<Reading> {
    let quoted = || {
        decoded(value, |text| match json(json(text)?.as_str()?)? {
            Value::Object(map) => Some(map),
            _ => None,
        })
    };
    let map = object(value).or_else(quoted).or_else(|| base64_object(value))?;
    Some(Reading::of(answered, groups(&map)))
}

fn hmrc(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let mut said = groups(map.get("preferences")?.as_object()?);
    said.made = moment(&map, &["datetimeSet"]);
    Some(Reading::Act(said))
}

fn groups(map: &Map<String, Value>) -> Said {
    Said::of(map.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_bool()?))))
}
