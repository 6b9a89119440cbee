//! What comes back from the origin, under a grant: is it a page, can it be read, and what leaves.

use std::sync::{Arc, LazyLock};

use http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, SET_COOKIE};
use http::{HeaderValue, Method, Response, StatusCode};
use tokio::time::Duration;

use super::coding::{Caps, Coding, Decoder};
use super::error::{Error, OriginError};
use super::forward::Asked;
use super::insert::{self, Plan};
use super::notes::{Noted, Place};
use super::observe::Observe;
use super::page;
use super::recognise;
use super::rewrite::Rewrite;
use super::visitor::Additions;
use super::worker::{SiteRef, Worker};
use crate::api::{self, Visit};
use crate::body::Body;
use crate::config::{Mode, SESSION_MARKER, SharedCache};
use crate::consent::{Choice, Decision};
use crate::cookie::UnixTime;
use crate::filter::accept_encoding::Answer;
use crate::filter::{self, Address, Csp, Requested, ResponseContext, content_codings};
use crate::html::{self, Insertions, Rewriter};
use crate::policy::{Catalogue, CatalogueParts, Grant, Policy, PolicyParts};
use crate::telemetry::findings::Scene;

/// What a response is filtered under.
pub(super) struct Filter<'a> {
    pub(super) site: &'a SiteRef,
    pub(super) decision: &'a Decision,
    /// What is added to a page that is shown.
    pub(super) additions: Option<&'a Additions<'a>>,
    /// The guard looks at scripts of a page that is not changed otherwise.
    pub(super) told_of: bool,
    /// Request fields by which it was told whether something is added.
    pub(super) told_by: &'static [&'static str],
    /// What pages are made for where they are the same for everybody (`gating: client`).
    pub(super) shared: Option<&'a Grant>,
    pub(super) asked: &'a Asked,
    pub(super) requested: &'a Requested,
    pub(super) now: UnixTime,
    /// The tag of the language to speak on the page.
    pub(super) language: &'a str,
    pub(super) worker: &'a Arc<Worker>,
}

/// What is added to a page that is shown, and what holds on it.
pub(super) struct Extras<'a> {
    pub(super) plan: Plan,
    pub(super) decision: &'a Decision,
    /// The choice that going on to this page implies, what it is recorded with, and the head that asked for it.
    pub(super) implied: Option<Box<(Visit<'a>, &'a HeaderMap, &'a Choice)>>,
    /// The cookie that remembers the first page.
    pub(super) seen: Option<HeaderValue>,
}

