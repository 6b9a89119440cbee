//! The only place that makes a status of an error.

use http::header::{ALLOW, HeaderValue};
use http::{Response, StatusCode};

use super::error::Error;
use crate::body::Body;
use crate::{own, page};

/// Answers an exchange that failed: a short page that never names the origin. `prefix` is known once the request
/// has found its site.
pub(super) fn error(error: &Error, prefix: Option<&str>) -> Response<Body> {
    let status = error.status();
    let mut response = own::html(status, page::error(status, prefix));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    }
    response
}
