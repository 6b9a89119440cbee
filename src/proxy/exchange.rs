//! The state of one exchange: one request and its response. Its end is the end of the response's body (`tracked`).

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::uri::Authority;
use http::{HeaderValue, Method, StatusCode, Uri, Version};
use tokio::time::{Duration, Instant};

use super::error::Error;
use super::told::Told;
use super::upstream::Answer;
use super::worker::{Client, SiteRef};
use crate::body;
use crate::telemetry::counters::SiteCounters;
use crate::telemetry::spans::{Asked, Recorded, Span, began};
use crate::telemetry::{self, Access};

/// Lives from the request's head to the last byte of the response; writes the access line when it goes.
#[derive(Debug)]
pub struct Exchange {
    /// Whose request it is.
    pub client: Arc<Client>,
    /// Of its head, among those of the connection.
    number: u32,
    started: Instant,
    method: Method,
    uri: Uri,
    version: Version,
    host: Option<Authority>,
    site: Option<SiteRef>,
    status: Option<StatusCode>,
    origin: Duration,
    added: Duration,
    sent: u64,
    aborted: bool,
    told: Option<Box<Told>>,
}

impl Exchange {
    /// A request head was read.
    pub fn begin<B>(client: Arc<Client>, request: &http::Request<B>) -> Self {
        let number = client.activity.begin();
        client.worker.in_flight.fetch_add(1, Relaxed);
        let told = Told::of(&client, request.headers());
        Self {
            client,
            number,
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            host: None,
            site: None,
            status: None,
            origin: Duration::ZERO,
            added: Duration::ZERO,
            sent: 0,
            aborted: false,
            told,
        }
    }

    /// Whether its head contradicts itself, or follows one that did.
    pub fn is_doubtful(&self) -> bool {
        self.client.activity.is_doubtful(self.number)
    }

    /// Whether the connection carries one message after the other.
    pub fn is_http1(&self) -> bool {
        self.version <= Version::HTTP_11
    }

    /// Whether its client understands informational answers, which HTTP/1.0 has none of (RFC 9110 §15.2).
    pub fn takes_interim(&self) -> bool {
        self.version > Version::HTTP_10
    }

    /// The request is for this host.
    pub fn at(&mut self, host: Authority) {
        self.host = Some(host);
    }

    /// The request is for this site.
    pub fn of(&mut self, site: &SiteRef) {
        self.site = Some(site.clone());
    }

    /// The site that it is for, once that is known.
    pub fn site(&self) -> Option<&SiteRef> {
        self.site.as_ref()
    }

    /// How long the origin took to answer.
    pub fn origin(&self) -> Duration {
        self.origin
    }

    /// The path of our own pages on the site, if the request has found one.
    pub fn prefix(&self) -> Option<&str> {
        self.site.as_deref().map(|site| &*site.prefix)
    }

    /// Whether it is for a page of ours.
    pub fn is_ours(&self) -> bool {
        self.site.as_deref().is_some_and(|site| crate::api::is_ours(site, self.uri.path()))
    }

    /// So long we waited for the origin, in addition to what is known already.
    pub fn waited(&mut self, origin: Duration) {
        self.origin += origin;
    }

    /// The site was asked, at this time, and has answered or failed by now.
    pub(super) fn asked(&mut self, at: Instant, answer: Option<&Answer>) {
        let Some(span) = self.told.as_mut().and_then(|told| told.span.as_mut()) else { return };
        let (after, took) = (at - self.started, at.elapsed());
        let status = answer.map(|(response, _)| response.status());
        span.ask(Asked { after, took, status, peer: answer.map(|(_, lease)| lease.peer().clone()) });
    }

    /// Its place in a trace, where spans are told of.
    pub fn span(&self) -> Option<&Span> {
        self.told.as_ref()?.span.as_deref()
    }

