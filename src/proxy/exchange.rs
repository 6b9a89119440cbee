//! The state of one exchange: one request and its response. Its end is the end of the response's body.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderValue, Method, StatusCode, Uri, Version};
use http_body::{Frame, SizeHint};
use tokio::time::{Duration, Instant};

use super::error::Error;
use super::told::Told;
use super::upstream::Lease;
use super::worker::{Client, SiteRef};
use crate::body::{self, Body};
use crate::telemetry::counters::SiteCounters;
use crate::telemetry::{self, Access};

/// Lives from the request's head to the last byte of the response; writes the access line when it goes.
#[derive(Debug)]
pub struct Exchange {
    /// Whose request it is.
    pub client: Arc<Client>,
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
        client.activity.begin();
        let told = Told::of(&client, request.headers());
        Self {
            client,
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

    /// So long we waited for the origin, in addition to what is known already.
    pub fn waited(&mut self, origin: Duration) {
        self.origin += origin;
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
        let counters = self.counters();
        counters.answered(self.status);
        counters.aborted.fetch_add(u64::from(self.aborted), Relaxed);
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
            trace: told.and_then(|told| told.trace.as_ref()?.to_str().ok()),
            referer: told.and_then(|told| told.referer.as_ref()),
            user_agent: told.and_then(|told| told.user_agent.as_ref()),
        });
    }
}

/// The body of a response, which ends its exchange and gives the origin's connection back.
#[derive(Debug)]
pub struct Tracked {
    body: Body,
    exchange: Exchange,
    lease: Option<Lease>,
}

impl Tracked {
    /// `lease` is the connection that `body` comes over.
    pub fn new(body: Body, exchange: Exchange, lease: Option<Lease>) -> Self {
        Self { body, exchange, lease }
    }

    fn release(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.release();
        }
    }
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = body::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, body::Error>>> {
        let this = self.get_mut();
        let frame = std::task::ready!(http_body::Body::poll_frame(Pin::new(&mut this.body), cx));
        match &frame {
            Some(Ok(frame)) => this.exchange.sent += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(error)) => {
                this.exchange.aborted = true;
                // Without the lease's release the connection is closed: nobody may read on from here.
                this.lease = None;
                let exchange = &this.exchange;
                if let Some(suppressed) = exchange.counters().cuts.pass(telemetry::now()) {
                    let (host, path) = (exchange.host_name(), exchange.uri.path());
                    let request_id = exchange.request_id_text();
                    tracing::warn!(%error, host, path, request_id, suppressed, "A response was cut off.");
                }
            }
            None => this.release(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        // hyper does not ask again once it knows that the end is reached.
        if http_body::Body::is_end_stream(&self.body) {
            self.release();
        } else if self.exchange.status.is_some() && self.lease.is_some() {
            self.exchange.aborted = true;
        }
    }
}
