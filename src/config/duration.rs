//! Time limits: `90 s`, `15 minutes`, `6 months`.

use std::time::Duration;

use super::amounts::{Amounts, Unread};

const DAY: u64 = 86_400;

/// Why a duration is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("`{0}` is no duration; write a number and a unit, e.g. `30 s`, `15 minutes`, `6 months`, `1 year`")]
    Form(String),
    #[error("`{0}` has no unit; write e.g. `{0} s` or `{0} days`")]
    Unit(String),
    #[error("`{0}` is too long")]
    TooLong(String),
    #[error("`{0}` can be read in two ways: {1}")]
    Ambiguous(String, &'static str),
}

impl Error {
    pub(super) fn new(text: &str, why: Unread) -> Self {
        match why {
            Unread::Form => Self::Form(text.to_owned()),
            Unread::NoUnit => Self::Unit(text.to_owned()),
            Unread::TooLong => Self::TooLong(text.to_owned()),
            Unread::Ambiguous(why) => Self::Ambiguous(text.to_owned(), why),
        }
    }
}

/// Reads numbers and units.
pub(super) fn parse(text: &str) -> Result<Duration, Error> {
    let amounts = Amounts::read(text).map_err(|why| Error::new(text, why))?;
    amounts.milliseconds().map(Duration::from_millis).ok_or_else(|| Error::TooLong(text.to_owned()))
}

/// In the largest unit that needs no fraction; milliseconds at the least.
pub(super) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        _ if duration.subsec_nanos() != 0 => format!("{} ms", duration.as_millis()),
        _ if seconds >= DAY && seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
        _ if seconds >= 3_600 && seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("1000 ms", 1_000),
            ("5 ms", 5),
            ("30s", 30_000),
            ("0.5 s", 500),
            ("0.125 s", 125),
            ("1.25 s", 1_250),
            ("1000.125 s", 1_000_125),
            ("1.5 h", 5_400_000),
            ("5m", 300_000),
            ("10 mins", 600_000),
            ("1 hour 5 minutes", 3_900_000),
            ("2 h, 30 s and 5 ms", 7_230_005),
            ("6 months", 180 * 86_400_000),
            ("12 months", 365 * 86_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in [
            "",
            "s",
            "-1 s",
            "1. h",
            "1 fortnight",
            "1 s s",
            "1 s 1 s",
            "5 minutes 1 hour",
            "1 hour 5",
            "1 hour and",
            "forever",
            "٣ days",
            "session",
            "0.1234567891 s",
        ] {
            assert!(matches!(parse(text), Err(Error::Form(_))), "{text}");
        }
        assert!(matches!(parse("30"), Err(Error::Unit(_))));
        for text in ["1,000 days", "1.095 days", "100.000 s", "1.000.000 s", "1 y 6 m", "6 M", "30 j", "2 T"] {
            assert!(matches!(parse(text), Err(Error::Ambiguous(..))), "{text}: {:?}", parse(text));
        }
        for text in
            ["99999999999999999999 s", "18446744073709551615 years", "4294967296 years", "18446744073709551616 ms"]
        {
            assert!(matches!(parse(text), Err(Error::TooLong(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(ms in 0..u64::from(u32::MAX)) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse(&show(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in "\\PC*|[0-9]{0,30}[.,]?[0-9]{0,12} ?(years|ms|s|m)( [0-9]{0,12} ?(months|min))?") {
            let _ = parse(&text);
        }
    }
}
