//! CookieYes: `consentid:…,consent:yes,action:yes,necessary:yes,…`, with commas and colons as they are.

use super::jar::Jar;
use super::wire::{decoded, from_epoch};
use super::{Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "cookieyes",
    record: &["cookieyes-consent"],
    beside: &["cky-*", "cookieyes*"],
    service: Some("cookieyes"),
    read: |jar: &Jar<'_>| jar.records(|value| decoded(value, record).unwrap_or(Reading::Unreadable)),
    kinds: Kinds::FUNCTIONAL.and(Kinds::ANALYTICS).and(Kinds::PERFORMANCE).and(Kinds::MARKETING),
    ..Spec::PLAIN
};

fn record(text: &str) -> Option<Reading> {
    let mut said = Said::default();
    let mut action = None;
    for (key, value) in text.split(',').filter_map(|field| field.split_once(':')) {
        match (key.trim(), value.trim()) {
            // What was set in regions where nobody is asked has `action:no`, or none.
            ("action", value) => action = Some(value == "yes" && action != Some(false)),
            ("lastRenewedDate", value) => said.made = value.parse().ok().map(from_epoch),
            ("consentid" | "consent", _) => {}
            (group, value @ ("yes" | "no")) => said.push(group, value == "yes"),
            _ => {}
        }
    }
    Some(Reading::of(action?, said))
}
