//! `usprivacy` of the IAB: `1YYN`, where the third character says whether the visitor opted out of the sale of their data.

use super::jar::Jar;
use super::meaning::{Kinds, Meaning};
use super::wire::object;
use super::{Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "usprivacy",
    record: &["usprivacy", "us_privacy"],
    service: Some("iab-tcf"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    meaning: |_| Meaning::veto(Kinds::MARKETING),
    kinds: Kinds::MARKETING,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let sold = match std::str::from_utf8(value) {
        Ok(text) if text.len() == 4 => sale(text)?,
        // iubenda writes JSON under the same name.
        _ => sale(object(value)?.get("uspString")?.as_str()?)?,
    };
    Some(match sold {
        Some(false) => Reading::OptOut(Said::of([("sale", false)])),
        Some(true) => Reading::NotAnAct(Said::of([("sale", true)])),
        None => Reading::NotAnAct(Said::default()),
    })
}

/// Whether data may be sold; inner `None` where the string does not say. Outer `None` if it is no such string.
#[expect(clippy::option_option, reason = "the outer one says whether it was readable")]
pub(super) fn sale(text: &str) -> Option<Option<bool>> {
    let [b'1', rest @ ..] = text.as_bytes() else { return None };
    let known = rest.len() == 3 && rest.iter().all(|byte| matches!(byte.to_ascii_uppercase(), b'Y' | b'N' | b'-'));
    known.then(|| match rest[1].to_ascii_uppercase() {
        b'Y' => Some(false),
        b'N' => Some(true),
        _ => None,
    })
}
