//! Heads of answers over HTTP/2 that keep nothing but themselves.
//!
//! h2 compresses heads by a table that lives as long as its connection, and what came from an origin is a part of what was
//! read there at once: each field that the table remembers would keep such a buffer, 8 KiB and more. An origin whose
//! `Date` changes with each answer could fill a table with sixty of them.

use bytes::BytesMut;
use http::header::{AGE, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};

/// h2 does not remember these.
fn is_forgotten(name: &HeaderName) -> bool {
    [AGE, CONTENT_LENGTH, ETAG, LOCATION, SET_COOKIE].contains(name)
}

/// Copies what h2 would remember, into one piece.
pub(super) fn detach(headers: &mut HeaderMap) {
    let lengths = headers.iter().filter(|(name, _)| !is_forgotten(name)).map(|(_, value)| value.len());
    let mut copies = BytesMut::with_capacity(lengths.sum());
    for (name, value) in headers {
        if is_forgotten(name) {
            continue;
        }
        copies.extend_from_slice(value.as_bytes());
        if let Ok(mut copy) = HeaderValue::from_maybe_shared(copies.split().freeze()) {
            copy.set_sensitive(value.is_sensitive());
            *value = copy;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_is_remembered_keeps_nothing_of_the_buffer_that_it_came_in() {
        let buffer = Bytes::from(b"text/html|Sat, 01 Aug 2026 00:00:00 GMT|a=1|\xff".to_vec());
        let names = ["content-type", "date", "set-cookie", "x-other"];
        let mut headers = HeaderMap::new();
        for (name, value) in names.into_iter().zip(buffer.split(|byte| *byte == b'|')) {
            let value = HeaderValue::from_maybe_shared(buffer.slice_ref(value)).unwrap();
            headers.append(name, value);
        }
        let mut secret = HeaderValue::from_static("");
        secret.set_sensitive(true);
        headers.append("x-secret", secret);
        let before = headers.clone();
        detach(&mut headers);
        assert_eq!(headers, before);
        assert!(headers["x-secret"].is_sensitive());
        let within = |value: &HeaderValue| buffer.as_ptr_range().contains(&value.as_bytes().as_ptr());
        let kept: Vec<_> = headers.iter().filter(|(_, value)| within(value)).map(|(name, _)| name.as_str()).collect();
        assert_eq!(kept, ["set-cookie"]);
    }
}
