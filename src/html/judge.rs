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

/// What the policy says of a URL.
#[derive(Debug)]
pub(super) enum Judged {
    Blocked(Blocked),
    /// It passes, and leads to somebody else's site.
    Foreign(Finding),
    /// It passes, and is the site's own.
    Own,
}

/// Asks about a URL that the browser would contact.
pub(super) fn tag(settings: &Settings, url: Url) -> Judged {
    let verdict = settings.policy.judge_tag(&settings.grant, &url);
    // The host alone: path and query may hold personal data.
    let host = url.host_str().unwrap_or_default();
    if let Some(finding) = stripped(FindingKind::Tag, host, &verdict) {
        return Judged::Blocked(Blocked { finding, url });
    }
    if verdict.rule.is_none() && is_own(settings, host) {
        return Judged::Own;
    }
    let owner = verdict.classified.map(|classified| classified.owner);
    Judged::Foreign(Finding::new(FindingKind::Tag, host.as_bytes(), owner, verdict.rule, FindingAction::Keep))
}

/// The page's own host, or another below the same registrable domain; no host at all is nobody else's.
fn is_own(settings: &Settings, host: &str) -> bool {
    let own = settings.url.host_str().unwrap_or_default();
    host.is_empty() || host == own || psl::domain_str(own).is_some_and(|domain| psl::domain_str(host) == Some(domain))
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
