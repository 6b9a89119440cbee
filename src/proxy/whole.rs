//! A part of a page cannot be filtered. Who asks for one without having said that it is for a page gets the whole, which
//! is what an origin may answer (RFC 9110 §14.2).

use http::header::{CONTENT_TYPE, IF_RANGE, RANGE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::html::sniff::{Sniff, is_html};

/// The same request, which has no body, for the whole; `None` if it asks for no part.
pub(super) fn request(head: &Parts) -> Option<Box<Parts>> {
    if head.method != Method::GET || !head.headers.contains_key(RANGE) {
        return None;
    }
    let mut head = Box::new(head.clone());
    head.headers.remove(RANGE);
    head.headers.remove(IF_RANGE);
    Some(head)
}

/// Whether this is a part, and by its type one of a page.
pub(super) fn is_part_of_page<B>(response: &Response<B>) -> bool {
    let kinds = response.headers().get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    response.status() == StatusCode::PARTIAL_CONTENT && is_html(kinds, b"", true) == Sniff::Html
}
