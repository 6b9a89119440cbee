//! How long something lives, in the amounts that a policy states: `13 months` stays that on the published page.

const DAY: u64 = 86_400;

/// The days of so many months at the most, e.g. July and August for two. A cookie that keeps its word is not shortened,
/// whichever month it is set in.
const DAYS_OF_MONTHS: [u64; 12] = [0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337];

/// A length of time, and how it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// 0 ends with the browser's session.
    pub seconds: u64,
    /// In the order of [`Unit::ALL`]; all 0 where only the seconds are known.
    said: [u32; 7],
}

/// What lengths of time are stated in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    /// The longest first.
    pub const ALL: [Self; 7] = [Self::Year, Self::Month, Self::Week, Self::Day, Self::Hour, Self::Minute, Self::Second];

    /// Its length in seconds; of months the longest, of years the common one.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Year => 365 * DAY,
            Self::Month => 31 * DAY,
            Self::Week => 7 * DAY,
            Self::Day => DAY,
            Self::Hour => 3_600,
            Self::Minute => 60,
            Self::Second => 1,
        }
    }
}

impl Term {
    /// So much of each of [`Unit::ALL`]. Twelve months are a year; fewer are as long as so many can be.
    pub fn of(said: [u32; 7]) -> Self {
        let [years, months, rest @ ..] = said.map(u64::from);
        let months = 12 * years + months;
        let calendar = months / 12 * Unit::Year.seconds() + DAYS_OF_MONTHS[(months % 12) as usize] * DAY;
        let exact = Unit::ALL[2..].iter().zip(rest).map(|(unit, amount)| amount * unit.seconds());
        Self { seconds: calendar + exact.sum::<u64>(), said }
    }

    /// What it was stated in, the longest unit first; nothing where only the seconds are known.
    pub fn said(self) -> impl Iterator<Item = (Unit, u32)> {
        Unit::ALL.into_iter().zip(self.said).filter(|(_, amount)| *amount > 0)
    }
}

impl From<u64> for Term {
    fn from(seconds: u64) -> Self {
        Self { seconds, said: [0; 7] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_as_long_as_the_longest_of_the_calendar() {
        let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (count, most) in DAYS_OF_MONTHS.into_iter().enumerate() {
            let longest = (0..12).map(|from| (from..from + count).map(|month| days[month % 12]).sum::<u64>()).max();
            assert_eq!(longest, Some(most), "{count} months");
        }
        for (years, months, days) in [(0, 12, 365), (0, 24, 730), (0, 13, 396), (1, 1, 396), (0, 18, 549), (1, 6, 549)]
        {
            assert_eq!(Term::of([years, months, 0, 0, 0, 0, 0]).seconds, days * DAY, "{years} years {months} months");
        }
    }

    #[test]
    fn nothing_that_can_be_said_is_too_long() {
        assert_eq!(Term::of([u32::MAX; 7]).said().count(), 7);
    }
}
