//! Addresses in `Location` and `Content-Location` that lead round the proxy: an origin that is set up under a name of its
//! own redirects to that, where visitors cannot follow. As nginx does by default (`proxy_redirect`).

use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, HeaderValue};

/// Has what leads to an origin lead to the site, which is asked for as `authority`. `is_origin` knows scheme and authority
/// of an address.
pub fn lead_here(headers: &mut HeaderMap, authority: &str, is_origin: impl Fn(&str, &str) -> bool) {
    for name in [LOCATION, CONTENT_LOCATION] {
        let Some(value) = headers.get(&name) else { continue };
        let Some(rest) = beyond(value.as_bytes(), &is_origin) else { continue };
        // A host and a piece of a value.
        if let Ok(value) = HeaderValue::from_bytes(&[b"https://", authority.as_bytes(), rest].concat()) {
            headers.insert(name, value);
        }
    }
}

/// What follows the authority of an address that leads to an origin.
fn beyond(address: &[u8], is_origin: impl Fn(&str, &str) -> bool) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', address)?;
    let (scheme, rest) = address.split_at(colon);
    let rest = rest.strip_prefix(b"://")?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let text = |bytes| std::str::from_utf8(bytes).ok();
    is_origin(text(scheme)?, text(authority)?).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{head, lines};
    use super::*;

    #[test]
    fn only_what_leads_to_an_origin_is_changed() {
        let is_origin = |scheme: &str, authority: &str| (scheme, authority) == ("http", "app:8080");
        for (given, expected) in [
            ("http://app:8080/cart?a#b", "https://shop.example/cart?a#b"),
            ("http://app:8080", "https://shop.example"),
            ("http://app:8080?a=1", "https://shop.example?a=1"),
            ("https://app:8080/", "https://app:8080/"),
            ("http://app:80801/", "http://app:80801/"),
            ("http://app:8080@evil.example/", "http://app:8080@evil.example/"),
            ("//app:8080/", "//app:8080/"),
            ("/cart", "/cart"),
            ("cart", "cart"),
            ("mailto:tea@shop.example", "mailto:tea@shop.example"),
            ("", ""),
        ] {
            for name in ["location", "content-location"] {
                let mut headers = head(&[(name, given)]);
                lead_here(&mut headers, "shop.example", is_origin);
                assert_eq!(lines(&headers), [format!("{name}: {expected}")]);
            }
        }
    }
}
