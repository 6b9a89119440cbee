//! Taking everything back: known cookies are deleted wherever they may be, stored data by a script or by the browser.

use http::header::{HeaderValue, SET_COOKIE, VARY};
use http::{HeaderMap, Response, StatusCode};

use super::{Visit, in_language, redirect};
use crate::body::Body;
use crate::config::{ClearData, SESSION_MARKER, Withdraw};
use crate::consent::{self, Basis, Record};
use crate::cookie::{HOST_PREFIX, pairs};
use crate::filter;
use crate::own;
use crate::page;
use crate::policy::Action;
use crate::receipt::lists;

/// Names of the cookies that the browser sent and that go: all that the policy or the catalogue knows, and what nobody
/// knows where that is kept out anyway; never ours (another site's of this domain included), and the session only if the site does not spare it.
fn names(visit: &Visit<'_>, headers: &HeaderMap) -> Vec<Box<[u8]>> {
    let policy = &visit.site.policy;
    let nothing = consent::required(policy);
    let own = visit.site.own_cookies();
    let lines = headers.get_all(http::header::COOKIE).iter().map(HeaderValue::as_bytes);
    let mut names: Vec<Box<[u8]>> = Vec::new();
    for pair in lines.flat_map(pairs) {
        let name = pair.name();
        // A session that we gave `__Host-` is known by the name that the origin gave it.
        let original = name.strip_prefix(HOST_PREFIX).filter(|name| policy.session(name).is_some()).unwrap_or(name);
        let spared = own.contains(name) && !is_marker(visit, name)
            || (visit.site.withdraw.keep_session && (policy.session(original).is_some() || is_marker(visit, name)));
        let known = policy.cookie(name).is_some() || is_marker(visit, name) || policy.session(original).is_some();
        let goes = known || policy.judge_cookie(&nothing, name).action == Action::Strip;
        if goes && !spared && !name.is_empty() && !names.iter().any(|other| **other == *name) {
            names.push(name.into());
        }
    }
    names
}

/// The cookie that says that there is a session goes with it.
fn is_marker(visit: &Visit<'_>, name: &[u8]) -> bool {
    name == SESSION_MARKER.as_bytes() && name != visit.site.cookie.name.as_bytes()
}

/// Adds to the answer what deletes: a line for each cookie and place, and what the browser shall clear as a whole.
pub(super) fn clear(visit: &Visit<'_>, headers: &HeaderMap, back: &str, response: &mut Response<Body>) {
    let names = names(visit, headers);
    let host = visit.authority.rsplit_once(':').map_or(visit.authority, |(host, port)| {
        // Not the end of an IPv6 address.
        if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') { host } else { visit.authority }
    });
    let own = visit.site.prefix.trim_end_matches('/');
    let page = back.split(['?', '#']).next().unwrap_or("/");
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut paths = vec!["/"];
    paths.extend([own, folder, page].into_iter().filter(|path| path.starts_with('/') && path.len() > 1));
    paths.dedup();
    for line in filter::expire_everywhere(&names, host, &paths) {
        response.headers_mut().append(SET_COOKIE, line);
    }
    response.headers_mut().insert(super::choice::CLEAR_SITE_DATA, cleared(&visit.site.withdraw));
}

/// `Clear-Site-Data`; the cache always, else "Back" would bring pages of the old mind to life again.
fn cleared(withdraw: &Withdraw) -> HeaderValue {
    let words = withdraw.clear_site_data.iter().filter_map(|data| match data {
        ClearData::Cookies => Some("\"cookies\""),
        ClearData::Storage => Some("\"storage\""),
        ClearData::Cache => None,
    });
    let text = std::iter::once("\"cache\"").chain(words).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(text).expect("words of ours")
}

/// Where a visitor who withdrew by a form is led: `{prefix}withdrawn`, and from there back to the page.
pub(super) fn address(visit: &Visit<'_>, back: &str) -> String {
    let to: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    format!("{}withdrawn?return_to={to}{}", visit.site.prefix, visit.on())
}

/// The page that says that it is done, with a script that deletes what is stored. Whoever comes by a link, and has
/// withdrawn nothing, is led to the settings.
pub(super) fn page(visit: &Visit<'_>, return_to: &str) -> Response<Body> {
    if !has_withdrawn(visit) {
        let to: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        let settings = format!("{}?return_to={to}{}", visit.site.prefix, visit.on());
        let mut response = redirect(StatusCode::SEE_OTHER, &settings);
        response.headers_mut().insert(VARY, HeaderValue::from_static("Cookie"));
        return response;
    }
    let text = page::withdrawn::page(
        visit.authority,
        &visit.site.prefix,
        return_to,
        (visit.language, visit.named),
        visit.texts(),
    );
    let mut response = in_language(visit, text);
    response.headers_mut().append(VARY, HeaderValue::from_static("Cookie"));
    with_script(&mut response);
    response
}

/// A choice stands that grants nothing.
fn has_withdrawn(visit: &Visit<'_>) -> bool {
    let Record::Choice(choice) = visit.record else { return false };
    let [granted, _] = lists(&visit.site.policy, choice);
    visit.decision.basis == Basis::Choice && granted.is_empty()
}

/// Lets our own script run on this page of ours.
pub(super) fn with_script(response: &mut Response<Body>) {
    response
        .headers_mut()
        .insert(http::header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::withdrawn::CSP));
}

/// `forget.js`: deletes the stored data of what this visitor does not grant.
pub(super) fn script(visit: &Visit<'_>) -> Response<Body> {
    let mut response = Response::new(Body::full(page::forget::script(&visit.site.policy, &visit.decision.grant)));
    own::headers(response.headers_mut());
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    *response.status_mut() = StatusCode::OK;
    response
}
