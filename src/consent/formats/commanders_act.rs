//! Commanders Act: `status@version|…@categories@blocked@updated,created,expires@…`; status 0 is opted in, 1 opted out.

use super::jar::Jar;
use super::wire::{decoded, from_epoch};
use super::{Kinds, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "commanders-act",
    record: &["TC_PRIVACY"],
    beside: &["TC_PRIVACY_CENTER", "TC_PRIVACY_*"],
    service: Some("commanders-act-trust"),
    read: |jar: &Jar<'_>| jar.records(|value| decoded(value, record).unwrap_or(Reading::Unreadable)),
    kinds: Kinds::NONE,
    omits: true,
    ..Spec::PLAIN
};

fn record(text: &str) -> Option<Reading> {
    let mut fields = text.split('@');
    let status = fields.next()?;
    let (_, categories, _, times) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let mut said = match status {
        "0" => Said::of(categories.split(',').filter(|id| !id.is_empty()).map(|id| (id, true))),
        "1" => Said::of([("all", false)]),
        _ => return None,
    };
    let mut times = times.split(',').map(|time| time.parse().ok().map(from_epoch));
    said.made = times.next().flatten();
    said.until = times.nth(1).flatten();
    Some(Reading::Act(said))
}
