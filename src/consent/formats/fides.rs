//! Fides: encoded JSON, `consent` by notice, and `fides_meta.consentMethod`, which tells who decided.

use serde_json::Value;

use super::jar::Jar;
use super::meaning::{self, plain};
use super::wire::{moment, object};
use super::{Kinds, Meaning, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "fides",
    record: &["fides_consent"],
    beside: &["fides_*"],
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    meaning: notice,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let granted = |value: &Value| value.as_bool().unwrap_or_else(|| value == "opt_in");
    let notices = map.get("consent")?.as_object()?;
    let mut said = Said::of(notices.iter().map(|(notice, value)| (notice.as_str(), granted(value))));
    let about = map.get("fides_meta").and_then(Value::as_object);
    said.made = about.and_then(|about| moment(about, &["updatedAt", "createdAt"]));
    let method = about.and_then(|about| about.get("consentMethod")).and_then(Value::as_str);
    Some(match method {
        Some("script" | "dismiss" | "acknowledge" | "external_provider" | "ot_migration") => Reading::NotAnAct(said),
        // The browser refused on its owner's behalf.
        Some("gpc") => Reading::OptOut(said),
        _ => Reading::Act(said),
    })
}

/// Notices have the names of the vendor's templates: `targeted_advertising_gpp_us_national`, `data_sales_and_sharing`.
fn notice(name: &str) -> Meaning {
    let words = plain(name);
    if words.contains("sales") || words.starts_with("targetedadvertising") && words.contains("gpp") {
        return Meaning::veto(Kinds::MARKETING);
    }
    meaning::of_name(name)
}
