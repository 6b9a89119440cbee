//! What comes back from the origin, under a grant: is it a page, can it be read, and what leaves.

use bytes::BytesMut;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use url::Url;

use super::coding::{Caps, Coding, Decoder};
use super::error::{Error, OriginError};
use super::forward::Asked;
use super::rewrite::Rewrite;
use super::worker::SiteRef;
use crate::body::Body;
use crate::config::{Mode, OnRewriteError, SESSION_MARKER, SharedCache};
use crate::cookie::UnixTime;
use crate::filter::{self, Requested, ResponseContext, content_codings};
use crate::html::{self, Rewriter, charset, sniff};
use crate::policy::Grant;

/// Filters a response: head first, then, for pages, the body.
pub(super) async fn filter(
    site: &SiteRef,
    grant: &Grant,
    asked: &Asked,
    requested: &Requested,
    now: UnixTime,
    response: Response<Body>,
) -> Result<Response<Body>, Error> {
    let (mut head, mut body) = response.into_parts();
    let apply = site.mode == Mode::Enforce;
    let page = is_page(&head.headers, head.status, &mut body, site).await?;
    let rewritten = page && apply && !site.policy.grants_everything(grant);
    let codings = if rewritten { readable(head.status, &head.headers)? } else { Vec::new() };
    let url = url_of(asked);
    let context = ResponseContext {
        apply,
        now,
        status: head.status,
        body: match (page && apply, rewritten) {
            (false, _) => filter::Body::Plain,
            (true, false) => filter::Body::Passed,
            (true, true) => filter::Body::Rewritten,
        },
        url: &url,
        requested,
        keyed: site.shared_cache == SharedCache::Keyed,
        marker: site.strict_bounce.then_some(SESSION_MARKER),
    };
    let kind = head.headers.get(CONTENT_TYPE).cloned();
    filter::response(&site.policy, grant, &mut head.headers, &context);
    if apply {
        for (name, value) in &site.headers.0 {
            head.headers.insert(name, value.clone());
        }
    }
    if rewritten && has_body(&asked.method, head.status) {
        body = rewrite(site, grant, asked, url, kind.as_ref(), &codings, &mut head.headers, body)?;
    }
    Ok(Response::from_parts(head, body))
}

fn has_body(method: &Method, status: StatusCode) -> bool {
    *method != Method::HEAD
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
        && !status.is_informational()
}

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
