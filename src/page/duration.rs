//! Lifetimes in words, as cookie policies state them.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// The largest unit that states the seconds exactly; 0 is a session cookie.
pub fn words(seconds: u64) -> String {
    if seconds == 0 {
        return "until you close the browser".into();
    }
    let units = [(YEAR, "year"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second")];
    let (unit, name) = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit)).unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_exact() {
        for (seconds, text) in [
            (0, "until you close the browser"),
            (1, "1 second"),
            (90, "90 seconds"),
            (1_800, "30 minutes"),
            (129_600, "36 hours"),
            (86_400, "1 day"),
            (7_776_000, "90 days"),
            (31_536_000, "1 year"),
            (63_072_000, "2 years"),
        ] {
            assert_eq!(words(seconds), text);
        }
    }
}
