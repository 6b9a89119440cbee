//! The cookies that the shop sets: a session without flags, and trackers that nobody was asked about.

use std::fmt::Write as _;

use cookie::Cookie;
use cookie::time::OffsetDateTime;
use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use super::session::token;

/// The session, named as PHP names it.
pub(super) const SESSION: &str = "PHPSESSID";
/// Double-submitted by scripts, which therefore must be able to read it.
pub(super) const CSRF: &str = "XSRF-TOKEN";
/// How many things are in the cart, for scripts and for caches of the old days.
pub(super) const CART: &str = "cart_items";

/// The value of a cookie that came with the request.
pub(super) fn received<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// `Set-Cookie` lines in the order in which they will stand.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<HeaderValue>);

impl Lines {
    /// Adds a line; the shop writes ASCII only.
    pub(super) fn push(&mut self, line: &str) {
        self.0.push(HeaderValue::from_str(line).expect("the shop's cookies are ASCII"));
    }

    /// Adds a cookie for the browser's session, as PHP writes it: no flags at all.
    pub(super) fn session(&mut self, name: &str, value: &str) {
        self.push(&format!("{name}={value}; path=/"));
    }

    /// Deletes a cookie, as PHP does.
    pub(super) fn delete(&mut self, name: &str) {
        self.push(&format!("{name}=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/"));
    }

    /// Adds the trackers that the visitor does not carry yet.
    pub(super) fn trackers(&mut self, headers: &HeaderMap, now: u64) {
        let random = u64::from_str_radix(&token()[..8], 16).unwrap_or_default();
        if received(headers, "_ga").is_none() {
            self.push(&format!("_ga=GA1.1.{random}.{now}; Max-Age=63072000; Path=/"));
        }
        if received(headers, "_fbp").is_none() {
            let in_90_days = i64::try_from(now).unwrap_or_default() + 90 * 86_400;
            let expires = OffsetDateTime::from_unix_timestamp(in_90_days).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let cookie = Cookie::build(("_fbp", format!("fb.1.{now}000.{random}"))).path("/").expires(expires);
            self.push(&cookie.build().to_string());
        }
        if received(headers, "partner_ref").is_none() {
            self.push(&format!("partner_ref=tea-{:x}; Max-Age=31536000; Path=/", random & 0xffff));
        }
    }

    /// Writes every cookie as a line of its own.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        for line in self.0 {
            headers.append(SET_COOKIE, line);
        }
    }
}

/// The head of a request as text: what the origin really got.
pub(super) fn head(parts: &http::request::Parts) -> String {
    let mut text = format!("{} {} {:?}\n", parts.method, parts.uri, parts.version);
    for (name, value) in &parts.headers {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    text
}
