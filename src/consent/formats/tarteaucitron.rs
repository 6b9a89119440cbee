//! tarteaucitron: `!gtag=true!youtube=wait`, a service each. Its own reader looks for parts of names; this one does not.

use super::jar::Jar;
use super::wire::decoded;
use super::{Reading, Said, Services, Spec, meaning};

pub(super) const SPEC: Spec = Spec {
    word: "tarteaucitron",
    record: &["tarteaucitron"],
    service: Some("tarteaucitron"),
    read: |jar: &Jar<'_>| {
        jar.records(|value| match value {
            b"" => Reading::NotAnAct(Said::default()),
            _ => decoded(value, record).unwrap_or(Reading::Unreadable),
        })
    },
    meaning: meaning::of_service,
    services: Services::Keys,
    omits: true,
    ..Spec::PLAIN
};

fn record(text: &str) -> Option<Reading> {
    let mut said = Said::default();
    let mut act = false;
    for (service, answer) in text.strip_prefix('!')?.split('!').filter_map(|entry| entry.rsplit_once('=')) {
        match answer {
            "true" | "false" => {
                act = true;
                said.push(service, answer == "true");
            }
            // Shown, not answered.
            "wait" => said.push(service, false),
            _ => {}
        }
    }
    Some(Reading::of(act, said))
}
