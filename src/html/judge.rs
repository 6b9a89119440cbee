//! The rewriter's one question to the policy: may this visitor's browser have this URL, or run this snippet?

use url::Url;

use super::Settings;
use crate::policy::{Action, Finding, FindingAction, FindingKind, Rule, Verdict};

/// A URL that the grant does not allow.
#[derive(Debug)]
pub(super) struct Blocked {
    pub(super) finding: Finding,
    url: Url,
}

/// Asks about a URL that the browser would contact.
pub(super) fn tag(settings: &Settings, url: Url) -> Option<Blocked> {
    let verdict = settings.policy.judge_tag(&settings.grant, &url);
    // The host alone: path and query may hold personal data.
    let finding = stripped(FindingKind::Tag, url.host_str().unwrap_or_default(), &verdict)?;
    Some(Blocked { finding, url })
}

/// Asks about a URL as it is written on a page with this base.
pub(super) fn url(settings: &Settings, base: &Url, url: &str) -> Option<Blocked> {
    tag(settings, address(base, url)?)
}

/// Whom such a URL contacts; `None` if nobody.
pub(super) fn address(base: &Url, url: &str) -> Option<Url> {
    let url = url.trim_start_matches(|c: char| c <= ' ');
    // Nobody is contacted, and they are long.
    if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return None;
    }
    base.join(url).ok()
}

/// Asks about the URLs in speculation rules. Any text between two quotes is taken for one: which of two quotes opens
/// cannot be told of a part of the rules.
pub(super) fn rules(settings: &Settings, base: &Url, text: &str) -> Option<Finding> {
    text.split('"').find_map(|string| {
        let string = serde_json::from_str::<String>(&format!("\"{string}\"")).ok()?;
        url(settings, base, &string).map(|blocked| blocked.finding)
    })
}

/// Asks about the text of an inline script.
pub(super) fn snippet(settings: &Settings, text: &str) -> Option<Finding> {
    stripped(FindingKind::Snippet, "", &settings.policy.judge_snippet(&settings.grant, text))
}

fn stripped(kind: FindingKind, name: &str, verdict: &Verdict) -> Option<Finding> {
    let owner = verdict.classified.map(|classified| classified.owner);
    (verdict.action == Action::Strip)
        .then(|| Finding::new(kind, name.as_bytes(), owner, verdict.rule, FindingAction::Strip))
}

impl Blocked {
    /// What a visitor would call it: the service's name, else the host.
    pub(super) fn label<'a>(&'a self, settings: &'a Settings) -> &'a str {
        if let Some(id) = self.finding.owner.and_then(|owner| owner.service) {
            return &settings.policy.service(id).label;
        }
        match (self.finding.rule, settings.policy.catalogue().tag(&self.url)) {
            (Some(Rule::Catalogue(_)), Some((service, _))) => &service.label,
            _ => &self.finding.name,
        }
    }
}
