//! Tools that ask for everything at once: Osano's old open-source banner, and Cookie Notice for WordPress.

use super::jar::Jar;
use super::{AtOnce, Reading, Said, Spec};

/// `cookieconsent_status`, as Insites, later Osano, wrote it.
pub(super) const COOKIECONSENT: Spec = Spec {
    word: "cookieconsent",
    record: &["cookieconsent_status"],
    service: Some("insites-cookieconsent"),
    read: |jar: &Jar<'_>| {
        jar.records(|value| match value {
            b"allow" => Reading::Act(Said::of([("optional", true)])),
            b"deny" => Reading::Act(Said::of([("optional", false)])),
            // The notice was closed, which decides nothing.
            b"dismiss" => Reading::NotAnAct(Said::of([("optional", false)])),
            _ => Reading::Unreadable,
        })
    },
    at_once: AtOnce::Always,
    ..Spec::PLAIN
};

/// `cookie_notice_accepted`.
pub(super) const COOKIE_NOTICE: Spec = Spec {
    word: "cookie-notice",
    record: &["cookie_notice_accepted"],
    service: Some("hu-manity"),
    read: |jar: &Jar<'_>| {
        jar.records(|value| match value {
            b"true" => Reading::Act(Said::of([("all", true)])),
            b"false" => Reading::Act(Said::of([("all", false)])),
            _ => Reading::Unreadable,
        })
    },
    at_once: AtOnce::Always,
    ..Spec::PLAIN
};