    /// So many bytes more of the body went out.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// The body broke off.
    pub fn cut(&mut self, error: &body::Error) {
        self.aborted = true;
        if let Some(suppressed) = self.counters().cuts.pass(telemetry::now()) {
            let (host, path, request_id) = (self.host_name(), self.uri.path(), self.request_id_text());
            tracing::warn!(%error, host, path, request_id, suppressed, "A response was cut off.");
        }
    }

    /// Nobody takes the rest of the body.
    pub fn abandoned(&mut self) {
        self.aborted |= self.status.is_some();
    }

    /// What the request is called, where requests have names.
    pub fn request_id(&self) -> Option<&HeaderValue> {
        self.told.as_ref()?.request_id.as_ref()
    }

    /// It failed, for this reason.
    pub fn failed(&self, error: &Error) {
        let (host, path) = (self.host_name(), self.uri.path());
        let request_id = self.request_id_text();
        match error {
            Error::Client { .. } => tracing::debug!(%error, host, path, request_id, "A request was refused."),
            Error::Origin(why) => {
                let (counters, now) = (self.counters(), telemetry::now());
                counters.origin_errors[why.kind()].fetch_add(1, Relaxed);
                counters.origin_failed.store(now.0, Relaxed);
                if let Some(suppressed) = counters.failures.pass(now) {
                    tracing::warn!(%error, host, path, request_id, suppressed, "An exchange failed at the origin.");
                }
            }
        }
    }

    /// The host that was asked for; known once the exchange has been routed.
    pub fn authority(&self) -> &Authority {
        self.host.as_ref().expect("the exchange was routed")
    }

    /// The answer's status is settled.
    pub fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.added = self.elapsed().saturating_sub(self.origin);
        self.counters().settled(status, self.added, self.origin);
    }

    /// How much we added to the time to the response's head, once that is settled.
    pub fn added(&self) -> Duration {
        self.added
    }

    fn host_name(&self) -> &str {
        self.host.as_ref().map_or("-", Authority::as_str)
    }

    fn request_id_text(&self) -> Option<&str> {
        self.request_id()?.to_str().ok()
    }

    fn recorded(&self, span: Span) -> Recorded {
        let total = self.elapsed();
        Recorded {
            span,
            began: began(total),
            total,
            method: self.method.clone(),
            host: self.host_name().into(),
            path: self.uri.path().into(),
            version: self.version,
            site: self.site.as_deref().map_or("", |site| &*site.name).into(),
            status: self.status,
            aborted: self.aborted,
            added: self.added,
        }
    }

    fn counters(&self) -> &SiteCounters {
        self.site.as_ref().map_or(&*self.client.worker.counters.unrouted, SiteRef::counters)
    }

    /// Time since the request's head was read.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.client.activity.end();
        self.client.worker.in_flight.fetch_sub(1, Relaxed);
        let counters = self.counters();
        counters.answered(self.status);
        counters.aborted.fetch_add(u64::from(self.aborted), Relaxed);
        if let (Some(tracer), Some(span)) = (&self.client.worker.tracer, self.span().filter(|span| span.is_recorded()))
        {
            tracer.end(self.recorded(span.clone()));
        }
        if !self.client.worker.access.is_on() {
            return;
        }
        let told = self.told.as_deref();
        self.client.worker.access.line(&Access {
            client: told.and_then(|told| told.client).unwrap_or(self.client.address),
            peer: self.client.address,
            method: &self.method,
            path: self.uri.path(),
            query: self.uri.query(),
            host: self.host_name(),
            site: self.site.as_deref().map_or("", |site| &*site.name),
            version: self.version,
            status: self.status,
            sent: self.sent,
            total: self.elapsed(),
            origin: self.origin,
            added: self.added,
            aborted: self.aborted,
            request_id: self.request_id_text(),
            parent: told.and_then(|told| told.parent),
            span: self.span().map(Span::own),
            referer: told.and_then(|told| told.referer.as_ref()),
            user_agent: told.and_then(|told| told.user_agent.as_ref()),
        });
    }
}
