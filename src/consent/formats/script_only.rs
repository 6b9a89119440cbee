//! Tools whose record no server can read: Osano's is encrypted, Usercentrics and Termly keep theirs in localStorage.
//! The bridge script tells of it.

use super::jar::Jar;
use super::meaning::{self, Kinds, Meaning};
use super::{Reading, Spec};

/// Its `OPT_OUT` is the American opt-out: accepted, it refuses marketing. The script sends it turned round, as `SALE`.
pub(super) const OSANO: Spec = Spec {
    word: "osano",
    record: &["osano_consentmanager"],
    beside: &["osano_consentmanager_*"],
    service: Some("osano"),
    read: |jar: &Jar<'_>| jar.records(|_| Reading::Unreadable),
    meaning: |group| if group == "SALE" { Meaning::veto(Kinds::MARKETING) } else { meaning::of_name(group) },
    bridged: true,
    ..Spec::PLAIN
};

pub(super) const USERCENTRICS: Spec =
    Spec { word: "usercentrics", service: Some("usercentrics"), bridged: true, ..Spec::PLAIN };

pub(super) const TERMLY: Spec = Spec { word: "termly", service: Some("termly"), bridged: true, ..Spec::PLAIN };
