//! Is a response a page? By its type or, without one, by its first bytes, which are read ahead and put back.

use bytes::BytesMut;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::{Duration, Instant};

use super::coding::{Caps, Decoder};
use super::error::{Error, OriginError};
use crate::body::Body;
use crate::filter::content_codings;
use crate::html::sniff;

/// Whether the response is HTML by its type or, without one, by its first bytes (WHATWG MIME sniffing). `read` grows by
/// the time that these took.
///
/// # Errors
/// If the body breaks off before that can be told.
pub(super) async fn is_page(
    headers: &HeaderMap,
    status: StatusCode,
    body: &mut Body,
    caps: Caps,
    read: &mut Duration,
) -> Result<bool, Error> {
    let kinds = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(false);
    }
    match sniff::is_html(kinds, b"", matches!(body, Body::Empty)) {
        sniff::Sniff::Html => return Ok(true),
        sniff::Sniff::Other => return Ok(false),
        sniff::Sniff::NeedMore => {}
    }
    // What cannot be decoded cannot be looked at: taken for a page, and refused as one.
    let Ok(codings) = content_codings(headers) else { return Ok(true) };
    let mut decoder = Decoder::new(&codings, caps);
    let (mut seen, mut front, mut whole) = (Vec::new(), BytesMut::new(), false);
    let found = loop {
        match sniff::is_html(None, &seen, whole) {
            sniff::Sniff::Html => break true,
            sniff::Sniff::Other => break false,
            sniff::Sniff::NeedMore if whole => break false,
            sniff::Sniff::NeedMore => {}
        }
        let asked = Instant::now();
        let frame = body.frame().await;
        *read += asked.elapsed();
        match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    front.extend_from_slice(&data);
                    let mut take = |piece: &[u8]| {
                        seen.extend_from_slice(&piece[..piece.len().min(sniff::SNIFFED.saturating_sub(seen.len()))]);
                        Ok::<_, super::coding::Error>(())
                    };
                    if decoder.write(&data, &mut take).is_err() {
                        whole = true;
                    }
                }
                Err(_trailers) => whole = true,
            },
            Some(Err(error)) => return Err(OriginError::Body(error).into()),
            None => whole = true,
        }
    };
    body.push_front(front.freeze());
    Ok(found)
}