impl Filter<'_> {
    /// Filters a response: head first, then, for pages, the body. `read` grows by the time that its first bytes took.
    ///
    /// # Errors
    /// If a page cannot be read, and so would pass unfiltered.
    pub(super) async fn response(
        &self,
        response: Response<Body>,
        read: &mut Duration,
    ) -> Result<Response<Body>, Error> {
        let Self { site, requested, .. } = *self;
        let (mut head, mut body) = response.into_parts();
        let apply = site.mode == Mode::Enforce;
        let page = recognise::is_page(&head.headers, head.status, &mut body, self.caps(), read).await?;
        let shown = if page { Shown::of(head.status, &head.headers) } else { Shown::Not };
        let additions = self.additions.filter(|_| apply && shown != Shown::Not);
        let extras = additions.and_then(|additions| additions.extras(shown == Shown::Error));
        let (decision, cookies) = self.settle(extras).await;
        let grant = &decision.grant;
        let blocks = page && self.blocks(grant);
        // What cannot be read, and need not be, passes as it is.
        let extras = extras.filter(|_| blocks || self.readable(head.status, &head.headers).is_ok());
        let told_of = self.told_of && shown != Shown::Not;
        let rewrites = blocks || extras.is_some() || told_of;
        let codings = if rewrites { self.readable(head.status, &head.headers) } else { Ok(Vec::new()) };
        let kind = content_type(&head.headers);
        let csp = if rewrites { Csp::read(&head.headers) } else { Csp::default() };
        let context = ResponseContext {
            apply,
            now: self.now,
            status: head.status,
            body: match (page && apply, rewrites) {
                (false, _) => filter::Body::Plain,
                (true, false) => filter::Body::Passed,
                (true, true) => filter::Body::Rewritten,
            },
            address: self.address(),
            requested,
            keyed: site.shared_cache == SharedCache::Keyed,
            marker: site.strict_bounce.then_some(SESSION_MARKER),
            pages: self.shared,
            // Of what is no page only a 304 speaks of one.
            salt: match self.additions {
                Some(additions) if page || head.status == StatusCode::NOT_MODIFIED => additions.salt(),
                _ => 0,
            },
            told_by: self.told_by,
        };
        let mut looking = self.worker.findings.look(self.scene());
        filter::response(&site.policy, grant, &mut head.headers, &context, &mut looking);
        if apply {
            let authority = self.asked.authority.as_str();
            // A host of the site is no detour: who is sent there is meant to go there.
            let is_detour =
                |scheme: &str, authority: &str| site.origins.has(scheme, authority) && !site.answers_to(authority);
            filter::lead_here(&mut head.headers, authority, is_detour);
        }
        for cookie in &cookies {
            head.headers.append(SET_COOKIE, cookie.clone());
            filter::make_private(&mut head.headers);
        }
        if rewrites && has_body(&self.asked.method, head.status) {
            body = match (apply, codings) {
                (true, codings) => {
                    let insert =
                        extras.map_or_else(Insertions::default, |extras| self.insertions(extras, decision, &csp));
                    let rewriter = self.rewriter(grant, kind.as_ref(), csp, insert);
                    self.rewrite(body, &codings?, rewriter, &mut head.headers)?
                }
                (false, Ok(codings)) => {
                    let guard = if told_of { self.guard_alone(decision, kind.as_ref(), &csp) } else { None };
                    let rewriter = self.rewriter(grant, kind.as_ref(), csp, Insertions::default());
                    let body = self.observe(body, &codings, rewriter);
                    match guard {
                        Some(rewriter) => {
                            filter::rewritten(&mut head.headers);
                            self.rewrite(body, &codings, rewriter, &mut head.headers)?
                        }
                        None => body,
                    }
                }
                (false, Err(_)) => body,
            };
        }
        Ok(Response::from_parts(head, body))
    }

    /// Whether pages are read under this grant.
    pub(super) fn blocks(&self, grant: &Grant) -> bool {
        // Under `client` the page is the same for everyone, whatever they granted.
        // A bridged page tells us when the visitor takes back what they granted.
        self.shared.is_some() || self.site.is_bridged() || !self.site.policy.grants_everything(grant)
    }

    /// Filters an informational answer (1xx), which speaks of an answer that is still to come.
    pub(super) fn interim(&self, head: &mut Response<()>) {
        let Self { site, requested, .. } = *self;
        let context = ResponseContext {
            apply: site.mode == Mode::Enforce,
            now: self.now,
            status: head.status(),
            body: filter::Body::Plain,
            address: self.address(),
            requested,
            keyed: site.shared_cache == SharedCache::Keyed,
            marker: None,
            pages: self.shared,
            salt: 0,
            told_by: &[],
        };
        let mut looking = self.worker.findings.look(self.scene());
        filter::response(&site.policy, &self.decision.grant, head.headers_mut(), &context, &mut looking);
    }

    fn rewrite(&self, body: Body, codings: &[Coding], rewriter: Noted, headers: &mut HeaderMap) -> Result<Body, Error> {
        // What came as it is leaves as it is: whether to compress is the site's to say.
        let answer = codings.last().and_then(|came| match self.asked.accepted.answer(*came) {
            Answer::Coded(coding) => Some(coding),
            Answer::Identity => None,
        });
        headers.remove(CONTENT_ENCODING);
        if let Some(coding) = answer {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        let made = Rewrite::new(body, rewriter, codings, answer, self.caps())
            .map_err(|_| Error::client(StatusCode::SERVICE_UNAVAILABLE, "an encoder could not be made"))?;
        Ok(Body::Made(Box::pin(made)))
    }

    fn observe(&self, body: Body, codings: &[Coding], rewriter: Noted) -> Body {
        let decoder = Decoder::new(codings, self.caps());
        Body::Made(Box::pin(Observe::new(body, decoder, rewriter)))
    }

    /// What holds for this response, and the cookies that say so.
    async fn settle<'s>(&'s self, extras: Option<&'s Extras<'_>>) -> (&'s Decision, Vec<HeaderValue>) {
        let Some(extras) = extras else { return (self.decision, Vec::new()) };
        if let Some((visit, headers, choice)) = extras.implied.as_deref() {
            return match Box::pin(api::choice::keep_implied(visit, headers, choice)).await {
                Some(cookie) => (extras.decision, vec![cookie, api::banner::not_seen()]),
                // Consent that cannot be proven is none.
                None => (self.decision, Vec::new()),
            };
        }
        (extras.decision, extras.seen.clone().into_iter().collect())
    }

    fn insertions(&self, extras: &Extras<'_>, decision: &Decision, csp: &Csp) -> Insertions {
        let site = self.site;
        extras.plan.insertions(site.shared(), site.prepared(), decision, &self.address().url(), csp)
    }

    /// Puts the guard into a page of which nothing else changes.
    fn guard_alone(&self, decision: &Decision, kind: Option<&HeaderValue>, csp: &Csp) -> Option<Noted> {
        /// Knows nothing, and so lets everything pass.
        static NOTHING: LazyLock<Arc<Policy>> = LazyLock::new(|| {
            Arc::new(Policy::compile(PolicyParts::default(), Catalogue::compile(CatalogueParts::default()).into()))
        });
        let (site, url) = (self.site, self.address().url());
        let head = insert::guard(site, site.prepared(), decision, &url, csp)?;
        let kind = kind.map(HeaderValue::as_bytes);
        let settings =
            page::settings(site, site.limits(), Grant::none(), url, kind, csp.clone(), Insertions::default());
        let settings = html::Settings {
            insert: Insertions { head: Some(head.into()), ..Insertions::default() },
            policy: Arc::clone(&NOTHING),
            gating: html::Gating::Remove,
            on_error: html::OnError::Pass,
            ..settings
        };
        Some(self.noted(Rewriter::new(settings)))
    }

    fn rewriter(&self, grant: &Grant, kind: Option<&HeaderValue>, csp: Csp, insert: Insertions) -> Noted {
        let kind = kind.map(HeaderValue::as_bytes);
        let settings =
            page::settings(self.site, self.site.limits(), self.loading(grant), self.address().url(), kind, csp, insert);
        let speech = html::Speech { language: self.language.into(), ..settings.speech };
        self.noted(Rewriter::new(html::Settings { speech, ..settings }))
    }

    fn noted(&self, rewriter: Rewriter) -> Noted {
        let (site, worker) = (self.site.clone(), Arc::clone(self.worker));
        Noted::new(rewriter, Place { site, worker, page: self.asked.uri.path().into(), now: self.now })
    }

    /// What tags may load under.
    fn loading(&self, grant: &Grant) -> Grant {
        let mut grant = grant.clone();
        self.site.told().for_each(|id| grant.grant_service(id));
        grant
    }

    /// The codings of a page that has to be read.
    ///
    /// # Errors
    /// If it cannot be: a part of a page, or a coding that we do not know. It must not pass unfiltered.
    fn readable(&self, status: StatusCode, headers: &HeaderMap) -> Result<Vec<Coding>, Error> {
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(OriginError::PartialHtml.into());
        }
        content_codings(headers).map_err(|_| {
            let field = headers.get(CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
            OriginError::Coding(field.unwrap_or_default()).into()
        })
    }

    fn scene(&self) -> Scene<'_> {
        let Self { site, .. } = *self;
        Scene {
            site: &site.name,
            policy: &site.policy,
            page: self.asked.uri.path(),
            applied: site.mode == Mode::Enforce,
            now: self.now,
        }
    }

    fn address(&self) -> Address<'_> {
        let target = self.asked.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Address { authority: self.asked.authority.as_str(), target }
    }

    fn caps(&self) -> Caps {
        let limits = self.site.limits();
        Caps { bytes: limits.decompressed, ratio: limits.decompression_ratio }
    }
}

/// Its lines as one, as browsers read them.
fn content_type(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let first = lines.next()?;
    let rest: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
    if rest.is_empty() {
        return Some(first.clone());
    }
    HeaderValue::from_bytes(&[&[first.as_bytes()], &rest[..]].concat().join(&b", "[..])).ok()
}

/// What visitors see of a page, by its status and headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// A page of the site.
    Page,
    /// What the site shows in place of one, with the tags of all its pages.
    Error,
    /// Nothing: the browser goes on, saves it, or has no content.
    Not,
}

impl Shown {
    fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let saved =
            |value: &HeaderValue| value.as_bytes().trim_ascii_start().to_ascii_lowercase().starts_with(b"attachment");
        let empty = [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT, StatusCode::PARTIAL_CONTENT].contains(&status);
        let error = status.is_client_error() || status.is_server_error();
        match status.is_success() && !empty {
            _ if headers.get_all(CONTENT_DISPOSITION).iter().any(saved) => Self::Not,
            true => Self::Page,
            false if error => Self::Error,
            false => Self::Not,
        }
    }
}

fn has_body(method: &Method, status: StatusCode) -> bool {
    *method != Method::HEAD
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
        && !status.is_informational()
}
