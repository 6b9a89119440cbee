//! Amounts of time as people and published cookie policies write them: `90 s`, `1.5 hours`, `2 years, 3 months`,
//! `13 Monate`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::page::texts::{LANGUAGES, Texts};
use crate::policy::{Term, Unit};

/// Why a text states no amount of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    Form,
    NoUnit,
    TooLong,
    /// It states two; how.
    Ambiguous(&'static str),
}

/// What a text states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amounts {
    /// In the order of [`Unit::ALL`].
    whole: [u32; 7],
    /// What is no whole number of any of them.
    rest_ms: u64,
}

impl Amounts {
    /// Numbers and units, each unit shorter than the one before, joined by nothing, a comma or `and`.
    pub(super) fn read(text: &str) -> Result<Self, Unread> {
        // Elsewhere letter case tells nothing.
        if text.split(|c: char| !c.is_alphabetic()).any(|word| word == "M") {
            return Err(Unread::Ambiguous("`M` is a month to some and a minute to others"));
        }
        let lower = text.to_lowercase();
        let mut rest = lower.trim();
        let mut amounts = Self::default();
        let mut last = None;
        while last.is_none() || !rest.is_empty() {
            let (number, after) = number(rest)?;
            let (unit, after) = unit_word(after);
            let rank = match unit {
                "" if last.is_none() => return Err(Unread::NoUnit),
                "m" if last.is_some_and(|last| last < Rank::Unit(Unit::Day)) => {
                    return Err(Unread::Ambiguous("`m` is a minute, and behind a long time may be a month"));
                }
                "j" => return Err(Unread::Ambiguous("`j` is a year in German and a day in French")),
                "t" => return Err(Unread::Ambiguous("`t` is a day in German and a week in Polish")),
                word => rank(word).ok_or(Unread::Form)?,
            };
            if last.is_some_and(|last| last >= rank) {
                return Err(Unread::Form);
            }
            amounts.add(number, rank)?;
            last = Some(rank);
            rest = joined(after);
        }
        Ok(amounts)
    }

    fn add(&mut self, number: Number<'_>, rank: Rank) -> Result<(), Unread> {
        let whole: u64 = number.whole.parse().map_err(|_| Unread::TooLong)?;
        let (fraction, parts) = number.fraction()?;
        let unit_ms = match rank {
            Rank::Millisecond => {
                self.rest_ms = self.rest_ms.checked_add(whole).ok_or(Unread::TooLong)?;
                1
            }
            Rank::Unit(unit) => {
                let amount = &mut self.whole[unit as usize];
                // Half a year may have left months.
                *amount = u32::try_from(whole).ok().and_then(|n| n.checked_add(*amount)).ok_or(Unread::TooLong)?;
                if unit == Unit::Year && (12 * fraction).is_multiple_of(parts) {
                    self.whole[Unit::Month as usize] = (12 * fraction / parts) as u32;
                    return Ok(());
                }
                1_000 * unit.seconds()
            }
        };
        let fine = if unit_ms > 1_000 { 1_000 } else { 1 };
        let rest = (u128::from(fraction) * u128::from(unit_ms)).div_ceil(u128::from(parts) * fine) * fine;
        // Less than one unit.
        self.rest_ms = self.rest_ms.checked_add(rest as u64).ok_or(Unread::TooLong)?;
        Ok(())
    }

    /// As published: months are as long as they can be. `None` if it is not in whole seconds.
    pub(super) fn term(self) -> Option<Term> {
        let term = Term::of(self.whole);
        match self.rest_ms {
            0 => Some(term),
            ms if ms.is_multiple_of(1_000) => Some((term.seconds + ms / 1_000).into()),
            _ => None,
        }
    }

    /// For what must not last longer than was said: twelve months are a year, fewer have 30 days each.
    pub(super) fn milliseconds(self) -> Option<u64> {
        let [years, months, ..] = self.whole.map(u64::from);
        let months = 12 * years + months;
        let exact = [0, 0, self.whole[2], self.whole[3], self.whole[4], self.whole[5], self.whole[6]];
        let calendar = months / 12 * Unit::Year.seconds() + months % 12 * 30 * Unit::Day.seconds();
        (calendar + Term::of(exact).seconds).checked_mul(1_000)?.checked_add(self.rest_ms)
    }
}

/// By length, the longest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Unit(Unit),
    Millisecond,
}

struct Number<'a> {
    whole: &'a str,
    fraction: &'a str,
}

impl Number<'_> {
    /// As so many of so many parts.
    fn fraction(&self) -> Result<(u64, u64), Unread> {
        // More digits tell nothing.
        if self.fraction.len() > 9 {
            return Err(Unread::Form);
        }
        let parts = 10_u64.pow(self.fraction.len() as u32);
        Ok((if parts == 1 { 0 } else { self.fraction.parse().map_err(|_| Unread::Form)? }, parts))
    }
}

