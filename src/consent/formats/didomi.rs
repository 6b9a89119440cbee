//! Didomi: `didomi_token`, JSON in base64 with lists of purposes and vendors, and a TC string beside it.

use serde_json::{Map, Value};

use super::jar::Jar;
use super::wire::{base64_object, moment, texts};
use super::{Kinds, Meaning, Reading, Said, Spec, meaning, tcf};

/// The same in bits, with numbers for names that only Didomi can tell.
const BINARY: &str = "didomi_dcs";

pub(super) const SPEC: Spec = Spec {
    word: "didomi",
    record: &["didomi_token"],
    beside: &[BINARY, "euconsent-v2"],
    service: Some("didomi"),
    read: |jar: &Jar<'_>| match jar.records(|value| record(value, jar).unwrap_or(Reading::Unreadable)) {
        Reading::None if jar.has(BINARY) => Reading::Unreadable,
        reading => reading,
    },
    meaning: purpose,
    vendors: true,
    ..Spec::PLAIN
};

fn record(value: &[u8], jar: &Jar<'_>) -> Option<Reading> {
    let map = base64_object(value)?;
    // Written in this form by versions 1 and 2, and by those before they were counted.
    if !map.get("version").is_none_or(|version| version.is_null() || matches!(version.as_u64(), Some(1 | 2))) {
        return None;
    }
    let mut said = Said::default();
    lists(&map, "purposes", "", &mut said);
    lists(&map, "vendors", "vendor:", &mut said);
    said.made = moment(&map, &["updated", "created"]);
    // Sites that ask for nothing but the purposes of the IAB keep them in the TC string alone.
    let mut act = !said.groups.is_empty();
    for value in jar.values("euconsent-v2") {
        let tc = tcf::record(value)?;
        act |= tc.groups.iter().any(|(_, granted)| *granted);
        said.groups.extend(tc.groups);
        said.vendors = tc.vendors;
    }
    Some(Reading::of(act, said))
}

fn lists(map: &Map<String, Value>, key: &str, prefix: &str, said: &mut Said) {
    for (list, granted) in [("enabled", true), ("disabled", false)] {
        let ids = texts(map.get(key).and_then(|lists| lists.get(list)));
        ids.for_each(|id| said.push(format!("{prefix}{id}"), granted));
    }
}

/// What Didomi's own purposes are for. Those of a site end in a random part: `analytics-HpBJrrK7`.
fn purpose(id: &str) -> Meaning {
    let kinds = match id {
        // To keep anything at all in the browser.
        "cookies" => return Meaning::veto(Kinds::ALL),
        "select_basic_ads"
        | "create_ads_profile"
        | "select_personalized_ads"
        | "measure_ad_performance"
        | "advertising_personalization"
        | "ad_delivery" => Kinds::MARKETING,
        "create_content_profile" | "select_personalized_content" | "content_personalization" => Kinds::PREFERENCES,
        "measure_content_performance" | "market_research" => Kinds::ANALYTICS,
        "improve_products" => Kinds::FUNCTIONAL,
        _ if id.starts_with("vendor:") => Kinds::NONE,
        _ => return meaning::of_name(id.rsplit_once('-').map_or(id, |(name, _)| name)),
    };
    Meaning::of(kinds)
}
