//! How often visitors grant what: counted when a choice is kept, by the hour, so that a change can be seen.

use std::collections::{BTreeMap, VecDeque};

use crate::cookie::UnixTime;

/// Seconds that are counted together.
pub const HOUR: i64 = 3600;
/// Hours that are told apart: a week. Older ones are in the sums alone.
const HOURS: usize = 7 * 24;

/// One choice of one visitor.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// `accept-all`, `withdraw`, …: one of our own words.
    pub method: &'static str,
    /// Keys of categories that may be refused, and whether each was granted.
    pub categories: &'a [(&'a str, bool)],
    /// When.
    pub now: UnixTime,
}

/// Granted and refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// How often it was granted.
    pub granted: u64,
    /// How often it was not.
    pub refused: u64,
}

/// The choices of a site since the start. Keys come from its policy, so there are few.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// How they were made.
    pub methods: BTreeMap<&'static str, u64>,
    /// What was chosen, by category.
    pub categories: BTreeMap<Box<str>, Answers>,
    /// The same by the hour in which it was, since 1970; oldest first, hours without choices left out.
    pub hours: VecDeque<(i64, BTreeMap<Box<str>, Answers>)>,
}

impl Answers {
    fn count(&mut self, granted: bool) {
        if granted {
            self.granted += 1;
        } else {
            self.refused += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.granted += other.granted;
        self.refused += other.refused;
    }

    /// The part that granted.
    pub fn rate(self) -> Option<f64> {
        let all = self.granted + self.refused;
        (all > 0).then(|| self.granted as f64 / all as f64)
    }
}

impl Choices {
    pub(super) fn add(&mut self, chosen: Chosen<'_>) {
        *self.methods.entry(chosen.method).or_default() += 1;
        let hour = chosen.now.0.div_euclid(HOUR);
        // A clock that was set back counts in the hour that there is.
        if self.hours.back().is_none_or(|(last, _)| *last < hour) {
            self.hours.push_back((hour, BTreeMap::new()));
            if self.hours.len() > HOURS {
                self.hours.pop_front();
            }
        }
        for (key, granted) in chosen.categories {
            self.categories.entry((*key).into()).or_default().count(*granted);
            if let Some((_, last)) = self.hours.back_mut() {
                last.entry((*key).into()).or_default().count(*granted);
            }
        }
    }

    /// Adds what another worker counted.
    pub fn merge(&mut self, other: &Self) {
        for (method, count) in &other.methods {
            *self.methods.entry(method).or_default() += count;
        }
        for (key, answers) in &other.categories {
            self.categories.entry(key.clone()).or_default().add(*answers);
        }
        for (hour, categories) in &other.hours {
            let at = self.hours.partition_point(|(known, _)| known < hour);
            if self.hours.get(at).is_none_or(|(known, _)| known != hour) {
                self.hours.insert(at, (*hour, BTreeMap::new()));
            }
            for (key, answers) in categories {
                self.hours[at].1.entry(key.clone()).or_default().add(*answers);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_counted_by_category_and_hour() {
        let choose = |choices: &mut Choices, hour: i64, granted: bool| {
            let categories = [("analytics", granted), ("marketing", false)];
            let method = if granted { "custom" } else { "reject-all" };
            choices.add(Chosen { method, categories: &categories, now: UnixTime(hour * HOUR + 7) });
        };
        let (mut one, mut two) = (Choices::default(), Choices::default());
        choose(&mut one, 10, true);
        choose(&mut one, 12, false);
        choose(&mut two, 11, true);
        choose(&mut two, 12, true);
        one.merge(&two);
        assert_eq!(one.methods, BTreeMap::from([("custom", 3), ("reject-all", 1)]));
        assert_eq!(one.categories["analytics"], Answers { granted: 3, refused: 1 });
        assert_eq!(one.categories["marketing"].rate(), Some(0.0));
        let hours: Vec<_> = one.hours.iter().map(|(hour, of)| (*hour, of["analytics"].granted)).collect();
        assert_eq!(hours, [(10, 1), (11, 1), (12, 1)]);
    }

    #[test]
    fn a_week_is_remembered() {
        let mut choices = Choices::default();
        for hour in 0..1000 {
            choices.add(Chosen { method: "custom", categories: &[("a", true)], now: UnixTime(hour * HOUR) });
        }
        assert_eq!((choices.hours.len(), choices.hours[0].0), (168, 832));
        assert_eq!(choices.categories["a"].granted, 1000);
    }
}
