//! c15t: `c.necessary:1,c.measurement:1,i.t:<ms>,i.y:custom`. Refused categories are left out.

use super::jar::Jar;
use super::wire::{decoded, from_epoch};
use super::{Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "c15t",
    record: &["c15t"],
    read: |jar: &Jar<'_>| jar.records(|value| decoded(value, record).unwrap_or(Reading::Unreadable)),
    kinds: Kinds::FUNCTIONAL.and(Kinds::PREFERENCES).and(Kinds::ANALYTICS).and(Kinds::MARKETING),
    omits: true,
    ..Spec::PLAIN
};

fn record(text: &str) -> Option<Reading> {
    let mut said = Said::default();
    let mut known = false;
    for (key, value) in text.split(',').filter_map(|field| field.split_once(':')) {
        match (key.strip_prefix("c."), key) {
            (Some(category), _) => said.push(category, matches!(value, "1" | "true")),
            (None, "i.t") => said.made = value.parse().ok().map(from_epoch),
            (None, "i.y") => known = matches!(value, "all" | "necessary" | "custom"),
            _ => {}
        }
    }
    (known || said.made.is_some()).then_some(Reading::Act(said))
}
