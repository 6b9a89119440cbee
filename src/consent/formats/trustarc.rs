//! TrustArc: levels 0 (required), 1 (functional), 2 (advertising) and up, in three cookies that say the same in three ways.

use super::jar::Jar;
use super::wire::decoded;
use super::{Kinds, Meaning, Reading, Said, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "trustarc",
    record: &["notice_gdpr_prefs", "notice_preferences", "cmapi_cookie_privacy"],
    beside: &["notice_behavior", "notice_poptime", "cmapi_gtm_bl", "gpcishonored", "TAsessionID", "TAconsentID"],
    service: Some("trustarc"),
    read: |jar: &Jar<'_>| {
        let by_signal = jar.values("gpcishonored").any(|value| value == b"true");
        jar.records_by_name(|name, value| match decoded(value, |text| levels(name, text)) {
            // Written for a browser that refuses: the refusal counts, and decides nothing else.
            Some(said) if by_signal => Reading::OptOut(said),
            Some(said) => Reading::Act(said),
            None => Reading::Unreadable,
        })
    },
    meaning: |level| match level {
        "1" => Meaning::of(Kinds::FUNCTIONAL),
        "2" => Meaning::of(Kinds::MARKETING),
        _ => Meaning::NONE,
    },
    kinds: Kinds::FUNCTIONAL.and(Kinds::MARKETING),
    ..Spec::PLAIN
};

/// Counted from 0, as the tool's own settings do.
fn levels(name: &[u8], text: &str) -> Option<Said> {
    let list = |text: &str, least: u8| {
        let digits = text.split([',', '|']).map(|digit| digit.trim().parse::<u8>().ok()?.checked_sub(least));
        digits.collect::<Option<Vec<_>>>()
    };
    let granted = match name {
        b"notice_preferences" => {
            (0..=text.split(':').next()?.parse::<u8>().ok().filter(|level| *level < 10)?).collect()
        }
        b"notice_gdpr_prefs" => list(text.split(':').next()?, 0)?,
        _ => {
            let rest = text.strip_prefix("permit")?.trim_start_matches([' ', '_', '+']);
            list(rest.split([' ', '_', '+']).next()?, 1)?
        }
    };
    let most = granted.iter().copied().max()?.clamp(2, 9);
    Some(Said::of((0..=most).map(|level| (level.to_string(), granted.contains(&level)))))
}
