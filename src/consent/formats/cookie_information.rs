//! Cookie Information: encoded JSON that lists what was approved and what was denied, as `cookie_cat_statistic`.

use super::jar::Jar;
use super::wire::{moment, object, texts};
use super::{Kinds, Reading, Said, Spec, meaning};

pub(super) const SPEC: Spec = Spec {
    word: "cookie-information",
    record: &["CookieInformationConsent"],
    service: Some("cookie-information"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    meaning: |group| meaning::of_name(group.strip_prefix("cookie_cat_").unwrap_or(group)),
    kinds: Kinds::FUNCTIONAL.and(Kinds::ANALYTICS).and(Kinds::MARKETING),
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let lists = [("consents_approved", true), ("consents_denied", false)];
    lists.iter().any(|(key, _)| map.contains_key(*key)).then_some(())?;
    let groups = lists.iter().flat_map(|(key, granted)| texts(map.get(*key)).map(|group| (group, *granted)));
    let mut said = Said::of(groups);
    said.made = moment(&map, &["timestamp"]);
    Some(Reading::of(!said.groups.is_empty(), said))
}
