//! What the head of a request says for the access line, kept until that is written, what the request is called, and its
//! place in a trace.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::header::{REFERER, USER_AGENT};
use http::{HeaderMap, HeaderValue};

use super::worker::{Client, Worker};
use crate::filter::forwarded::{client_address, is_trusted};
use crate::filter::trace::{self, Context};
use crate::telemetry::Field;
use crate::telemetry::spans::Span;

/// Of one request; made only where somebody wants to know.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The client, if a trusted proxy in front tells of it.
    pub(super) client: Option<IpAddr>,
    pub(super) request_id: Option<HeaderValue>,
    /// The client's place in the trace.
    pub(super) parent: Option<Context>,
    /// Boxed, for few have one.
    pub(super) span: Option<Box<Span>>,
    pub(super) referer: Option<HeaderValue>,
    pub(super) user_agent: Option<HeaderValue>,
}

impl Told {
    /// `None` where nothing is to be kept.
    pub(super) fn of(client: &Client, headers: &HeaderMap) -> Option<Box<Self>> {
        let Worker { access: log, ids, tracer, .. } = &*client.worker;
        if !log.is_on() && ids.is_none() && tracer.is_none() {
            return None;
        }
        let config = &client.worker.snapshot().config;
        let trusted = is_trusted(client.address, &config.trusted_proxies);
        let mut told = Self::default();
        if trusted && log.is_on() {
            told.client = Some(client_address(headers, client.address, &config.trusted_proxies));
        }
        if let Some(ids) = ids {
            let given = trace::request_id(headers).filter(|_| trusted);
            told.request_id = Some(given.cloned().unwrap_or_else(|| ids.next()));
        }
        if log.tells(Field::TraceId) || log.tells(Field::ParentId) || tracer.is_some() {
            told.parent = Context::of(headers);
        }
        if let Some(tracer) = tracer {
            told.span = Some(Box::new(tracer.begin(told.parent, trusted)));
        }
        if log.tells(Field::Referer) {
            told.referer = headers.get(REFERER).cloned();
        }
        if log.tells(Field::UserAgent) {
            told.user_agent = headers.get(USER_AGENT).cloned();
        }
        let is_empty = told.client.is_none()
            && told.request_id.is_none()
            && told.parent.is_none()
            && told.span.is_none()
            && told.referer.is_none()
            && told.user_agent.is_none();
        (!is_empty).then(|| Box::new(told))
    }
}

/// Names requests: 64 random bits of this worker, and a number. Nobody has to be unable to guess them.
#[derive(Debug)]
pub(super) struct Ids {
    worker: u64,
    next: AtomicU64,
}

impl Ids {
    /// Ids that no other worker and no other run gives.
    pub(super) fn new() -> Self {
        // Without randomness the ids of two runs may be the same, which joins two lines too many.
        let worker = crate::store::random().map(u64::from_be_bytes).unwrap_or_default();
        Self { worker, next: AtomicU64::new(1) }
    }

    fn next(&self) -> HeaderValue {
        let mut text = String::with_capacity(32);
        // Writing into a string does not fail.
        let _ = write!(text, "{:016x}{:016x}", self.worker, self.next.fetch_add(1, Relaxed));
        HeaderValue::try_from(text).expect("hex digits")
    }
}
