//! One exchange, start to end. Reads as the list of its phases; each is a call into the room that knows.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::answer::Extras;
use super::error::Error;
use super::exchange::{Exchange, Tracked};
use super::insert::Plan;
use super::upgrade::Upgrade;
use super::upstream::Lease;
use super::worker::{Client, SiteRef};
use super::{answer, forward, respond, route};
use crate::api::banner::Question;
use crate::api::{self, Visit};
use crate::body::Body;
use crate::config::{Gating, Mode, SEEN_COOKIE, SESSION_MARKER, Site};
use crate::consent::{self, Basis, Choice, Decision, Record, Signals};
use crate::cookie::UnixTime;
use crate::policy::{Country, Law};
use crate::telemetry::findings::Scene;
use crate::{filter, own, page, telemetry};

/// What comes back: a response, and the origin's connection that its body comes over.
type Answered = Result<(Response<Body>, Option<Lease>), Error>;

/// Answers a request, whatever happens: errors become pages in `respond`, and every exchange is logged.
pub async fn handle(client: Arc<Client>, request: Request<Incoming>) -> Result<Response<Tracked>, Infallible> {
    let mut exchange = Exchange::begin(client, &request);
    let language = request.headers().get(http::header::ACCEPT_LANGUAGE).cloned();
    let (mut response, lease) = match serve(&mut exchange, request).await {
        Ok(answer) => answer,
        Err(error) => {
            exchange.failed(&error);
            (respond::error(&error, exchange.site().map(|site| &**site), language), None)
        }
    };
    exchange.answered(response.status());
    if let Some(site) = exchange.site().filter(|site| site.mode == Mode::Enforce) {
        finish(site, &exchange, response.headers_mut());
    }
    Ok(response.map(|body| Tracked::new(body, exchange, lease)))
}

/// What a site wants on each of its responses, ours and error pages included.
fn finish(site: &SiteRef, exchange: &Exchange, headers: &mut HeaderMap) {
    for (name, value) in &site.headers.0 {
        headers.insert(name, value.clone());
    }
    if site.server_timing {
        let ours = exchange.elapsed().saturating_sub(exchange.origin());
        let text = format!("consentry;dur={:.2}", ours.as_secs_f64() * 1000.0);
        headers.append(SERVER_TIMING, HeaderValue::try_from(text).expect("digits and ASCII"));
    }
}

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

async fn serve(exchange: &mut Exchange, mut request: Request<Incoming>) -> Answered {
    if exchange.client.activity.take_doubt() {
        return Err(Error::client(StatusCode::BAD_REQUEST, "both Content-Length and Transfer-Encoding"));
    }
    let authority = route::authority(&request)?;
    exchange.at(authority.clone());
    let site = route::site(&exchange.client, &authority)?;
    exchange.of(&site);
    let upgrade = Upgrade::of(&mut request);
    if upgrade.is_none() && [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err(Error::client(StatusCode::METHOD_NOT_ALLOWED, "CONNECT and TRACE are not forwarded"));
    }
    let ours = api::is_ours(&site, request.uri().path());
    if site.mode == Mode::Off && !ours {
        return pass(exchange, &site, None, request, upgrade).await;
    }
    let visitor = Visitor::of(&exchange.client, &site, request.headers());
    if ours {
        let visit = visitor.at(&exchange.client, &site, authority.as_str(), request.headers());
        // Boxed: rare beside what is passed on, and large.
        return Ok((Box::pin(api::answer(visit, request)).await, None));
    }
    if visitor.is_strict_bounce(&site, &request) {
        return Ok((
            own::html(
                StatusCode::OK,
                page::bounce(target_of(&request), api::language::texts(&site, request.headers())),
            ),
            None,
        ));
    }
    let visitor = visitor.going_on(&exchange.client, &site, authority.as_str(), &request);
    pass(exchange, &site, Some(&visitor), request, upgrade).await
}

/// The part that the origin has in an exchange: filter, send, filter. Without a visitor nothing is filtered.
async fn pass(
    exchange: &mut Exchange,
    site: &SiteRef,
    visitor: Option<&Visitor>,
    request: Request<Incoming>,
    upgrade: Option<Upgrade>,
) -> Answered {
    let (mut head, body) = request.into_parts();
    let asked = forward::Asked::of(exchange, &head);
    forward::clean(exchange, &mut head, upgrade.is_some());
    let shared = (site.gating == Gating::Client).then(|| consent::required(&site.policy));
    // Pages that are the same for everybody speak one language.
    let language = if site.shares_pages() { &site.language } else { api::language::of(site, &head.headers) };
    let client = Arc::clone(&exchange.client);
    let extras = visitor.and_then(|visitor| visitor.extras(&client, site, &asked, &head.headers, language));
    let requested = visitor.map(|visitor| {
        let context = filter::RequestContext {
            apply: site.mode == Mode::Enforce,
            method: &head.method,
            own: &site.own_cookies(),
            consent: site.consent(),
            refused: visitor.decision.refused,
            pages: shared.as_ref().unwrap_or_else(|| &visitor.on_page().grant),
            salt: extras.as_ref().map_or(0, |extras| extras.plan.salt(site, site.prepared())),
        };
        let scene = Scene {
            site: &site.name,
            policy: &site.policy,
            page: asked.uri.path(),
            applied: context.apply,
            now: visitor.now,
        };
        let mut looking = exchange.client.worker.findings.look(scene);
        filter::request(&site.policy, &visitor.decision.grant, &mut head.headers, &context, &mut looking)
    });
    let body = if upgrade.is_some() { Body::Empty } else { Body::stream(body, site.timeouts().body_idle) };
    let mut request = Request::from_parts(head, body);
    if let Some(upgrade) = &upgrade {
        upgrade.ask(&mut request)?;
    }
    let sent = Instant::now();
    let answer = site.upstream().send(request, upgrade.is_some()).await;
    // What we waited in vain is the origin's time too.
    exchange.waited(sent.elapsed());
    let (mut response, lease) = answer?;
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    forward::settle(&mut response, upgrade, &exchange.client.worker.tunnels)?;
    let response = response.map(|body| Body::stream(body, site.timeouts().body_idle));
    // A tunnel's connection never carries another request.
    let lease = lease.filter(|_| !switched);
    let (Some(visitor), Some(requested)) = (visitor, requested) else { return Ok((response, lease)) };
    let filter = answer::Filter {
        site,
        decision: &visitor.decision,
        extras: extras.as_ref(),
        shared: shared.as_ref(),
        asked: &asked,
        requested: &requested,
        now: visitor.now,
        language,
        worker: &exchange.client.worker,
    };
    Ok((filter.response(response).await?, lease))
}

