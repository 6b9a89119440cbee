//! Durations as people and published cookie policies write them: `90 s`, `6 months`, `session`.

use std::time::Duration;

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
    #[error("`{0}` is not in whole seconds")]
    Fraction(String),
}

/// Reads a number and a unit. A month has 30 days, a year 365.
pub(super) fn parse(text: &str) -> Result<Duration, Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Error::Form(text.to_owned()));
    }
    let number: u64 = number.parse().map_err(|_| Error::TooLong(text.to_owned()))?;
    let seconds = match &*unit.trim().to_ascii_lowercase() {
        "ms" | "millisecond" | "milliseconds" => return Ok(Duration::from_millis(number)),
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "month" | "months" => 30 * DAY,
        "y" | "year" | "years" => 365 * DAY,
        "" => return Err(Error::Unit(text.to_owned())),
        _ => return Err(Error::Form(text.to_owned())),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| Error::TooLong(text.to_owned()))
}

/// Reads the lifetime of a cookie in seconds: 0 for `session`, `None` for `undefined`.
pub(super) fn parse_lifetime(text: &str) -> Result<Option<u64>, Error> {
    match &*text.to_ascii_lowercase() {
        "session" => return Ok(Some(0)),
        "undefined" => return Ok(None),
        _ => {}
    }
    let duration = parse(text)?;
    if duration.subsec_nanos() != 0 {
        return Err(Error::Fraction(text.to_owned()));
    }
    Ok(Some(duration.as_secs()))
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
    fn lifetimes() {
        for (text, seconds) in [
            ("session", Some(0)),
            ("Session", Some(0)),
            ("undefined", None),
            ("90 s", Some(90)),
            ("15 minutes", Some(900)),
            ("12 hours", Some(43_200)),
            ("7 days", Some(604_800)),
            ("6 months", Some(180 * DAY)),
            ("1 year", Some(365 * DAY)),
            ("2 Years", Some(730 * DAY)),
            ("540 days", Some(540 * DAY)),
            ("30s", Some(30)),
            ("5m", Some(300)),
            ("2h", Some(7_200)),
            ("1d", Some(DAY)),
            ("2 weeks", Some(14 * DAY)),
            ("1000 ms", Some(1)),
        ] {
            assert_eq!(parse_lifetime(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in ["", "s", "-1 s", "1.5 h", "1 fortnight", "1 s s", "1 hour 5 minutes", "forever", "٣ days"] {
            assert!(matches!(parse(text), Err(Error::Form(_))), "{text}");
        }
        assert!(matches!(parse("30"), Err(Error::Unit(_))));
        assert!(matches!(parse("99999999999999999999 s"), Err(Error::TooLong(_))));
        assert!(matches!(parse("18446744073709551615 years"), Err(Error::TooLong(_))));
        assert!(matches!(parse_lifetime("5 ms"), Err(Error::Fraction(_))));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(ms in 0..u64::from(u32::MAX)) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse(&show(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse_lifetime(&text);
        }
    }
}
