//! Cloudflare Zaraz: JSON of purposes, whose four letters differ from zone to zone, so that the site has to map them.

use super::jar::Jar;
use super::wire::object;
use super::{Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "zaraz",
    record: &["zaraz-consent", "cf_consent"],
    read: |jar: &Jar<'_>| {
        jar.records(|value| match object(value) {
            Some(map) => Reading::Act(Said::of(map.iter().map(|(id, granted)| (id.as_str(), *granted == true)))),
            None => Reading::Unreadable,
        })
    },
    kinds: Kinds::NONE,
    ..Spec::PLAIN
};
