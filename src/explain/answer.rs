//! What became of one cookie or URL: what the filters made of it, and what they said of it.

use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use serde::{Serialize, Serializer};
use url::Url;

use super::input::{Input, Kind, What};
use super::words;
use crate::config::Site;
use crate::consent::Decision;
use crate::cookie::{Fate, Pair, SetCookie, UnixTime};
use crate::filter::{self, Address, Body, ConsentHeader, Fetch, Judged, RequestContext, Requested, ResponseContext};
use crate::policy::{Action, Classified, Finding, FindingAction, FindingKind, Policy, Rule, Unclassified, Verdict};

/// A visitor at a site, for whom questions are answered.
pub(crate) struct Explainer<'a> {
    site: &'a Site,
    pub(crate) site_url: Url,
    decision: &'a Decision,
    consent: ConsentHeader,
    now: UnixTime,
}

/// The answer, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    pub(crate) input: &'a str,
    pub(crate) kind: Kind,
    /// What was done; one word, or a list of several.
    #[serde(serialize_with = "one_or_many")]
    pub(crate) action: Vec<&'static str>,
    /// What is left of the input: line or URL; `None` if nothing.
    pub(crate) output: Option<String>,
    /// Of the cookie, or the host of the URL.
    pub(crate) name: String,
    /// The key in the policy, or in the catalogue where the policy does not declare it.
    pub(crate) service: Option<&'a str>,
    #[serde(skip)]
    pub(crate) service_label: Option<&'a str>,
    pub(crate) category: Option<&'a str>,
    /// The rule that decided.
    pub(crate) rule: Option<Source<'a>>,
    /// In words.
    pub(crate) because: String,
    /// Where a cookie was hardened and shortened: the rule that shortened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cap_rule: Option<Source<'a>>,
    /// What the browser gets so that it deletes the cookie.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) set_cookie: Vec<String>,
}

/// Where a rule is written.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) text: &'a str,
}

