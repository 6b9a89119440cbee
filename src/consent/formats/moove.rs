//! Moove GDPR for WordPress: JSON of `strict`, `thirdparty` and `advanced`, each `"1"` or `"0"`.

use super::jar::Jar;
use super::wire::object;
use super::{Kinds, Meaning, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "moove",
    record: &["moove_gdpr_popup"],
    service: Some("moove-gdpr"),
    read: |jar: &Jar<'_>| {
        jar.records(|value| {
            let Some(map) = object(value).filter(|map| map.contains_key("strict")) else { return Reading::Unreadable };
            let groups = ["strict", "thirdparty", "advanced"];
            let groups = groups.iter().filter_map(|group| Some((*group, map.get(*group)?)));
            Reading::Act(Said::of(groups.map(|(group, answer)| (group, answer == "1" || *answer == 1))))
        })
    },
    meaning: |group| match group {
        "thirdparty" => Meaning::of(Kinds::ANALYTICS),
        "advanced" => Meaning::of(Kinds::MARKETING),
        _ => Meaning::NONE,
    },
    kinds: Kinds::ANALYTICS.and(Kinds::MARKETING),
    ..Spec::PLAIN
};
