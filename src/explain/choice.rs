//! `--grant`: the choice of a visitor who agreed to these and refused the rest, decided on as the proxy does.

use crate::config::suggest;
use crate::consent::{self, Answers, Choice, ConsentId, Decision, Record, Signals};
use crate::cookie::UnixTime;
use crate::policy::Policy;

/// A word of `--grant` that is no key of the policy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy has no category or service `{key}`\n  {hint}")]
pub(crate) struct Unknown {
    key: String,
    hint: String,
}

/// What a visitor with this choice may use; with none, what the law says.
pub(crate) fn decide(policy: &Policy, grant: Option<&[String]>, now: UnixTime) -> Result<Decision, Unknown> {
    let record = match grant {
        Some(keys) => Record::Choice(choice(policy, keys, now)?),
        None => Record::None,
    };
    Ok(consent::grant(policy, &record, Signals::default(), now))
}

fn choice(policy: &Policy, keys: &[String], now: UnixTime) -> Result<Choice, Unknown> {
    // It names nobody and is kept nowhere.
    let id = ConsentId([0; 16]);
    let (mut categories, mut granted) = (Vec::new(), Vec::new());
    for key in keys.iter().map(|key| key.trim()).filter(|key| !key.is_empty()) {
        let (category, service) = (policy.category_named(key), policy.service_named(key));
        match (category, service, key) {
            (None, None, "all") => return Ok(Choice::accept_all(policy, id, now)),
            (None, None, "none") => {}
            (None, None, _) => return Err(unknown(policy, key)),
            _ => {
                categories.extend(category);
                granted.extend(service);
            }
        }
    }
    Ok(Choice::from_answers(policy, &Answers { categories: &categories, granted: &granted, refused: &[] }, id, now))
}

fn unknown(policy: &Policy, key: &str) -> Unknown {
    let parts = policy.parts();
    let hint = match policy.catalogue().service(key) {
        Some(known) => format!(
            "the catalogue has {}, but a visitor can grant by name only what the policy declares; grant its category",
            known.label
        ),
        None => {
            let categories = parts.categories.iter().map(|category| &*category.id);
            suggest(key, categories.chain(parts.services.iter().map(|service| &*service.id)).chain(["all"]))
        }
    };
    Unknown { key: key.to_owned(), hint }
}
