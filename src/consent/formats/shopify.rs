//! Shopify: `_tracking_consent`, encoded JSON, `con.CMP` of `a`nalytics, `m`arketing, `p`references and `s`ale, each `"1"`,
//! `"0"` or, where nobody answered, empty.

use super::jar::Jar;
use super::wire::object;
use super::{Kinds, Meaning, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "shopify",
    record: &["_tracking_consent"],
    beside: &["_cmp_a"],
    service: Some("shopify-privacy"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    meaning: |group| match group {
        "a" => Meaning::of(Kinds::ANALYTICS),
        "m" => Meaning::of(Kinds::MARKETING),
        "p" => Meaning::of(Kinds::PREFERENCES),
        "s" => Meaning::veto(Kinds::MARKETING),
        _ => Meaning::NONE,
    },
    kinds: Kinds::PREFERENCES.and(Kinds::ANALYTICS).and(Kinds::MARKETING),
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let answers = map.get("con")?.get("CMP")?.as_object()?;
    let answered = answers.iter().filter_map(|(group, answer)| match answer.as_str()? {
        "1" => Some((group.as_str(), true)),
        "0" => Some((group.as_str(), false)),
        _ => None,
    });
    let said = Said::of(answered);
    let decides = said.groups.iter().any(|(group, _)| &**group != "s");
    Some(match (decides, said.answer("s")) {
        (true, _) => Reading::Act(said),
        (false, Some(false)) => Reading::OptOut(said),
        (false, _) => Reading::NotAnAct(said),
    })
}
