//! Borlabs Cookie for WordPress: JSON whose `consents` names the groups that were granted, and in each its services.

use serde_json::Value;

use super::jar::Jar;
use super::wire::{object, texts};
use super::{Reading, Said, Services, Spec};

pub(super) const SPEC: Spec = Spec {
    word: "borlabs",
    record: &["borlabs-cookie"],
    beside: &["borlabs-cookie-*"],
    service: Some("borlabs"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).unwrap_or(Reading::Unreadable)),
    omits: true,
    services: Services::Lists,
    ..Spec::PLAIN
};

fn record(value: &[u8]) -> Option<Reading> {
    let map = object(value)?;
    let mut said = Said::default();
    for (group, services) in map.get("consents")?.as_object()? {
        said.push(group.as_str(), true);
        texts(Some(services)).for_each(|service| said.push(format!("{group}/{service}"), true));
    }
    said.revision = map.get("version").map(|version| match version {
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    });
    Some(Reading::Act(said))
}