/// Path and query as the client wrote them.
fn target_of<B>(request: &Request<B>) -> &str {
    request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

/// What the request says of its visitor, and what follows from it.
struct Visitor {
    record: Record,
    signals: Signals,
    decision: Decision,
    country: Option<Country>,
    now: UnixTime,
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
    fn of(client: &Client, site: &SiteRef, headers: &HeaderMap) -> Self {
        let now = telemetry::now();
        let all = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
        let cookies = all(http::header::COOKIE.as_str());
        let (name, keys) = (&site.cookie.name, &client.worker.keys);
        let record = match &site.consent_tool {
            None => consent::read(cookies, name, keys, &site.name, &site.policy, now),
            Some(tool) => {
                let lines: Vec<_> = cookies.collect();
                consent::read_with(tool, &lines, name, keys, &site.name, &site.policy, now)
            }
        };
        let signals = Signals::read(all("sec-gpc"), all("dnt"));
        let country = forward::country(client, site, headers);
        let decision = consent::grant_in(country, &site.policy, &record, signals, now);
        Self { record, signals, decision, country, now, implied: None }
    }

    fn at<'a>(&'a self, client: &'a Client, site: &'a SiteRef, authority: &'a str, headers: &HeaderMap) -> Visit<'a> {
        Visit {
            site,
            authority,
            record: &self.record,
            decision: &self.decision,
            country: self.country,
            language: api::language::of(site, headers),
            signals: self.signals,
            keys: &client.worker.keys,
            receipts: &client.worker.receipts,
            proof: &site.snapshot().config.receipts,
            rates: &client.worker.rates,
            a_minute: site.limits().choices_a_minute,
            peer: client.address,
            trusted: &site.snapshot().config.trusted_proxies,
            limit: site.limits().choice_body,
            idle: site.timeouts().body_idle,
            now: self.now,
        }
    }

    /// What holds for a page that comes.
    fn on_page(&self) -> &Decision {
        self.implied.as_ref().map_or(&self.decision, |implied| &implied.decision)
    }

    /// Whether the law takes a second page for consent, and this request is for a page that counts.
    fn counts(&self, site: &Site, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        site.mode == Mode::Enforce
            && site.banner
            && self.decision.basis == Basis::Default
            && site.policy.parts().law_in(self.country) == Law::Implied
            && site.policy_page.as_deref() != Some(uri.path())
            && filter::is_page_view(method, headers)
    }

    /// The visitor, with the choice that this request implies if it implies one.
    fn going_on<B>(mut self, client: &Client, site: &SiteRef, authority: &str, request: &Request<B>) -> Self {
        if !self.counts(site, request.method(), request.uri(), request.headers()) {
            return self;
        }
        let cookies = request.headers().get_all(http::header::COOKIE).iter().map(HeaderValue::as_bytes);
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
    fn extras<'a>(
        &'a self,
        client: &'a Client,
        site: &'a SiteRef,
        asked: &'a forward::Asked,
        headers: &HeaderMap,
        language: &str,
    ) -> Option<Extras<'a>> {
        let shown = site.shares_pages() || filter::may_be_shown(&asked.method, headers);
        if site.mode != Mode::Enforce || !shown {
            return None;
        }
        let decision = self.on_page();
        let question = match &self.implied {
            Some(_) => None,
            None => Question::of(site, decision, &self.record, self.signals, language),
        };
        let plan = Plan::new(site, site.prepared(), decision, question, language)?;
        let authority = asked.authority.as_str();
        let implied = self.implied.as_ref().map(|implied| {
            Box::new((self.at(client, site, authority, &implied.headers), &implied.headers, &implied.choice))
        });
        let counts = self.counts(site, &asked.method, &asked.uri, headers);
        let first = counts && self.implied.is_none() && plan.question.as_ref().is_some_and(Question::is_first);
        let seen = first.then(|| {
            let target = asked.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
            api::banner::seen(target, self.now, &client.worker.keys, &site.name)
        });
        Some(Extras { plan, decision, implied, seen })
    }

    fn is_strict_bounce(&self, site: &SiteRef, request: &Request<Incoming>) -> bool {
        site.mode == Mode::Enforce
            && site.strict_bounce
            && filter::is_strict_bounce(&site.policy, request.method(), request.headers(), SESSION_MARKER.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HTTP/2 moves the state of each stream several times; at 12 KiB that cost as much as all the rest.
    #[test]
    fn the_state_of_an_exchange_is_small() {
        fn size<A, B, F: Future>(_: fn(A, B) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(handle) <= 4608, "{} bytes: box what is rare", size(handle));
    }
}
