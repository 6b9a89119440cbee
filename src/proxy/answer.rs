//! What comes back from the origin, under a grant: is it a page, can it be read, and what leaves.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method, Response, StatusCode};

use super::coding::{Caps, Coding, Decoder};
use super::error::{Error, OriginError};
use super::forward::Asked;
use super::handler::MARKER;
use super::observe::Observe;
use super::recognise;
use super::rewrite::Rewrite;
use super::worker::{SiteRef, Worker};
use crate::body::Body;
<<<<<<< HEAD
use crate::config::{Limits, Mode, OnRewriteError, SharedCache};
=======
use crate::config::{Gating, Mode, OnRewriteError, SharedCache};
>>>>>>> htm2
use crate::cookie::UnixTime;
use crate::filter::{self, Address, Requested, ResponseContext, content_codings};
use crate::html::{self, Rewriter, charset};
use crate::policy::Grant;

/// What a response is filtered under.
pub(super) struct Filter<'a> {
    pub(super) site: &'a SiteRef,
    pub(super) grant: &'a Grant,
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
        let blocks = page && !site.policy.grants_everything(grant);
        let codings = if blocks { self.readable(head.status, &head.headers) } else { Ok(Vec::new()) };
        let kind = head.headers.get(CONTENT_TYPE).cloned();
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
            marker: site.strict_bounce.then_some(MARKER),
        };
        let found = filter::response(&site.policy, grant, &mut head.headers, &context);
        if site.mode == Mode::Observe {
            self.worker.findings.observed(&site.name, &site.policy, &requested.findings);
            self.worker.findings.observed(&site.name, &site.policy, &found);
        }
        if blocks && has_body(&self.asked.method, head.status) {
            body = match (apply, codings) {
                (true, codings) => self.rewrite(body, &codings?, kind.as_ref(), &mut head.headers)?,
                (false, Ok(codings)) => self.observe(body, &codings, kind.as_ref()),
                (false, Err(_)) => body,
            };
        }
        Ok(Response::from_parts(head, body))
    }

    fn rewrite(
        &self,
        body: Body,
        codings: &[Coding],
        kind: Option<&HeaderValue>,
        headers: &mut HeaderMap,
    ) -> Result<Body, Error> {
        // It leaves in the coding that it came in, unless the client does not take that.
        let answer = codings.last().copied().filter(|coding| self.asked.accepted.takes(*coding));
        headers.remove(CONTENT_ENCODING);
        if let Some(coding) = answer {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        let made = Rewrite::new(body, self.rewriter(kind), codings, answer, self.caps())
            .map_err(|_| Error::client(StatusCode::SERVICE_UNAVAILABLE, "an encoder could not be made"))?;
        Ok(Body::Made(Box::pin(made)))
    }

    fn observe(&self, body: Body, codings: &[Coding], kind: Option<&HeaderValue>) -> Body {
        let decoder = Decoder::new(codings, self.caps());
        let worker = Arc::clone(self.worker);
        Body::Made(Box::pin(Observe::new(body, decoder, self.rewriter(kind), self.site.clone(), worker)))
    }

    fn rewriter(&self, kind: Option<&HeaderValue>) -> Rewriter {
        let site = self.site;
        let Limits { html_memory, inline_script, .. } = *site.limits();
        Rewriter::new(html::Settings {
            policy: site.policy.clone(),
            grant: self.grant.clone(),
            url: self.address().url(),
            charset: kind.and_then(|k| charset::of_content_type(k.as_bytes())),
            limits: html::Limits { memory: html_memory, inline_script, ..html::Limits::default() },
            on_error: match site.on_rewrite_error {
                OnRewriteError::Abort => html::OnError::Abort,
                OnRewriteError::Pass => html::OnError::Pass,
            },
            preferences: site.prefix.clone().into(),
        })
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
<<<<<<< HEAD
=======

/// Whether the response is HTML by its type or, without one, by its first bytes (WHATWG MIME sniffing).
async fn is_page(headers: &HeaderMap, status: StatusCode, body: &mut Body, site: &SiteRef) -> Result<bool, Error> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(false);
    }
    match sniff::is_html(kind, b"", matches!(body, Body::Empty)) {
        sniff::Sniff::Html => return Ok(true),
        sniff::Sniff::Other => return Ok(false),
        sniff::Sniff::NeedMore => {}
    }
    // What cannot be decoded cannot be looked at: taken for a page, and refused as one.
    let Ok(codings) = content_codings(headers) else { return Ok(true) };
    let mut decoder = Decoder::new(&codings, caps(site));
    let (mut seen, mut front, mut whole) = (Vec::new(), BytesMut::new(), false);
    let found = loop {
        match sniff::is_html(None, &seen, whole) {
            sniff::Sniff::Html => break true,
            sniff::Sniff::Other => break false,
            sniff::Sniff::NeedMore if whole => break false,
            sniff::Sniff::NeedMore => {}
        }
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    front.extend_from_slice(&data);
                    let mut take = |piece: &[u8]| {
                        seen.extend_from_slice(&piece[..piece.len().min(ENOUGH.saturating_sub(seen.len()))]);
                        Ok::<_, super::coding::Error>(())
                    };
                    if decoder.write(&data, &mut take).is_err() {
                        whole = true;
                    }
                }
                Err(_trailers) => whole = true,
            },
            Some(Err(error)) => return Err(OriginError::Body(error).into()),
            None => whole = true,
        }
    };
    body.push_front(front.freeze());
    Ok(found)
}

