//! Who asks: what a request says of its visitor, and what follows from it for the answer.

use std::sync::OnceLock;

use http::header::{COOKIE, DNT, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};

use super::answer::Extras;
use super::forward;
use super::handler::target_of;
use super::insert::Plan;
use super::worker::{Client, SiteRef};
use crate::api::banner::Question;
use crate::api::{self, Visit};
use crate::config::{Mode, SEEN_COOKIE, SESSION_MARKER, Site};
use crate::consent::{self, Basis, Choice, Decision, Record, Signals};
use crate::cookie::UnixTime;
use crate::policy::{Country, Law};
use crate::{filter, telemetry};

const SEC_GPC: HeaderName = HeaderName::from_static("sec-gpc");

/// What the request says of its visitor, and what follows from it.
pub(super) struct Visitor {
    record: Record,
    signals: Signals,
    /// What the answer is for.
    pub(super) fetch: filter::Fetch,
    pub(super) decision: Decision,
    country: Option<Country>,
    pub(super) now: UnixTime,
    /// What holds from here on if the answer is a page, for going on to it counts as consent.
    implied: Option<Box<Implied>>,
}

/// A choice that nobody has clicked.
struct Implied {
    choice: Choice,
    decision: Decision,
    /// As it came: a receipt may tell address and browser.
    headers: HeaderMap,
}

impl Visitor {
    pub(super) fn of(client: &Client, site: &SiteRef, headers: &HeaderMap) -> Self {
        let now = telemetry::now();
        let all = |name: HeaderName| headers.get_all(name).iter().map(HeaderValue::as_bytes);
        let cookies = all(COOKIE);
        let (name, keys) = (&site.cookie.name, &client.worker.keys);
        let record = match &site.consent_tool {
            None => consent::read(cookies, name, keys, &site.name, &site.policy, now),
            Some(tool) => {
                let lines: Vec<_> = cookies.collect();
                consent::read_with(tool, &lines, name, keys, &site.name, &site.policy, now)
            }
        };
        let signals = Signals::read(all(SEC_GPC), all(DNT));
        let country = forward::country(client, site, headers);
        let decision = consent::grant_in(country, &site.policy, &record, signals, now);
        Self { record, signals, fetch: filter::Fetch::read(headers), decision, country, now, implied: None }
    }

    pub(super) fn at<'a>(
        &'a self,
        client: &'a Client,
        site: &'a SiteRef,
        authority: &'a str,
        headers: &HeaderMap,
    ) -> Visit<'a> {
        Visit {
            site,
            authority,
            record: &self.record,
            decision: &self.decision,
            country: self.country,
            language: api::language::of(site, headers),
            named: false,
            signals: self.signals,
            keys: &client.worker.keys,
            receipts: &client.worker.receipts,
            proof: &site.snapshot().config.receipts,
            rates: &client.worker.rates,
            reports: &client.worker.reports,
            findings: &client.worker.findings,
            counters: site.counters(),
            a_minute: site.limits().choices_a_minute,
            peer: client.address,
            trusted: &site.snapshot().config.trusted_proxies,
            limit: site.limits().choice_body,
            idle: site.timeouts().body_idle,
            now: self.now,
        }
    }

    /// What holds for a page that comes.
    pub(super) fn on_page(&self) -> &Decision {
        self.implied.as_ref().map_or(&self.decision, |implied| &implied.decision)
    }

    /// Whether the law takes a second page for consent, and this request is for a page that counts.
    fn counts(&self, site: &Site, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        site.mode == Mode::Enforce
            && site.banner
            && self.decision.basis == Basis::Default
            && site.policy.parts().law_in(self.country) == Law::Implied
            && site.policy_page.as_deref() != Some(uri.path())
            && filter::is_page_view(self.fetch, method, headers)
    }

    /// The visitor, with the choice that this request implies if it implies one.
    pub(super) fn going_on<B>(
        mut self,
        client: &Client,
        site: &SiteRef,
        authority: &str,
        request: &Request<B>,
    ) -> Self {
        if !self.counts(site, request.method(), request.uri(), request.headers()) {
            return self;
        }
        let cookies = request.headers().get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let (target, keys) = (target_of(request), &client.worker.keys);
        if !consent::seen_elsewhere(cookies, SEEN_COOKIE, target, self.now, keys, &site.name) {
            return self;
        }
        self.implied = api::choice::implied(&self.at(client, site, authority, request.headers())).map(|choice| {
            let record = Record::Choice(choice.clone());
            let decision = consent::grant_in(self.country, &site.policy, &record, self.signals, self.now);
            Box::new(Implied { choice, decision, headers: request.headers().clone() })
        });
        self
    }

    /// What is added to the answer if it is a page that is shown.
    pub(super) fn additions<'a>(
        &'a self,
        client: &'a Client,
        site: &'a SiteRef,
        asked: &'a forward::Asked,
        headers: &HeaderMap,
        language: &'a str,
    ) -> Option<Additions<'a>> {
        let framed = self.fetch.is_framed() && !site.shares_pages();
        let shown = site.shares_pages() || self.fetch.may_be_shown(&asked.method);
        if site.mode != Mode::Enforce || !(shown || (framed && site.guards().is_some())) {
            return None;
        }
        let counts = self.counts(site, &asked.method, &asked.uri, headers);
        Some(Additions {
            visitor: self,
            client,
            site,
            asked,
            language,
            framed,
            counts,
            page: OnceLock::new(),
            error: OnceLock::new(),
        })
    }

    /// Request fields by which it is told what a page of the site gets in addition.
    pub(super) fn told_by(&self, site: &Site) -> &'static [&'static str] {
        if site.shares_pages() || !site.adds_to_pages() { &[] } else { self.fetch.told_by() }
    }

    /// Whether scripts of what comes are to be looked at by the guard, though nothing is changed otherwise.
    pub(super) fn is_told_of(&self, site: &Site, method: &Method) -> bool {
        let shown = self.fetch.may_be_shown(method) || self.fetch.is_framed();
        site.mode == Mode::Observe && site.guards().is_some() && shown
    }

    pub(super) fn is_strict_bounce<B>(&self, site: &SiteRef, request: &Request<B>) -> bool {
        site.mode == Mode::Enforce
            && site.strict_bounce
            && filter::is_strict_bounce(
                &site.policy,
                self.fetch,
                request.method(),
                request.headers(),
                SESSION_MARKER.as_bytes(),
            )
    }
}

