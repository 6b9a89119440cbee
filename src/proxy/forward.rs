//! From the client's head to the origin's and back: what belongs to one connection only, who the client is, and
//! the form of the request's target. Knows nothing of consent.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, Uri};
use http::{HeaderMap, Method, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::error::{Error, OriginError};
use super::exchange::Exchange;
use super::upgrade::Upgrade;
use super::worker::{Client, SiteRef};
use crate::filter::forwarded::{self, client_address};
use crate::filter::{hop_by_hop, trace};
use crate::policy::Country;
use crate::telemetry::spans::Span;

/// What the response has to be judged by, kept before the request goes away.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) authority: Authority,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) accepted: crate::filter::accept_encoding::Accepted,
}

impl Asked {
    pub(super) fn of(exchange: &Exchange, head: &Parts) -> Self {
        Self {
            authority: exchange.authority().clone(),
            method: head.method.clone(),
            uri: head.uri.clone(),
            accepted: crate::filter::accept_encoding::Accepted::read(&head.headers),
        }
    }
}

/// Makes the head that goes to the origin: one strictly valid HTTP/1.1 request, whatever came in.
pub(super) fn clean(exchange: &Exchange, head: &mut Parts, upgrade: bool) {
    hop_by_hop::request(&mut head.headers, upgrade);
    if head.version == Version::HTTP_2 {
        join_crumbs(&mut head.headers);
    }
    let client = &exchange.client;
    client.introduce(
        exchange.authority(),
        &mut head.headers,
        exchange.site().is_some_and(|site| is_trusted(client, site)),
    );
    trace::drop_broken(&mut head.headers);
    if let Some(ours) = exchange.span().and_then(Span::header) {
        head.headers.insert(trace::TRACEPARENT, ours);
    }
    if let Some(id) = exchange.request_id() {
        head.headers.insert(trace::X_REQUEST_ID, id.clone());
    }
    // The client is told by 100 as soon as we read the body; the origin need not be asked.
    head.headers.remove(EXPECT);
    if head.uri.authority().is_some() {
        let target = head.uri.path_and_query().cloned();
        head.uri = target.map_or_else(|| Uri::from_static("/"), Uri::from);
    }
    head.version = Version::HTTP_11;
    // Extended CONNECT's protocol and the like are of the client's connection.
    head.extensions.clear();
}

/// HTTP/1.1 has one `Cookie` (RFC 9113 §8.2.3).
fn join_crumbs(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) {
        let all = [first, second].into_iter().chain(crumbs);
        let joined = all.map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
        let joined = HeaderValue::from_maybe_shared(Bytes::from(joined)).expect("values that were valid stay so");
        headers.insert(COOKIE, joined);
    }
}

/// Whether the peer is a proxy in front of us, whose word on its clients counts.
fn is_trusted(client: &Client, site: &SiteRef) -> bool {
    forwarded::is_trusted(client.address, &site.snapshot().config.trusted_proxies)
}

const CF_IPCOUNTRY: HeaderName = HeaderName::from_static("cf-ipcountry");

/// Where the visitor is: as a trusted CDN in front says, of which two answers are none, or by the operator's database.
pub(super) fn country(client: &Client, site: &SiteRef, headers: &HeaderMap) -> Option<Country> {
    let config = &site.snapshot().config;
    let mut lines = headers.get_all(CF_IPCOUNTRY).iter();
    if let Some(line) = lines.next().filter(|_| is_trusted(client, site)) {
        return lines.next().is_none().then(|| Country::parse(line.as_bytes())).flatten();
    }
    let countries = config.geoip.as_ref()?;
    let address = client_address(headers, client.address, &config.trusted_proxies);
    // Where a proxy of ours is says nothing of whom it speaks for.
    if forwarded::is_trusted(address, &config.trusted_proxies) { None } else { countries.of(address) }
}

/// Chunks overrule a length beside them (RFC 9112 §6.3), which hyper leaves in the head (hyperium/hyper#3860): the client
/// would be told a length that is not the body's. Whether there were both.
pub(super) fn settle_length(headers: &mut HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) && headers.remove(CONTENT_LENGTH).is_some()
}

/// Makes the origin's head ours: joins an upgrade, removes what belongs to the origin's connection.
///
/// # Errors
/// If the origin switched protocols although nobody asked it to.
pub(super) fn settle(
    response: &mut Response<Incoming>,
    upgrade: Option<Upgrade>,
    client: &Client,
) -> Result<(), Error> {
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    match upgrade {
        Some(upgrade) if switched => {
            upgrade.join(response, client.activity.hold(), &client.worker.tunnels)?;
            // Only what makes the switch is left of the fields of the connection.
            let still = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            hop_by_hop::response(response.headers_mut(), still);
        }
        _ if switched => return Err(OriginError::Upgrade.into()),
        // To an extended CONNECT any success says that there is a tunnel (RFC 8441 §5).
        Some(Upgrade::Stream(_)) if response.status().is_success() => return Err(OriginError::Upgrade.into()),
        _ => hop_by_hop::response(response.headers_mut(), false),
    }
    *response.version_mut() = Version::HTTP_11;
    Ok(())
}
