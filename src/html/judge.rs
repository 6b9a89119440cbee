//! The rewriter's one question to the policy: may this visitor's browser have this URL, or run this snippet?

use url::Url;

use super::Settings;
use crate::page::{escape, placeholder};
use crate::policy::{
    Action, Category, CategoryId, Finding, FindingAction, FindingKind, Grant, Owner, Policy, Rule, ServiceId, Verdict,
    vendor_word,
};

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

/// Asks about a URL as it is written on a page with this base.
pub(super) fn url(settings: &Settings, base: &Url, url: &str) -> Option<Blocked> {
    match tag(settings, address(base, url)?) {
        Judged::Blocked(blocked) => Some(blocked),
        Judged::Foreign(_) | Judged::Own => None,
    }
}

/// Whom such a URL contacts; `None` if nobody.
pub(super) fn address(base: &Url, url: &str) -> Option<Url> {
    let url = url.trim_start_matches(|c: char| c <= ' ');
    // Nobody is contacted by them as such, and they are long.
    if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return None;
    }
    base.join(url).ok().filter(|url| url.scheme() != "data")
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

/// What must be granted before all this may load, as an attribute of the element that holds it. Of one thing after the
/// other, for the policy names only the first that a grant lacks.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    settings: &'a Settings,
    grant: Grant,
    words: Vec<String>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, grant: settings.grant.clone(), words: Vec::new() }
    }

    /// An URL that would be contacted.
    pub(super) fn url(&mut self, url: &Url) {
        self.take(|policy, grant| policy.judge_tag(grant, url));
    }

    /// The text of a script that would run.
    pub(super) fn snippet(&mut self, text: &str) {
        self.take(|policy, grant| policy.judge_snippet(grant, text));
    }

    pub(super) fn attribute(&self) -> String {
        format!("data-consentry-needs={}", escape::quote(&self.words.join(" ")))
    }

    fn take(&mut self, judge: impl Fn(&Policy, &Grant) -> Verdict) {
        let policy = &*self.settings.policy;
        loop {
            let verdict = judge(policy, &self.grant);
            if verdict.action == Action::Keep {
                return;
            }
            let owner = verdict.classified.map(|found| found.owner);
            match owner {
                Some(Owner { service: Some(id), .. }) => self.grant.grant_service(id),
                Some(Owner { category, service: None }) => grant_category_alone(policy, &mut self.grant, category),
                None => {}
            }
            let is_new = self.add(owner);
            if let Some(vendor) = verdict.classified.and_then(|found| policy.vendor_of(&found)) {
                self.grant.grant_vendor(vendor);
                self.words.push(format!("service:{}", vendor_word(vendor)));
            }
            if !is_new {
                return;
            }
        }
    }

    /// Something whose owner is known. Whether that was not needed yet, and can be granted.
    pub(super) fn add(&mut self, owner: Option<Owner>) -> bool {
        let policy = &*self.settings.policy;
        let word = match owner {
            Some(Owner { service: Some(id), .. }) => format!("service:{}", policy.service(id).id),
            Some(Owner { category, service: None }) => format!("category:{}", policy.category(category).id),
            // No grant of this policy brings it back.
            None => "nobody".to_owned(),
        };
        let is_new = !self.words.contains(&word);
        if is_new {
            self.words.push(word);
        }
        is_new && owner.is_some()
    }
}

/// The services of the category keep the answers that they have: each may be refused by name.
fn grant_category_alone(policy: &Policy, grant: &mut Grant, category: CategoryId) {
    let before = grant.clone();
    grant.grant_category(category);
    for (id, service) in (0_u16..).map(ServiceId).zip(&policy.parts().services) {
        if service.category == category && !before.allows(Owner { category, service: Some(id) }) {
            grant.refuse_service(id);
        }
    }
}

impl Blocked {
    /// For something that the element holds itself.
    pub(super) fn within(finding: Finding, page: &Url) -> Self {
        Self { finding, url: page.clone() }
    }

    /// What the visitor can allow so that it loads.
    pub(super) fn remedy<'a>(
        &self,
        settings: &'a Settings,
        label: impl FnOnce(&'a Category) -> &'a str,
    ) -> Option<placeholder::Grant<'a>> {
        let policy = &settings.policy;
        self.finding.owner.map(|owner| match owner.service {
            Some(id) => placeholder::Grant::Service(&policy.service(id).id),
            None => {
                let category = policy.category(owner.category);
                placeholder::Grant::Category(&category.id, label(category))
            }
        })
    }

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
