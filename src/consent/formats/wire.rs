//! How values are written: percent-encoded up to twice, JSON raw or in base64, moments as text or numbers.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::cookie::UnixTime;

/// No tool nests deeper than four.
const MAX_DEPTH: usize = 16;

/// What `parse` makes of the value as it is, or decoded once or twice: of the first form that it understands.
pub(super) fn decoded<T>(value: &[u8], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut form = Cow::Borrowed(value);
    for _ in 0..3 {
        if let Some(found) = std::str::from_utf8(&form).ok().and_then(&parse) {
            return Some(found);
        }
        if !form.contains(&b'%') {
            return None;
        }
        form = Cow::Owned(percent_decode(&form).collect());
    }
    None
}

/// A percent-decoded text, with whatever is no UTF-8 replaced.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    percent_decode(text.as_bytes()).decode_utf8_lossy()
}

/// A JSON value of a depth that a tool would write.
pub(super) fn json(text: &str) -> Option<Value> {
    is_shallow(text).then(|| serde_json::from_str(text).ok()).flatten()
}

/// A JSON object, however it was encoded.
pub(super) fn object(value: &[u8]) -> Option<Map<String, Value>> {
    decoded(value, |text| match json(text)? {
        Value::Object(map) => Some(map),
        _ => None,
    })
}

/// A JSON object in base64, of either alphabet, padded or not.
pub(super) fn base64_object(value: &[u8]) -> Option<Map<String, Value>> {
    decoded(value, |text| {
        let bytes = base64(text)?;
        match json(std::str::from_utf8(&bytes).ok()?)? {
            Value::Object(map) => Some(map),
            _ => None,
        }
    })
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

fn is_shallow(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    true
}

/// The texts of a JSON list.
pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The first of these keys that holds a moment.
pub(super) fn moment(map: &Map<String, Value>, keys: &[&str]) -> Option<UnixTime> {
    keys.iter().find_map(|key| match map.get(*key)? {
        Value::String(text) => iso(text),
        number => Some(from_epoch(number.as_i64().or_else(|| Some(number.as_f64()? as i64))?)),
    })
}

/// Seconds or milliseconds since 1970, which no tool is old enough to mix up.
pub(super) fn from_epoch(number: i64) -> UnixTime {
    const MILLISECONDS: i64 = 100_000_000_000;
    UnixTime(if number >= MILLISECONDS { number / 1000 } else { number })
}

/// `2021-10-19T03:31:41.236Z` (RFC 3339, and always UTC where JavaScript writes it).
pub(super) fn iso(text: &str) -> Option<UnixTime> {
    let digits = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let fits = |at: usize, mark: u8| text.as_bytes().get(at) == Some(&mark);
    if !(fits(4, b'-') && fits(7, b'-') && (fits(10, b'T') || fits(10, b' ')) && fits(13, b':') && fits(16, b':')) {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    let possible = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    // Days since 1970, with years that begin in March.
    let (shifted, moved) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (moved * 153 + 2) / 5 + day - 1 - 719_468;
    possible.then_some(UnixTime(days * 86_400 + hour * 3600 + minute * 60 + second))
}

/// A bit string as the IAB writes one: six bits a character, the most significant first.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a>(&'a [u8]);

impl<'a> Bits<'a> {
    /// `None` if there is a character that stands for no six bits.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        let text = text.trim_end_matches('=').as_bytes();
        text.iter().all(|byte| sextet(*byte).is_some()).then_some(Self(text))
    }

    pub(super) fn len(self) -> usize {
        self.0.len() * 6
    }

    /// An unsigned number of `width` bits, of which there are at most 36.
    pub(super) fn number(self, at: usize, width: usize) -> Option<u64> {
        if at.checked_add(width)? > self.len() {
            return None;
        }
        (at..at + width).try_fold(0, |number, bit| Some(number << 1 | u64::from(self.bit(bit)?)))
    }

    /// Whether nothing but padding stands from here on.
    pub(super) fn is_zero_from(self, at: usize) -> bool {
        (at..self.len()).all(|bit| self.bit(bit) == Some(false))
    }

    pub(super) fn bit(self, at: usize) -> Option<bool> {
        let bits = sextet(*self.0.get(at / 6)?)?;
        Some(bits >> (5 - at % 6) & 1 == 1)
    }
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' | b'+' => Some(62),
        b'_' | b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (text, time) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2021-10-19T03:31:41.236Z", Some(1_634_614_301)),
            ("2024-02-29T23:59:59Z", Some(1_709_251_199)),
            ("2000-03-01 00:00:00", Some(951_868_800)),
            ("2021-13-19T03:31:41Z", None),
            ("2021-10-19", None),
            ("", None),
            ("202\u{e9}-10-19T03:31:41Z", None),
        ] {
            assert_eq!(iso(text), time.map(UnixTime), "{text}");
        }
        assert_eq!(from_epoch(1_634_614_301_236), from_epoch(1_634_614_301));
    }

    #[test]
    fn values_are_decoded_at_most_twice() {
        let is_plain = |text: &str| (text == "a b").then_some(());
        for (value, found) in [("a b", true), ("a%20b", true), ("a%2520b", true), ("a%252520b", false), ("%", false)] {
            assert_eq!(decoded(value.as_bytes(), is_plain).is_some(), found, "{value}");
        }
        assert_eq!(decoded(b"%ff%fe", is_plain), None);
    }

    #[test]
    fn deep_json_is_not_read() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(&nested(MAX_DEPTH)).is_some());
        assert!(json(&nested(MAX_DEPTH + 1)).is_none());
        assert!(json("\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"").is_some(), "text is not nested");
    }
}
