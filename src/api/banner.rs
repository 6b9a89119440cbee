//! What a visitor is asked on the pages of a site, and the banner, style sheet and script that ask it.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, SET_COOKIE};
use http::request::Parts;
use http::{Response, StatusCode};

use super::Visit;
use crate::body::Body;
use crate::config::{ConsentMode, Gating, Mode, SEEN_COOKIE, Site};
use crate::consent::{self, Ask, Basis, Decision, Keys, Record, Signals};
use crate::cookie::UnixTime;
use crate::page::banner::{Asked, Banner, May, script};
use crate::page::{category, local_path, way_back};
use crate::policy::{Category, CategoryId, Law, ServiceId, translated};
use crate::{filter, fnv, own};

/// What a visitor is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked for.
    categories: Vec<CategoryId>,
    /// Services of other categories than those.
    services: Vec<ServiceId>,
    /// The version of the policy under which an earlier choice was made, if one stands.
    since: Option<u64>,
    /// The browser sends a signal that the policy honours.
    signal: bool,
}

impl Question {
    /// What there is to ask this visitor; `None` if nothing, or nothing that an answer would change.
    pub fn of(site: &Site, decision: &Decision, record: &Record, signals: Signals) -> Option<Self> {
        if site.consent_tool.is_some() {
            // The site's own tool asks.
            return None;
        }
        let parts = site.policy.parts();
        let heard = |category: &Category| (category.gpc && signals.gpc) || (category.dnt && signals.dnt);
        // What the browser's signal keeps off whatever the visitor says is no question.
        let open = |id: &CategoryId| {
            let category = site.policy.category(*id);
            !category.required && (parts.choice_beats_signals || !heard(category))
        };
        let all = || (0..).map(CategoryId).take(parts.categories.len()).filter(open);
        let (categories, services, since) = match &decision.ask {
            Ask::Nothing => return None,
            Ask::Everything => (all().collect(), Vec::new(), None),
            // Who allowed one film on the way has not been asked anything else yet.
            Ask::New(categories, _) if decision.basis != Basis::Choice || all().all(|id| categories.contains(&id)) => {
                (all().collect(), Vec::new(), None)
            }
            Ask::New(categories, services) => {
                let alone = |id: &ServiceId| {
                    let category = site.policy.service(*id).category;
                    open(&category) && !categories.contains(&category)
                };
                let since = match record {
                    Record::Choice(choice) => choice.version,
                    _ => parts.version,
                };
                let categories: Vec<_> = categories.iter().copied().filter(open).collect();
                (categories, services.iter().copied().filter(alone).collect(), Some(since))
            }
        };
        let signal = parts.categories.iter().any(|category| !category.required && heard(category));
        let asks = !(categories.is_empty() && services.is_empty());
        asks.then_some(Self { categories, services, since, signal })
    }

    /// A number that differs where the banner in the language of this tag does.
    pub fn mark(&self, site: &Site, language: &str) -> u64 {
        let words = self.labels(site, language).into_iter().chain(self.changes(site, language)).chain([language]);
        let start = 1 + u64::from(self.since.is_some()) + 2 * u64::from(self.signal);
        fnv::add(start, words.flat_map(|text| text.bytes().chain([0])))
    }

    /// What is asked for, by its names.
    fn labels<'a>(&self, site: &'a Site, language: &str) -> Vec<&'a str> {
        let texts = site.texts.of(language);
        let categories = self.categories.iter().map(|id| category::label(site.policy.category(*id), texts, language));
        categories.chain(self.services.iter().map(|id| &*site.policy.service(*id).label)).collect()
    }

    /// The site's words on what has changed since the earlier choice.
    fn changes<'a>(&self, site: &'a Site, language: &str) -> Vec<&'a str> {
        let since = self.since.unwrap_or(u64::MAX);
        let changes = site.policy.parts().changes.iter().filter(|change| change.version > since);
        changes.map(|change| translated(&change.text, &change.texts, language)).collect()
    }

    /// Whether no choice stands.
    pub fn is_first(&self) -> bool {
        self.since.is_none()
    }

    /// The banner that asks it on a page, in the language of this tag.
    /// `named` says whether the browser asks for another.
    pub fn banner(
        &self,
        site: &Site,
        (language, named): (&str, bool),
        authority: &str,
        return_to: &str,
        may: May,
    ) -> String {
        let named = named.then_some(language);
        let (labels, changes) = (self.labels(site, language), self.changes(site, language));
        let asked = if self.since.is_some() { Asked::New(&labels, &changes) } else { Asked::Everything(&labels) };
        let ours = format!("{}policy{}", site.prefix, named.map(|tag| format!("?language={tag}")).unwrap_or_default());
        let policy = site.policy_page.as_deref().unwrap_or(&ours);
        let prefix = &*site.prefix;
        let words = site.texts.of(language);
        let site = filter::Address { authority, target: return_to }.host();
        Banner { site, words, named, asked, signal: self.signal, prefix, policy, return_to, may }.render()
    }
}

/// The script of a site's pages.
pub fn script(site: &Site) -> String {
    script::script(&script::About {
        policy: &site.policy,
        consent_mode: site.consent_mode != ConsentMode::Off,
        types: &site.consent_types,
        frees: site.gating != Gating::Remove,
        shared: site.shares_pages(),
    })
}

/// `GET consent.js` and `GET banner.css`: their addresses change with them. What is asked for under the address of
/// another version, as while several of us are renewed, is kept by nobody.
pub(super) fn asset(head: &Parts, text: String, path: &str, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if head.uri.query() == path.split_once('?').map(|(_, mark)| mark) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    }
    response
}

/// `GET banner`: for pages that are the same for everybody; 204 where there is nothing to ask.
pub(super) fn get(visit: &Visit<'_>, head: &Parts) -> Response<Body> {
    let question = Question::of(visit.site, visit.decision, visit.record, visit.signals);
    let Some(question) = question.filter(|_| visit.site.banner) else {
        return own::html(StatusCode::NO_CONTENT, String::new());
    };
    let query = head.uri.query().unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "return_to").map(|(_, v)| v);
    let return_to = way_back(local_path(asked.as_deref().unwrap_or("/")));
    let may = May { form: true, style: true, fetch: true };
    let mut response = own::html(
        StatusCode::OK,
        question.banner(visit.site, (visit.language, visit.named), visit.authority, return_to, may),
    );
    let implied = visit.site.policy.parts().law_in(visit.country) == Law::Implied;
    if implied && visit.decision.basis == Basis::Default && visit.site.mode == Mode::Enforce {
        let cookie = seen(return_to, visit.now, visit.keys, &visit.site.name);
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The `Set-Cookie` that remembers the first page on which a visitor was asked, for as long as the browser is open.
pub fn seen(target: &str, now: UnixTime, keys: &Keys, scope: &str) -> HeaderValue {
    let value = consent::encode_seen(target, now, keys, scope);
    let line = format!("{SEEN_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(line).expect("digits, letters and dots")
}

/// The `Set-Cookie` that forgets it.
pub fn not_seen() -> HeaderValue {
    let line = format!("{SEEN_COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(line).expect("a constant")
}
