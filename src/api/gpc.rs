//! `/.well-known/gpc.json`: says that the site honours Global Privacy Control (GPC §5), where a category of it does.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response};

use super::{Visit, is_read, not_allowed};
use crate::body::Body;
use crate::config::{Mode, Site};
use crate::own;

/// Where the specification wants it.
pub(super) const PATH: &str = "/.well-known/gpc.json";

/// Whether we answer there. Where we honour nothing, what the origin says stands.
pub(super) fn is_ours(site: &Site) -> bool {
    site.mode == Mode::Enforce
        && site.policy.parts().categories.iter().any(|category| category.gpc && !category.required)
}

pub(super) fn answer(visit: &Visit<'_>, method: &Method) -> Response<Body> {
    if !is_read(method) {
        return not_allowed(visit, "GET, HEAD");
    }
    let mut said = serde_json::json!({ "gpc": true });
    // Of the policy: nobody would learn anything from the day on which a server was started.
    let parts = visit.site.policy.parts();
    let changed = parts.changes.iter().filter_map(|change| change.date.as_deref()).max();
    if let Some(date) = visit.site.effective.as_deref().into_iter().chain(changed).max() {
        said["lastUpdate"] = date.into();
    }
    let mut response = Response::new(Body::full(said.to_string()));
    own::headers(response.headers_mut());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
