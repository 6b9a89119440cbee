//! Values that are numbers: whole ones, lengths of time, sizes.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::reading::Item;
use super::tree::Value;
use super::{duration, lifetime, size};
use crate::policy::Term;

impl Item<'_> {
    /// A whole number, from `range`.
    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let number = match &self.node.value {
            Value::Number(number) => number.replace('_', "").parse::<u64>().ok(),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            Some(number) => self.fail(format!("{number} is not from {} to {}", range.start(), range.end())),
            None => self.no_integer(&range),
        }
    }

    /// Says what is wrong with it, and the number that was meant.
    fn no_integer<T>(&self, range: &RangeInclusive<u64>) -> Option<T> {
        let (Value::Number(text) | Value::Text(text)) = &self.node.value else {
            return self.expected("a whole number");
        };
        let (from, to) = (range.start(), range.end());
        let plain = |text: &str| text.trim().replace(['_', ',', ' '], "").parse::<u64>().ok();
        let lower = text.to_ascii_lowercase();
        let thousands = [("k", 1_000), ("m", 1_000_000)];
        let meant = thousands.into_iter().find_map(|(sign, unit)| plain(lower.strip_suffix(sign)?)?.checked_mul(unit));
        match meant.or_else(|| plain(text)).filter(|meant| range.contains(meant)) {
            Some(meant) => {
                let quotes = if **text == *meant.to_string() { ", without quotes" } else { "" };
                let hint = format!("write `{meant}`{quotes}");
                self.fail_with(format!("expected a whole number, found `{text}`"), hint)
            }
            None if text.trim().strip_prefix('-').is_some_and(|text| plain(text).is_some()) => {
                self.fail(format!("{text} is not from {from} to {to}"))
            }
            None => {
                let hint = format!("write digits only, a number from {from} to {to}");
                self.fail_with(format!("expected a whole number, found `{text}`"), hint)
            }
        }
    }

    /// A time limit, from `range`.
    pub(super) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let value = self.parse(duration::parse)?;
        if range.contains(&value) {
            return Some(value);
        }
        let (from, to) = (duration::show(*range.start()), duration::show(*range.end()));
        self.fail(format!("`{}` is not from {from} to {to}", self.text()?))
    }

    /// A cookie's lifetime: of 0 seconds for `session`, inner `None` for `undefined`.
    #[expect(clippy::option_option, reason = "the outer one says whether it was readable")]
    pub(super) fn lifetime(&self) -> Option<Option<Term>> {
        match lifetime::parse(self.text()?) {
            Ok(term) => Some(term),
            Err(error @ lifetime::Error::Form(_)) => self.fail_with(error.to_string(), lifetime::FORM),
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// A number of bytes, from `range`.
    pub(super) fn size(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.parse(size::parse)?;
        if range.contains(&value) {
            return Some(value);
        }
        let (from, to) = (size::show(*range.start()), size::show(*range.end()));
        self.fail(format!("`{}` is not from {from} to {to}", self.text()?))
    }
}