/// What is added to a page, made only once it is known that there is one: most answers are none.
pub(super) struct Additions<'a> {
    visitor: &'a Visitor,
    client: &'a Client,
    site: &'a SiteRef,
    asked: &'a forward::Asked,
    language: &'a str,
    /// It is shown in a frame: the guard alone is added.
    framed: bool,
    /// To go on from the page may imply consent.
    counts: bool,
    page: OnceLock<Option<Box<Extras<'a>>>>,
    error: OnceLock<Option<Box<Extras<'a>>>>,
}

impl<'a> Additions<'a> {
    /// What a page gets, or, where the site has only an error to show, that.
    pub(super) fn extras(&self, error: bool) -> Option<&Extras<'a>> {
        let made = if error { &self.error } else { &self.page };
        made.get_or_init(|| self.make(error).map(Box::new)).as_deref()
    }

    /// Stands for all of it in validators.
    pub(super) fn salt(&self) -> u64 {
        self.extras(false).map_or(0, |extras| extras.plan.salt(self.site, self.site.prepared()))
    }

    fn make(&self, error: bool) -> Option<Extras<'a>> {
        let Self { visitor, client, site, asked, language, framed, counts, .. } = *self;
        if error {
            // To come to an error is not to go on to a page.
            let plan = site.guards().map(|_| Plan::guard_only())?;
            return Some(Extras { plan, decision: &visitor.decision, implied: None, seen: None });
        }
        let decision = visitor.on_page();
        let question = match &visitor.implied {
            Some(_) => None,
            None => Question::of(site, decision, &visitor.record, visitor.signals),
        };
        let plan = match framed {
            true => Plan::guard_only(),
            false => {
                let posted = ![Method::GET, Method::HEAD].contains(&asked.method);
                Plan::new(site, site.prepared(), decision, question, posted, language)?
            }
        };
        let authority = asked.authority.as_str();
        let implied = visitor.implied.as_ref().map(|implied| {
            Box::new((visitor.at(client, site, authority, &implied.headers), &implied.headers, &implied.choice))
        });
        let first = counts && visitor.implied.is_none() && plan.question.as_ref().is_some_and(Question::is_first);
        let seen = first.then(|| {
            let target = asked.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
            api::banner::seen(target, visitor.now, &client.worker.keys, &site.name)
        });
        Some(Extras { plan, decision, implied, seen })
    }
}
