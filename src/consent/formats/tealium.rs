//! Tealium: `c1:1|c2:0|ts:…|consent:true`. What stands behind `c1` is the site's to say.

use super::jar::Jar;
use super::wire::{decoded, from_epoch};
use super::{AtOnce, Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "tealium",
    record: &["CONSENTMGR"],
    read: |jar: &Jar<'_>| jar.records(|value| decoded(value, record).unwrap_or(Reading::Unreadable)),
    kinds: Kinds::NONE,
    at_once: AtOnce::Sometimes,
    ..Spec::PLAIN
};

fn record(text: &str) -> Option<Reading> {
    let mut said = Said::default();
    let mut consent = None;
    for (key, value) in text.split('|').filter_map(|field| field.split_once(':')) {
        match key {
            // `true%7Cc1…`: not decoded yet.
            "consent" if !matches!(value, "true" | "false") => return None,
            "consent" => consent = Some(value == "true" && consent != Some(false)),
            "ts" => said.made = value.parse().ok().map(from_epoch),
            _ if key.strip_prefix('c').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) => {
                said.push(key, value == "1");
            }
            _ => {}
        }
    }
    // Sites without categories keep the one answer.
    if !consent? || said.groups.is_empty() {
        said.push("all", consent?);
    }
    Some(Reading::Act(said))
}
