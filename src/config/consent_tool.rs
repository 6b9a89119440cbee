//! `consent_tool:` of a site: a word, or a mapping that says which of the tool's groups stand for what.

use std::sync::Arc;

use super::problem::suggest;
use super::reading::Item;
use super::section::Section;
use crate::consent::formats::{Format, Settings, Tool};
use crate::policy::{NamePattern, Policy, RuleSource};

/// A consent tool, and where the site names it.
pub(super) struct Named {
    tool: Tool,
    source: RuleSource,
}

/// Reads the key; `none` is as good as leaving it out.
pub(super) fn read(item: &Item<'_>, policy: &Policy) -> Option<Named> {
    let settings = if item.is_map() {
        item.section(|s| settings(s, policy)).flatten()?
    } else {
        Settings { format: format(item)??, cookie: None, map: Vec::new(), services: Vec::new(), revision: None }
    };
    let place = item.name_place();
    let text = format!("consent_tool: {}", settings.format.word()).into();
    let tool = Tool::new(settings, policy);
    warn_of_gaps(item, &tool, policy);
    let source = RuleSource { file: item.source.name.clone(), line: place.line, text };
    Some(Named { tool, source })
}

impl Named {
    /// The policy, of which the tool's own cookies and tags are no concern.
    pub(super) fn beside(&self, policy: &Policy) -> Arc<Policy> {
        let cookies = self.tool.cookies().filter_map(|name| match name.strip_prefix('*') {
            Some(end) => NamePattern::parse(&format!("^.*{end}$")).ok(),
            None => NamePattern::parse(&name).ok(),
        });
        let (service, vendors) = (self.tool.service(), self.tool.format().names_vendors());
        Arc::new(policy.with_consent_tool(cookies.collect(), service, vendors, self.source.clone()))
    }

    pub(super) fn into_tool(self) -> Tool {
        self.tool
    }
}

fn settings(s: &Section<'_>, policy: &Policy) -> Option<Settings> {
    let format = s.need("format", format);
    let cookie = s.read("cookie", |item| {
        let name = item.text()?;
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&b);
        if !name.strip_suffix('*').unwrap_or(name).bytes().all(token) || name == "*" {
            return item.fail(format!("`{name}` cannot name a cookie"));
        }
        Some(name.into())
    });
    let parts = policy.parts();
    let map = s.or("map", Vec::new(), |item| {
        let category = |entry: &Item<'_>| {
            let key = entry.text()?;
            let id = policy.category_named(key).or_else(|| {
                let hint = suggest(key, parts.categories.iter().map(|category| &*category.id));
                entry.fail_with(format!("category `{key}` is not defined"), hint)
            })?;
            Some((entry.name().into(), id))
        };
        Some(item.entries().iter().filter_map(category).collect())
    });
    let services = s.or("services", Vec::new(), |item| {
        let service = |entry: &Item<'_>| {
            let key = entry.text()?;
            let id = policy.service_named(key).or_else(|| {
                let hint = match &*parts.services {
                    [] => "the policy declares no services; add it to `services` there".to_owned(),
                    services => suggest(key, services.iter().map(|service| &*service.id)),
                };
                entry.fail_with(format!("the policy has no service `{key}`"), hint)
            })?;
            Some((entry.name().into(), id))
        };
        Some(item.entries().iter().filter_map(service).collect())
    });
    let revision = s.read("revision", Item::boxed);
    Some(Settings { format: format??, cookie, map, services, revision })
}

/// A word that names a tool; inner `None` for `none`.
#[expect(clippy::option_option, reason = "the outer one says whether it was readable")]
fn format(item: &Item<'_>) -> Option<Option<Format>> {
    let word = item.text()?;
    if word == "none" {
        return Some(None);
    }
    match Format::named(word) {
        Some(format) => Some(Some(format)),
        None => {
            let known: Vec<_> = Format::all().map(Format::word).chain(["none"]).collect();
            let hint = suggest(word, known.iter().copied());
            item.fail_with(format!("the records of a consent tool `{word}` are not known"), hint)
        }
    }
}

/// Categories that stay refused whatever visitors choose in the tool, but for all at once where it has that.
fn warn_of_gaps(item: &Item<'_>, tool: &Tool, policy: &Policy) {
    for id in tool.without_group(policy) {
        let category = &policy.category(id).id;
        let word = tool.format().word();
        let who =
            if tool.format().grants_at_once() { "only a visitor who accepts everything at once" } else { "nobody" };
        item.warn(
            format!("no group of `{word}` stands for the category `{category}`, so {who} can grant it"),
            format!("write `consent_tool: {{ format: {word}, map: {{ GROUP: {category} }} }}`"),
        );
    }
}
