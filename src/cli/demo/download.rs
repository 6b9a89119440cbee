//! A file to download, with length, validator and single byte ranges (RFC 9110 §14).

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use super::body::Body;
use super::shop::answer as respond;

const ETAG: &str = "\"price-list-7\"";
/// Not text and not compressible: a proxy has nothing to do here but to pass it on.
static FILE: LazyLock<Bytes> = LazyLock::new(|| {
    // A 64-bit linear congruential generator (Knuth): the same bytes on each machine.
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(256 * 1024).collect()
});

/// The whole file, one range of it, 304 or 416.
pub(super) fn answer(headers: &HeaderMap) -> Response<Body> {
    let all = FILE.len();
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == ETAG);
    let still_same = headers.get(header::IF_RANGE).is_none_or(|tag| tag == ETAG);
    let wanted = headers.get(header::RANGE).filter(|_| still_same).and_then(|range| range.to_str().ok());
    let mut response = match wanted.map(|range| parse(range, all)) {
        _ if unchanged => {
            let mut response = Response::new(Body::full(Bytes::new()));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        }
        None | Some(Range::Ignored) => binary(StatusCode::OK, FILE.clone()),
        Some(Range::Part(range)) => {
            let content_range = format!("bytes {}-{}/{all}", range.start(), range.end());
            part(StatusCode::PARTIAL_CONTENT, FILE.slice(range), &content_range)
        }
        Some(Range::Outside) => part(StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new(), &format!("bytes */{all}")),
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(ETAG));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"price-list.bin\""));
    response
}

enum Range {
    /// Not bytes, several, or malformed: RFC 9110 lets the server send the whole.
    Ignored,
    Part(RangeInclusive<usize>),
    Outside,
}

fn parse(range: &str, length: usize) -> Range {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|spec| spec.split_once('-')) else {
        return Range::Ignored;
    };
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first > last => Range::Ignored,
        (Ok(first), _) if first >= length => Range::Outside,
        (Ok(first), Ok(last)) => Range::Part(first..=last.min(length - 1)),
        (Ok(first), Err(_)) if last.is_empty() => Range::Part(first..=length - 1),
        (Err(_), Ok(0)) if first.is_empty() => Range::Outside,
        (Err(_), Ok(suffix)) if first.is_empty() => Range::Part(length.saturating_sub(suffix)..=length - 1),
        _ => Range::Ignored,
    }
}

fn part(status: StatusCode, bytes: Bytes, content_range: &str) -> Response<Body> {
    let mut response = binary(status, bytes);
    let value = HeaderValue::from_str(content_range).expect("digits and ASCII signs");
    response.headers_mut().insert(header::CONTENT_RANGE, value);
    response
}

fn binary(status: StatusCode, bytes: Bytes) -> Response<Body> {
    respond(status, "application/octet-stream", bytes)
}
