//! Orest Bida's CookieConsent, versions 1 to 3: JSON, raw or encoded, that lists what was accepted.

use serde_json::Value;

use super::jar::Jar;
use super::wire::{from_epoch, moment, object, texts};
use super::{Reading, Said, Services, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "vanilla-cookieconsent",
    record: &["cc_cookie"],
    service: Some("vanilla-cookieconsent"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    omits: true,
    services: Services::Lists,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    // Before 2.9 it was `level`.
    let accepted = map.get("categories").or_else(|| map.get("level")).filter(|list| list.is_array());
    let mut said = Said::of(texts(Some(accepted?)).map(|category| (category, true)));
    for (category, services) in map.get("services").and_then(Value::as_object).into_iter().flatten() {
        if said.answer(category).is_none() {
            said.push(category.as_str(), false);
        }
        let accepted = said.answer(category) == Some(true);
        texts(Some(services)).for_each(|service| said.push(format!("{category}/{service}"), accepted));
    }
    let times = ["lastConsentTimestamp", "last_consent_update", "consentTimestamp", "consent_date"];
    said.made = moment(&map, &times);
    said.until = map.get("expirationTime").and_then(Value::as_i64).map(from_epoch);
    said.revision = map.get("revision").map(|revision| revision.to_string().into());
    Some(Reading::Act(said))
}
