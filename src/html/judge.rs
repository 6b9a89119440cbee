//! The rewriter's one question to the policy: may this visitor's browser have this URL or this snippet?

use url::Url;

use super::Settings;
use crate::policy::Classified;

/// Something that was taken out of a page, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was taken out.
    pub subject: Subject,
    /// To whom it belongs, and which rule says so.
    pub classified: Classified,
}

/// What was taken out of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A reference to this host and path. The query is left out: it may hold personal data.
    Tag(String),
    /// The text of an inline script.
    Snippet,
}

/// Whose the URL is, if the grant does not allow it.
pub(super) fn blocked_tag(settings: &Settings, url: &Url) -> Option<Finding> {
    let classified = settings.policy.tag(url)?;
    (!settings.grant.allows(classified.owner)).then(|| Finding {
        subject: Subject::Tag(format!("{}{}", url.host_str().unwrap_or_default(), url.path())),
        classified,
    })
}

/// Whose the snippet is, if the grant does not allow it.
pub(super) fn blocked_snippet(settings: &Settings, text: &str) -> Option<Finding> {
    let classified = settings.policy.snippet(text)?;
    (!settings.grant.allows(classified.owner)).then_some(Finding { subject: Subject::Snippet, classified })
}

/// The name that a visitor reads on a placeholder: the service's, else the host's.
pub(super) fn label<'a>(settings: &'a Settings, finding: &'a Finding) -> &'a str {
    let service = finding.classified.owner.service;
    let service = service.and_then(|id| settings.policy.parts().services.get(usize::from(id.0)));
    match (service, &finding.subject) {
        (Some(service), _) => &service.label,
        (None, Subject::Tag(tag)) => tag.split('/').next().unwrap_or(tag),
        (None, Subject::Snippet) => "",
    }
}
