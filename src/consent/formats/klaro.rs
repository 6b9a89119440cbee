//! Klaro: encoded JSON of services, written only when the visitor saves.

use super::jar::Jar;
use super::wire::object;
use super::{Reading, Said, Services, Spec, meaning};

pub(super) const SPEC: Spec = Spec {
    word: "klaro",
    record: &["klaro"],
    service: Some("klaro"),
    read: |jar: &Jar<'_>| {
        jar.records(|value| match object(value) {
            Some(map) => Reading::Act(Said::of(map.iter().map(|(id, granted)| (id.as_str(), *granted == true)))),
            None => Reading::Unreadable,
        })
    },
    meaning: meaning::of_service,
    services: Services::Groups,
    // A service that came later is missing, as good as refused.
    omits: true,
    ..Spec::PLAIN
};
