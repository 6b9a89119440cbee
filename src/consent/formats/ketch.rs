//! Ketch: JSON in base64, `{purpose: {status: "granted"}}`.

use super::jar::Jar;
use super::wire::base64_object;
use super::{Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "ketch",
    record: &["_ketch_consent_v1_"],
    beside: &["_swb*"],
    service: Some("ketch"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = base64_object(value)?;
    let granted = |purpose: &serde_json::Value| purpose.get("status").is_some_and(|status| status == "granted");
    let said = Said::of(map.iter().map(|(id, purpose)| (id.as_str(), granted(purpose))));
    Some(Reading::of(!said.groups.is_empty(), said))
}