/// Digits, perhaps with a fraction, or a word for a number; and what stands behind.
fn number(text: &str) -> Result<(Number<'_>, &str), Unread> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    if whole.is_empty() {
        let (word, rest) = text.split_at(text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len()));
        let known = NUMBERS.iter().find(|(words, _)| words.split(' ').any(|known| known == word));
        let (_, whole) = known.ok_or(Unread::Form)?;
        return Ok((Number { whole, fraction: "" }, rest));
    }
    if let Some(behind) = rest.strip_prefix(['.', ',']) {
        let (fraction, behind) = behind.split_at(digits(behind));
        if fraction.is_empty() {
            return Err(Unread::Form);
        }
        // No group of thousands begins with 0, or has more digits.
        if fraction.len() == 3 && whole.len() <= 3 && !whole.starts_with('0') {
            return Err(Unread::Ambiguous("three digits behind a point or comma may be thousands or a fraction"));
        }
        return Ok((Number { whole, fraction }, behind));
    }
    Ok((Number { whole, fraction: "" }, rest))
}

/// A unit without what often stands at its end (`yr.`, `month(s)`), and what stands behind it.
fn unit_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    // `6-month`
    let text = text.strip_prefix('-').filter(|rest| rest.starts_with(char::is_alphabetic)).unwrap_or(text);
    let end = text.find(|c: char| c.is_whitespace() || c.is_ascii_digit() || ",;+&".contains(c));
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    let word = word.strip_suffix('.').unwrap_or(word);
    let plain = word.strip_suffix(')').and_then(|word| word.split_once('(')).map_or(word, |(word, _)| word);
    (plain, rest)
}

/// What follows a comma or `and`.
fn joined(text: &str) -> &str {
    let mut rest = text.trim_start();
    if let Some(after) = rest.strip_prefix([',', ';', '+', '&']).filter(|after| !after.trim().is_empty()) {
        rest = after.trim_start();
    }
    match rest.split_once(char::is_whitespace) {
        Some((word, after)) if AND.contains(&word) => after.trim_start(),
        _ => rest,
    }
}

fn rank(word: &str) -> Option<Rank> {
    static WORDS: LazyLock<HashMap<String, Unit>> = LazyLock::new(|| words().collect());
    match word {
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Some(Rank::Millisecond),
        word => WORDS.get(word).map(|unit| Rank::Unit(*unit)),
    }
}

/// Every word for a unit, some several times.
fn words() -> impl Iterator<Item = (String, Unit)> {
    let short = UNITS.iter().flat_map(|(words, unit)| words.split(' ').map(|word| (word.to_owned(), *unit)));
    let units = LANGUAGES.iter().flat_map(|tag| Unit::ALL.map(|unit| (Texts::of(tag), unit)));
    let long = units.flat_map(|(texts, unit)| {
        // A form that leaves the number out is no unit.
        let forms = texts.unit(unit).split('|').filter_map(|form| form.strip_prefix("{n} "));
        forms.map(move |form| (form.to_lowercase(), unit))
    });
    short.chain(long)
}

/// What is not in the texts of our pages already, which name each unit in every language that we speak.
const UNITS: [(&str, Unit); 7] = [
    ("y yr yrs jahren jahres año anos", Unit::Year),
    ("mo mos mon mons mth mths month months monaten monat mes meses mese miesiącach", Unit::Month),
    ("w wk wks wochen", Unit::Week),
    ("d tagen dni dia dias", Unit::Day),
    ("h hr hrs std uren", Unit::Hour),
    ("m min mins", Unit::Minute),
    ("s sec secs sek", Unit::Second),
];

const NUMBERS: [(&str, &str); 12] = [
    ("one a an ein eine einem einer un une una uno um uma een één jeden jedna", "1"),
    ("two zwei deux dos due twee dwa dwie dois duas", "2"),
    ("three drei trois tres tre drie trzy três", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six sechs seis sei zes sześć", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve zwölf douze doce dodici twaalf doze", "12"),
];

const AND: [&str; 8] = ["and", "plus", "und", "et", "y", "e", "en", "i"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_reads_back_what_its_page_says() {
        let mut seen = 0;
        for language in LANGUAGES {
            for (unit, place) in Unit::ALL.into_iter().zip(0..) {
                for n in [5, 13, 100] {
                    let mut said = [0; 7];
                    said[place] = n;
                    let text = Texts::of(language).term(Term::of(said));
                    let read = Amounts::read(&text).unwrap().term().unwrap();
                    assert!(read.said().eq([(unit, n)]), "{language}: {text}");
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 9 * 7 * 3);
    }

    #[test]
    fn no_word_is_a_unit_in_one_language_and_another_elsewhere() {
        for (word, unit) in words() {
            assert_eq!(rank(&word), Some(Rank::Unit(unit)), "{word}");
        }
        assert!(words().count() > 9 * 7);
    }
}
