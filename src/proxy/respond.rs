//! The only place that makes a status of an error.

use http::header::{ACCEPT_LANGUAGE, ALLOW, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};

use super::error::Error;
use crate::api::language;
use crate::body::Body;
use crate::config::Site;
use crate::{own, page};

/// Answers an exchange that failed: a short page that never names the origin. The site is known once the
/// request has found it; `language` is what the visitor asks for.
pub(super) fn error(error: &Error, site: Option<&Site>, language: Option<HeaderValue>) -> Response<Body> {
    let status = error.status();
    let asked: HeaderMap = language.map(|language| (ACCEPT_LANGUAGE, language)).into_iter().collect();
    let texts = match site {
        Some(site) => language::texts(site, &asked),
        None => language::texts_without_site(&asked),
    };
    let mut response = own::html(status, page::error(status, site.map(|site| &*site.prefix), texts));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}
