//! Whether a request is let in at all: there is room for it, and nobody can be in doubt about where it ends.

use std::sync::atomic::Ordering::Relaxed;

use http::header::{CONTENT_LENGTH, COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, StatusCode, Version};

use super::error::Error;
use super::exchange::Exchange;
use crate::config::Limits;

/// Looks at what does not depend on the site.
///
/// # Errors
/// 503 if there is no room; 400 if the framing or the target is in doubt.
pub(super) fn request<B>(exchange: &Exchange, request: &Request<B>) -> Result<(), Error> {
    let client = &exchange.client;
    if client.surplus {
        return Err(busy(exchange, "too many connections"));
    }
    if client.worker.in_flight.load(Relaxed) > client.worker.most_in_flight.load(Relaxed) {
        return Err(busy(exchange, "too many requests at a time"));
    }
    if exchange.is_doubtful() {
        return Err(bad("both Content-Length and Transfer-Encoding"));
    }
    if !is_plainly_framed(request.headers()) {
        return Err(bad("Transfer-Encoding is not `chunked` alone"));
    }
    // h2 takes several that agree, and hyper would write them all.
    if request.headers().get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(bad("more than one Content-Length"));
    }
    if request.uri().path() == "*" && request.method() != Method::OPTIONS {
        return Err(bad("only OPTIONS may ask for `*`"));
    }
    // RFC 9113 §8.3.1; h2 lets an empty one pass.
    let no_scheme = || request.uri().scheme_str().is_none_or(str::is_empty);
    if request.version() == Version::HTTP_2 && request.method() != Method::CONNECT && no_scheme() {
        return Err(bad("no scheme"));
    }
    Ok(())
}

/// Holds heads of HTTP/2 to the number of fields that hyper holds those of HTTP/1.1 to. Crumbs of `Cookie` are one
/// (RFC 9113 §8.2.3).
///
/// # Errors
/// 431 if there are more.
pub(super) fn head<B>(request: &Request<B>, limits: &Limits) -> Result<(), Error> {
    let headers = request.headers();
    if request.version() != Version::HTTP_2 {
        return Ok(());
    }
    let crumbs = || headers.get_all(COOKIE).iter().count().saturating_sub(1);
    if headers.len() > limits.head_fields && headers.len() - crumbs() > limits.head_fields {
        return Err(Error::client(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header fields"));
    }
    Ok(())
}

fn bad(reason: &'static str) -> Error {
    Error::client(StatusCode::BAD_REQUEST, reason)
}

fn busy(exchange: &Exchange, reason: &'static str) -> Error {
    exchange.client.worker.counters.connections.shed.fetch_add(1, Relaxed);
    Error::client(StatusCode::SERVICE_UNAVAILABLE, reason)
}

/// hyper decodes chunks and takes no other coding off, so what was `gzip, chunked` would go on as something else; and
/// a list or a second line is how two readers come to two lengths.
fn is_plainly_framed(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(line), None) => line.as_bytes().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    }
}
