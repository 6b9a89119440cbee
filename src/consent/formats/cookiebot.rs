//! Cookiebot: a JavaScript object, `{stamp:%27…%27%2Cnecessary:true%2C…}`, of which only quotes and commas are encoded.

use super::jar::Jar;
use super::wire::{decoded, from_epoch};
use super::{Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "cookiebot",
    record: &["CookieConsent"],
    beside: &["CookieConsentBulkTicket", "CookieConsentBulkSetting-*", "CrossConsent"],
    service: Some("cookiebot"),
    read: |jar: &Jar<'_>| {
        jar.records(|value| match value {
            // Of a region that need not be asked.
            b"-1" => Reading::NotAnAct(Said::of(GROUPS.map(|group| (group, true)))),
            b"0" => Reading::Act(Said::of(GROUPS.map(|group| (group, group == "necessary")))),
            // `true` and `yes` are of others, who chose the same name.
            _ => decoded(value, record).unwrap_or(Reading::Unreadable),
        })
    },
    kinds: Kinds::PREFERENCES.and(Kinds::ANALYTICS).and(Kinds::MARKETING),
    ..Spec::PLAIN
};

const GROUPS: [&str; 4] = ["necessary", "preferences", "statistics", "marketing"];

fn record(text: &str) -> Option<Reading> {
    let mut rest = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut said = Said::default();
    let (mut stamp, mut method) = (None, None);
    while !rest.is_empty() {
        let (key, value);
        (key, rest) = rest.split_once(':')?;
        (value, rest) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'')?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        match key.trim() {
            "stamp" => stamp = Some(value),
            "method" => method = Some(value),
            "utc" => said.made = value.parse().ok().map(from_epoch),
            "ver" => said.revision = Some(value.into()),
            group if GROUPS.contains(&group) => said.push(group, value == "true"),
            _ => {}
        }
        rest = rest.trim_start().strip_prefix(',').unwrap_or_default();
    }
    let act = stamp.is_some_and(|stamp| stamp != "-1") && method.is_none_or(|method| method == "explicit");
    said.answer("necessary").is_some().then_some(Reading::of(act, said))
}
