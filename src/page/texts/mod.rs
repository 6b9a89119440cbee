//! What we say to visitors, as data: one file a language, embedded at build, and a site's own words in their place.

mod keys;
mod plural;
mod site;

use std::sync::{Arc, LazyLock};

use super::date::iso;
use crate::cookie::UnixTime;
use crate::policy::{Term, Unit};
pub use keys::{KEYS, Texts};

pub use site::{Refused, SiteTexts};

/// The languages that we speak, the one for everybody else first.
pub const LANGUAGES: [&str; 9] = ["en", "de", "fr", "es", "it", "nl", "pl", "pt", "ar"];

const FILES: [&str; 9] = [
    include_str!("en.json"),
    include_str!("de.json"),
    include_str!("fr.json"),
    include_str!("es.json"),
    include_str!("it.json"),
    include_str!("nl.json"),
    include_str!("pl.json"),
    include_str!("pt.json"),
    include_str!("ar.json"),
];

static ALL: LazyLock<[Arc<Texts>; 9]> =
    LazyLock::new(|| FILES.map(|file| Arc::new(serde_json::from_str(file).expect("a test reads each file"))));

impl Texts {
    /// The texts for a language tag (BCP 47), by its first part; English where we do not speak that.
    pub fn of(language: &str) -> &'static Arc<Self> {
        let first = language.split(['-', '_']).next().unwrap_or_default();
        let index = LANGUAGES.iter().position(|known| known.eq_ignore_ascii_case(first)).unwrap_or(0);
        &ALL[index]
    }

    /// For `dir=`: `rtl` where the language is written from right to left.
    pub fn dir(&self) -> &'static str {
        match self.language.split('-').next() {
            Some("ar" | "fa" | "he" | "ur" | "yi" | "dv" | "ps" | "sd" | "ug" | "ckb") => "rtl",
            _ => "ltr",
        }
    }

    /// The form of `text` (forms parted by `|`) that goes with a number, the number filled in for `{n}`.
    pub fn count(&self, text: &str, n: u64) -> String {
        let index = plural::form(&self.language, n);
        let form = text.split('|').nth(index).or_else(|| text.rsplit('|').next()).unwrap_or_default();
        fill(form, &[("n", &n.to_string())])
    }

    /// Seconds in words, by the largest unit that states them exactly; 0 is a session cookie.
    pub fn duration(&self, seconds: u64) -> String {
        if seconds == 0 {
            return self.until_closed.to_string();
        }
        let units = [Unit::Year, Unit::Day, Unit::Hour, Unit::Minute];
        let unit = units.into_iter().find(|unit| seconds.is_multiple_of(unit.seconds())).unwrap_or(Unit::Second);
        self.count(self.unit(unit), seconds / unit.seconds())
    }

    /// In the units that the policy states it in.
    pub fn term(&self, term: Term) -> String {
        let words: Vec<_> = term.said().map(|(unit, n)| self.count(self.unit(unit), u64::from(n))).collect();
        let words: Vec<_> = words.iter().map(|words| &**words).collect();
        if words.is_empty() { self.duration(term.seconds) } else { self.list(&words) }
    }

    /// The forms of so many of a unit.
    pub fn unit(&self, unit: Unit) -> &str {
        match unit {
            Unit::Year => &self.years,
            Unit::Month => &self.month_count,
            Unit::Week => &self.weeks,
            Unit::Day => &self.days,
            Unit::Hour => &self.hours,
            Unit::Minute => &self.minutes,
            Unit::Second => &self.seconds,
        }
    }

    /// A day, given as `2026-01-31`; anything else as it is.
    pub fn date(&self, iso: &str) -> String {
        let mut parts = iso.splitn(3, '-');
        let (year, month, day) = (parts.next(), parts.next(), parts.next());
        let month = month.and_then(|month| self.months.split('|').nth(month.parse::<usize>().ok()?.checked_sub(1)?));
        match (year, month, day) {
            (Some(year), Some(month), Some(day)) => {
                fill(&self.date, &[("day", day.trim_start_matches('0')), ("month", month), ("year", year)])
            }
            _ => iso.to_owned(),
        }
    }

    /// The day of a time in UTC.
    pub fn day(&self, time: UnixTime) -> String {
        self.date(&iso(time))
    }

    /// The text with one thing put in.
    pub fn put(&self, text: &str, name: &str, value: &str) -> String {
        fill(text, &[(name, value)])
    }

    /// `A`, `A and B`, `A, B and C`.
    pub fn list(&self, words: &[&str]) -> String {
        match words {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [most @ .., last] => fill(&self.list_and, &[("list", &most.join(&self.list_comma)), ("last", last)]),
        }
    }
}

/// The text with each `{name}` replaced. What was put in is not looked at again.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after
            .split_once('}')
            .and_then(|(name, rest)| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, rest)));
        rest = match value {
            Some((value, after)) => {
                filled.push_str(value);
                after
            }
            None => {
                filled.push('{');
                after
            }
        };
    }
    filled.push_str(rest);
    filled
}

/// The names in braces, sorted.
fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<_> =
        text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests;