/// What sniffing looks at (WHATWG MIME sniffing §5.2).
const ENOUGH: usize = 1445;

/// The codings of a page that has to be read.
///
/// # Errors
/// If it cannot be: a part of a page, or a coding that we do not know. It must not pass unfiltered.
fn readable(status: StatusCode, headers: &HeaderMap) -> Result<Vec<Coding>, Error> {
    if status == StatusCode::PARTIAL_CONTENT {
        return Err(OriginError::PartialHtml.into());
    }
    content_codings(headers).map_err(|_| {
        let field = headers.get(CONTENT_ENCODING).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        OriginError::Coding(field.unwrap_or_default()).into()
    })
}

fn rewrite(
    site: &SiteRef,
    grant: &Grant,
    asked: &Asked,
    url: Url,
    kind: Option<&HeaderValue>,
    codings: &[Coding],
    headers: &mut HeaderMap,
    body: Body,
) -> Result<Body, Error> {
    let limits = site.limits();
    let rewriter = Rewriter::new(html::Settings {
        policy: site.policy.clone(),
        grant: grant.clone(),
        url,
        charset: kind.and_then(|k| charset::of_content_type(k.as_bytes())),
        xml: kind.is_some_and(|k| sniff::is_xml(k.as_bytes())),
        gating: match site.gating {
            Gating::Remove => html::Gating::Remove,
            Gating::Neutralise => html::Gating::Neutralise,
            Gating::Client => html::Gating::Client,
        },
        limits: html::Limits {
            memory: limits.html_memory,
            inline_script: limits.inline_script,
            ..html::Limits::default()
        },
        on_error: match site.on_rewrite_error {
            OnRewriteError::Abort => html::OnError::Abort,
            OnRewriteError::Pass => html::OnError::Pass,
        },
        preferences: site.prefix.clone().into(),
    });
    // It leaves in the coding that it came in, unless the client does not take that.
    let answer = codings.last().copied().filter(|coding| asked.accepted.takes(*coding));
    headers.remove(CONTENT_ENCODING);
    if let Some(coding) = answer {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    debug_assert!(!headers.contains_key(CONTENT_LENGTH), "the filter drops it from a body that is rewritten");
    let made = Rewrite::new(body, rewriter, codings, answer, caps(site))
        .map_err(|_| Error::client(StatusCode::SERVICE_UNAVAILABLE, "an encoder could not be made"))?;
    Ok(Body::Made(Box::pin(made)))
}

fn caps(site: &SiteRef) -> Caps {
    Caps { bytes: site.limits().decompressed, ratio: site.limits().decompression_ratio }
}

/// The address of the document, as the browser sees it.
fn url_of(asked: &Asked) -> Url {
    let target = asked.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let origin = format!("https://{}", asked.authority);
    Url::parse(&format!("{origin}{target}"))
        .or_else(|_| Url::parse(&origin))
        .unwrap_or_else(|_| Url::parse("https://invalid.invalid/").expect("a constant"))
}
>>>>>>> htm2