fn one_or_many<S: Serializer>(actions: &[&'static str], serializer: S) -> Result<S::Ok, S::Error> {
    match actions {
        [action] => action.serialize(serializer),
        actions => actions.serialize(serializer),
    }
}

impl<'a> Explainer<'a> {
    /// # Errors
    /// If no URL can have the host.
    pub(crate) fn new(
        site: &'a Site,
        host: &str,
        decision: &'a Decision,
        now: UnixTime,
    ) -> Result<Self, url::ParseError> {
        let site_url = Url::parse(&format!("https://{host}/"))?;
        let consent = ConsentHeader::new(&site.policy);
        Ok(Self { site, site_url, decision, consent, now })
    }

    /// One answer, or one for each cookie of a `Cookie` line.
    pub(crate) fn explain<'i>(&'i self, input: &'i Input) -> Vec<Answer<'i>> {
        match &input.what {
            What::SetCookie(head, value) => vec![self.set_cookie(input, head, value)],
            What::Cookie(head, value) => self.cookies(input, head, value),
            What::Url(url) => vec![self.url(input, url)],
        }
    }

    /// What the rewriter took out of a page.
    pub(crate) fn removed<'i>(&'i self, finding: &'i Finding) -> Answer<'i> {
        let rule = finding.rule.map(|rule| self.source(rule));
        let classified = finding.owner.zip(finding.rule);
        let classified = classified.map(|(owner, rule)| Classified { owner, rule, lifetime: None });
        let verdict = Verdict { action: Action::Strip, classified, rule: finding.rule, lifetime: None };
        let (kind, input) = match finding.kind {
            FindingKind::Snippet => (Kind::Snippet, rule.map_or("", |rule| rule.text)),
            FindingKind::Tag | FindingKind::Cookie | FindingKind::Storage => (Kind::Tag, &*finding.name),
        };
        let answer = self.about(input, kind, finding.name.to_string(), &verdict, self.why(&verdict, kind));
        Answer { action: vec![finding.action.word()], ..answer }
    }

    fn policy(&self) -> &Policy {
        &self.site.policy
    }

    fn set_cookie<'i>(&'i self, input: &'i Input, head: &str, value: &HeaderValue) -> Answer<'i> {
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, value.clone());
        let findings = self.respond(&mut headers, Vec::new());
        let finding = findings.into_iter().next();
        let cookie = SetCookie::parse(value.as_bytes());
        let verdict = self.policy().judge_cookie(&self.decision.grant, cookie.name());
        let action = finding.as_ref().map_or(FindingAction::Keep, |finding| finding.action);
        let (rule, capped) = finding.map_or((None, None), |Finding { rule, capped, .. }| (rule, capped));
        let mut actions = vec![action.word()];
        if capped.is_some() {
            actions.push(FindingAction::Cap.word());
        }
        let because = match action {
            FindingAction::Keep if cookie.deletes(self.now) => words::DELETES.to_owned(),
            FindingAction::Harden | FindingAction::Cap => {
                let hardening = self.policy().session(cookie.name()).map(|(hardening, _)| hardening);
                let hardening = hardening.filter(|_| action == FindingAction::Harden);
                let cap = verdict.lifetime.filter(|_| action == FindingAction::Cap || capped.is_some());
                words::edited(hardening, cap)
            }
            _ => self.why(&verdict, input.kind()),
        };
        Answer {
            action: actions,
            output: headers.get(SET_COOKIE).map(|line| format!("{head}{}", lossy(line.as_bytes()))),
            rule: rule.map(|rule| self.source(rule)),
            cap_rule: capped.map(|rule| self.source(rule)),
            ..self.answer(input, lossy(cookie.name()), &verdict, because)
        }
    }

    fn cookies<'i>(&'i self, input: &'i Input, head: &str, value: &HeaderValue) -> Vec<Answer<'i>> {
        let own = self.site.own_cookies();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, value.clone());
        let given = headers.clone();
        let judged = filter::judge_cookies(self.policy(), &self.decision.grant, &given, &own);
        // A visitor who opens a page: only then are refused cookies deleted.
        headers.insert(HeaderName::from_static("sec-fetch-mode"), HeaderValue::from_static("navigate"));
        headers.insert(HeaderName::from_static("sec-fetch-dest"), HeaderValue::from_static("document"));
        let context = RequestContext {
            apply: true,
            method: &Method::GET,
            fetch: Fetch::read(&headers),
            own: &own,
            consent: &self.consent,
            refused: self.decision.refused,
            pages: &self.decision.grant,
            salt: 0,
        };
        let requested = filter::request(self.policy(), &self.decision.grant, &mut headers, &context, &mut ());
        let output = headers.get(COOKIE).map(|line| format!("{head}{}", lossy(line.as_bytes())));
        let expired = |name: &[u8]| requested.expire.iter().any(|expired| **expired == *name);
        let answer = |(pair, (fate, verdict)): (Pair<'_>, Judged<'_>)| {
            let (name, passes) = (pair.name(), fate != Fate::Drop);
            let unknown = Verdict { action: Action::Strip, classified: None, rule: None, lifetime: None };
            let because = match verdict {
                None => words::OWN.to_owned(),
                Some(verdict) if verdict.action == Action::Keep && !passes => words::TWIN.to_owned(),
                Some(verdict) => self.why(&verdict, input.kind()),
            };
            let mut actions = vec![(if passes { FindingAction::Keep } else { FindingAction::Strip }).word()];
            let set_cookie = if expired(name) { self.expiry(name) } else { Vec::new() };
            if !set_cookie.is_empty() {
                actions.push(FindingAction::Expire.word());
            }
            let verdict = verdict.unwrap_or(unknown);
            Answer {
                action: actions,
                output: output.clone(),
                set_cookie,
                ..self.answer(input, lossy(name), &verdict, because)
            }
        };
        judged.into_iter().map(answer).collect()
    }

    fn url<'i>(&'i self, input: &'i Input, url: &Url) -> Answer<'i> {
        let verdict = self.policy().judge_tag(&self.decision.grant, url);
        let keeps = verdict.action == Action::Keep;
        let because = self.why(&verdict, Kind::Url);
        Answer {
            action: vec![(if keeps { FindingAction::Keep } else { FindingAction::Strip }).word()],
            output: keeps.then(|| url.to_string()),
            ..self.answer(input, url.host_str().unwrap_or_default().to_owned(), &verdict, because)
        }
    }

    fn answer<'i>(&'i self, input: &'i Input, name: String, verdict: &Verdict, because: String) -> Answer<'i> {
        self.about(&input.text, input.kind(), name, verdict, because)
    }

    /// What is known of it; what was done is for the caller to fill in.
    fn about<'i>(&'i self, input: &'i str, kind: Kind, name: String, verdict: &Verdict, because: String) -> Answer<'i> {
        let service = self.service(verdict);
        let category = match (verdict.classified, self.policy().parts().unclassified) {
            (Some(found), _) => Some(found.owner.category),
            (None, Unclassified::Category(id)) if verdict.rule.is_none() && kind != Kind::Url => Some(id),
            (None, _) => None,
        };
        Answer {
            input,
            kind,
            action: Vec::new(),
            output: None,
            name,
            service: service.map(|(id, _)| id),
            service_label: service.map(|(_, label)| label),
            category: category.map(|id| &*self.policy().category(id).id),
            rule: verdict.rule.map(|rule| self.source(rule)),
            because,
            cap_rule: None,
            set_cookie: Vec::new(),
        }
    }

    /// Key and label of the service: the site's, else the catalogue's.
    fn service(&self, verdict: &Verdict) -> Option<(&str, &str)> {
        let policy = self.policy();
        let declared = verdict.classified.and_then(|found| found.owner.service).map(|id| policy.service(id));
        let of_rule = |rule| {
            // A cookie that its service lists under a required category is nobody's to refuse, but still somebody's.
            policy.parts().services.iter().find(|service| service.cookies.iter().any(|cookie| cookie.rule == rule))
        };
        match (declared, verdict.rule?) {
            (Some(service), _) => Some((&*service.id, &*service.label)),
            (None, Rule::Site(rule)) => of_rule(rule).map(|service| (&*service.id, &*service.label)),
            (None, Rule::Catalogue(rule)) => {
                policy.catalogue().service_of(rule).map(|service| (&*service.id, &*service.label))
            }
        }
    }

    fn source(&self, rule: Rule) -> Source<'_> {
        let source = self.policy().source(rule);
        Source { file: &source.file, line: source.line, text: &source.text }
    }

    fn why(&self, verdict: &Verdict, kind: Kind) -> String {
        words::why(self.policy(), &self.decision.grant, verdict, kind, self.service(verdict).map(|(_, label)| label))
    }

    /// The lines by which a browser deletes this cookie.
    fn expiry(&self, name: &[u8]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        self.respond(&mut headers, vec![name.into()]);
        headers.get_all(SET_COOKIE).iter().map(|line| format!("Set-Cookie: {}", lossy(line.as_bytes()))).collect()
    }

    fn respond(&self, headers: &mut HeaderMap, expire: Vec<Box<[u8]>>) -> Vec<Finding> {
        let requested = Requested {
            navigation: true,
            conditional: filter::validators::Conditional::Plain,
            expire,
            cross_site: false,
        };
        let context = ResponseContext {
            salt: 0,
            told_by: &[],
            apply: true,
            now: self.now,
            status: StatusCode::OK,
            body: Body::Plain,
            address: Address { authority: self.site_url.host_str().unwrap_or_default(), target: "/" },
            requested: &requested,
            keyed: false,
            marker: None,
            pages: None,
        };
        let mut findings = Vec::new();
        filter::response(self.policy(), &self.decision.grant, headers, &context, &mut findings);
        findings
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
