//! Who may change a choice: pages of the site itself, and apps that the site names, from their own origins (CORS).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Response, StatusCode};

use super::Visit;
use crate::body::Body;
use crate::own;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A page of this very origin asks. Browsers say so in `Sec-Fetch-Site` or `Origin`; whoever says neither
/// is no browser with our page open, and any doubt is a no. A page that sends no referrer has its forms sent from `null`
/// (Fetch, "append a request `Origin` header"), which then is told by `Sec-Fetch-Site` alone: to what is sandboxed, and
/// opaque for that, even its own site is another.
pub(super) fn is_same(headers: &HeaderMap, authority: &str) -> bool {
    let all =
        |name: &HeaderName, good: &dyn Fn(&[u8]) -> bool| headers.get_all(name).iter().all(|v| good(v.as_bytes()));
    let site = all(&SEC_FETCH_SITE, &|value| value == b"same-origin");
    let is_told = site && headers.contains_key(SEC_FETCH_SITE);
    let origin = all(&ORIGIN, &|value| match value.strip_prefix(b"https://") {
        Some(rest) => rest.eq_ignore_ascii_case(authority.as_bytes()),
        None => is_told && value == b"null",
    });
    site && origin && (is_told || headers.contains_key(ORIGIN))
}

/// The origin of an app that the site names, if one asks.
pub(super) fn app<'h>(visit: &Visit<'_>, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
    let mut lines = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (lines.next(), lines.next()) else { return None };
    visit.site.app_origins.iter().any(|app| app.as_bytes() == origin.as_bytes()).then_some(origin)
}

/// Lets the app read the answer. Where the site names none, nothing speaks of CORS.
pub(super) fn admit(visit: &Visit<'_>, app: Option<HeaderValue>, mut response: Response<Body>) -> Response<Body> {
    if visit.site.app_origins.is_empty() {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = app {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

/// The answer to a preflight of an app; a stranger's is refused.
pub(super) fn preflight(visit: &Visit<'_>, headers: &HeaderMap) -> Response<Body> {
    if app(visit, headers).is_none() {
        return super::failed(visit, StatusCode::FORBIDDEN);
    }
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    own::headers(response.headers_mut());
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
