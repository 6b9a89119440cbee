//! A site's keys on what its pages get from us.

use super::pages::{ConsentMode, Guarding, SettingsLink};
use super::reading::Item;
use super::section::Section;
use super::tree::Value;
use crate::html::Anchor;
use crate::page::banner::script::TYPES;
use crate::page::local_path;
use crate::policy::PolicyParts;

/// Where pages mostly have such links.
pub(super) fn footer() -> SettingsLink {
    SettingsLink { within: Anchor::parse("footer").expect("a name is a selector"), text: None }
}

/// `false`, or a mapping that says more.
pub(super) fn settings_link(item: &Item<'_>) -> Option<Option<SettingsLink>> {
    if !item.is_map() {
        return item.bool().map(|wanted| wanted.then(footer));
    }
    item.section(|s| {
        let within = s.or("selector", footer().within, |item| item.parse(Anchor::parse));
        Some(SettingsLink { within, text: s.read("text", Item::boxed) })
    })
}

/// `true`, `false` or `report`.
pub(super) fn guard(item: &Item<'_>) -> Option<Guarding> {
    match &item.node.value {
        Value::Text(text) if **text == *"report" => Some(Guarding::Report),
        Value::Bool(on) => Some(if *on { Guarding::On } else { Guarding::Off }),
        _ => item.fail("expected true | false | report"),
    }
}

pub(super) fn consent_mode(item: &Item<'_>) -> Option<ConsentMode> {
    let modes = [("off", ConsentMode::Off), ("basic", ConsentMode::Basic), ("advanced", ConsentMode::Advanced)];
    let mode = item.word(&modes)?;
    if mode == ConsentMode::Advanced {
        item.warn(
            "Google's tags contact Google before the visitor agrees, if only without cookies",
            "write `basic` unless your data-protection officer says otherwise",
        );
    }
    Some(mode)
}

/// For each of Google's consent types the categories that grant it.
pub(super) fn consent_types(s: &Section<'_>, policy: Option<&PolicyParts>) -> Vec<(Box<str>, Vec<Box<str>>)> {
    let categories = |item: &Item<'_>| {
        let known = |key: &str| policy.is_none_or(|policy| policy.categories.iter().any(|c| *c.id == *key));
        let items = item.one_or_many();
        let keys = items.iter().filter_map(|item| {
            let key = item.text()?;
            if known(key) { Some(key.into()) } else { item.fail(format!("the policy has no category `{key}`")) }
        });
        Some(keys.collect())
    };
    let types = TYPES.iter().filter_map(|(name, _)| Some(((*name).into(), s.read(name, categories)?)));
    types.collect()
}

/// A path of the site.
pub(super) fn path(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    if text.len() > 1 && local_path(text) == text {
        return Some(text.into());
    }
    item.fail_with(format!("`{text}` is no path of the site"), "write e.g. `/cookie-policy`")
}
