//! What comes back from the origin, under a grant: is it a page, can it be read, and what leaves.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method, Response, StatusCode};

use super::coding::{Caps, Coding, Decoder};
use super::error::{Error, OriginError};
use super::forward::Asked;
use super::notes::{Noted, Place};
use super::observe::Observe;
use super::page;
use super::recognise;
use super::rewrite::Rewrite;
use super::worker::{SiteRef, Worker};
use crate::body::Body;
use crate::config::{Mode, SESSION_MARKER, SharedCache};
use crate::cookie::UnixTime;
use crate::filter::{self, Address, Csp, Requested, ResponseContext, content_codings};
use crate::html::Rewriter;
use crate::policy::Grant;
use crate::telemetry::findings::Scene;

/// What a response is filtered under.
pub(super) struct Filter<'a> {
    pub(super) site: &'a SiteRef,
    pub(super) grant: &'a Grant,
    /// What pages are made for where they are the same for everybody (`gating: client`).
    pub(super) shared: Option<&'a Grant>,
    pub(super) asked: &'a Asked,
    pub(super) requested: &'a Requested,
    pub(super) now: UnixTime,
    pub(super) worker: &'a Arc<Worker>,
}

impl Filter<'_> {
    /// Filters a response: head first, then, for pages, the body.
    ///
    /// # Errors
    /// If a page cannot be read, and so would pass unfiltered.
    pub(super) async fn response(&self, response: Response<Body>) -> Result<Response<Body>, Error> {
        let Self { site, grant, requested, .. } = *self;
        let (mut head, mut body) = response.into_parts();
        let apply = site.mode == Mode::Enforce;
        let page = recognise::is_page(&head.headers, head.status, &mut body, self.caps()).await?;
        // Under `client` the page is the same for everyone, whatever they granted.
        // A bridged page tells us when the visitor takes back what they granted.
        let blocks = page && (self.shared.is_some() || site.is_bridged() || !site.policy.grants_everything(grant));
        let codings = if blocks { self.readable(head.status, &head.headers) } else { Ok(Vec::new()) };
        let kind = head.headers.get(CONTENT_TYPE).cloned();
        let csp = if blocks { Csp::read(&head.headers) } else { Csp::default() };
        let context = ResponseContext {
            apply,
            now: self.now,
            status: head.status,
            body: match (page && apply, blocks) {
                (false, _) => filter::Body::Plain,
                (true, false) => filter::Body::Passed,
                (true, true) => filter::Body::Rewritten,
            },
            address: self.address(),
            requested,
            keyed: site.shared_cache == SharedCache::Keyed,
            marker: site.strict_bounce.then_some(SESSION_MARKER),
            pages: self.shared,
        };
        let scene = Scene {
            site: &site.name,
            policy: &site.policy,
            page: self.asked.uri.path(),
            applied: apply,
            now: self.now,
        };
        filter::response(&site.policy, grant, &mut head.headers, &context, &mut self.worker.findings.look(scene));
        if blocks && has_body(&self.asked.method, head.status) {
            body = match (apply, codings) {
                (true, codings) => {
                    self.rewrite(body, &codings?, self.rewriter(kind.as_ref(), csp), &mut head.headers)?
                }
                (false, Ok(codings)) => self.observe(body, &codings, self.rewriter(kind.as_ref(), csp)),
                (false, Err(_)) => body,
            };
        }
        Ok(Response::from_parts(head, body))
    }

    fn rewrite(&self, body: Body, codings: &[Coding], rewriter: Noted, headers: &mut HeaderMap) -> Result<Body, Error> {
        // It leaves in the coding that it came in, unless the client does not take that.
        let answer = codings.last().copied().filter(|coding| self.asked.accepted.takes(*coding));
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

    fn rewriter(&self, kind: Option<&HeaderValue>, csp: Csp) -> Noted {
        let kind = kind.map(HeaderValue::as_bytes);
        let rewriter = Rewriter::new(page::settings(
            self.site,
            self.site.limits(),
            self.grant.clone(),
            self.address().url(),
            kind,
            csp,
        ));
        let (site, worker) = (self.site.clone(), Arc::clone(self.worker));
        Noted::new(rewriter, Place { site, worker, page: self.asked.uri.path().into(), now: self.now })
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

    fn address(&self) -> Address<'_> {
        let target = self.asked.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Address { authority: self.asked.authority.as_str(), target }
    }

    fn caps(&self) -> Caps {
        let limits = self.site.limits();
        Caps { bytes: limits.decompressed, ratio: limits.decompression_ratio }
    }
}

fn has_body(method: &Method, status: StatusCode) -> bool {
    *method != Method::HEAD
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
        && !status.is_informational()
}
