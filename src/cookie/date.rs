//! The dates of `Expires`: read as leniently as browsers do (RFC 6265bis §5.6.1), written as IMF-fixdate (RFC 9110 §5.6.7).
//!
//! A parser that is stricter than browsers turns the deletion of a cookie into a session cookie.

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// This many seconds later; stops at the end of time instead of wrapping.
    pub fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add_unsigned(seconds))
    }

    /// This many seconds earlier; stops at the beginning of time.
    pub fn before(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(seconds))
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const DAY: i64 = 86_400;

/// The time that a browser reads out of a cookie-date; `None` where it would ignore the attribute.
pub fn parse(text: &[u8]) -> Option<UnixTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)) {
        // The order of the tests matters: `12` is a day before it is a year. Each is found once; later tokens are noise.
        let _ = fill(&mut time, || time_of(token))
            || fill(&mut day, || number(token, 1, 2))
            || fill(&mut month, || month_of(token))
            || fill(&mut year, || number(token, 2, 4));
    }
    let ((hour, minute, second), day, month) = (time?, day?, month?);
    let year = match year? {
        y @ 0..=69 => y + 2000,
        y @ 70..=99 => y + 1900,
        y => y,
    };
    let exists = year >= 1601 && (1..=days_in(year, month)).contains(&day);
    if !exists || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(UnixTime(days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second))
}

/// An IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT`. Years outside 1601 to 9999, which the form cannot carry
/// or no browser would read back, become the nearest moment inside.
pub fn format(time: UnixTime) -> String {
    const FIRST: i64 = -11_644_473_600;
    const LAST: i64 = 253_402_300_799;
    let time = time.0.clamp(FIRST, LAST);
    let (days, second) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    // 1970-01-01 was a Thursday.
    let weekday = WEEKDAYS[(days + 4).rem_euclid(7) as usize];
    let month = MONTHS[(month - 1) as usize];
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn fill<T>(slot: &mut Option<T>, find: impl FnOnce() -> Option<T>) -> bool {
    if slot.is_some() {
        return false;
    }
    *slot = find();
    slot.is_some()
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `min` to `max` digits, then the end or anything that is no digit.
fn number(token: &[u8], min: usize, max: usize) -> Option<i64> {
    leading_number(token, min, max).map(|(value, _)| value)
}

fn leading_number(token: &[u8], min: usize, max: usize) -> Option<(i64, &[u8])> {
    let digits = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(min..=max).contains(&digits) {
        return None;
    }
    let (number, rest) = token.split_at(digits);
    Some((number.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')), rest))
}

fn time_of(token: &[u8]) -> Option<(i64, i64, i64)> {
    let (hour, rest) = leading_number(token, 1, 2)?;
    let (minute, rest) = leading_number(rest.strip_prefix(b":")?, 1, 2)?;
    let (second, _) = leading_number(rest.strip_prefix(b":")?, 1, 2)?;
    Some((hour, minute, second))
}

fn month_of(token: &[u8]) -> Option<i64> {
    let start = token.get(..3)?;
    let index = MONTHS.iter().position(|month| start.eq_ignore_ascii_case(month.as_bytes()))?;
    Some(index as i64 + 1)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Counts years from March, so that the leap day is the last day of a year.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_as_browsers_read_them() {
        const NOV: i64 = 784_111_777;
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06-Nov-1994 08:49:37 UTC",
            "6 nov 1994 8:49:37",
            "06 November 1994 08:49:37 +0000",
            // The zone is noise: all cookie-dates are UTC.
            "06 Nov 1994 08:49:37 PST",
            "1994/Nov/06 08:49:37",
            "08:49:37 06 NOVEMBRE 94",
            "\t;;06!!Nov@@1994~08:49:37",
            "06th Nov 1994 08:49:37.123",
            "06 Nov 1994th 08:49:37 12 Dec 2020 10:00:00",
            "06 Nov 094 08:49:37",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(UnixTime(NOV)), "{text}");
        }
        for (text, time) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 01-Jan-70 00:00:01 GMT", 1),
            ("01 Jan 1601 00:00:00", -11_644_473_600),
            ("29 Feb 2000 00:00:00", 951_782_400),
            ("01 Jan 69 00:00:00", 3_124_224_000),
            ("31 Dec 9999 23:59:59", 253_402_300_799),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(UnixTime(time)), "{text}");
        }
    }

    #[test]
    fn dates_that_browsers_ignore_are_none() {
        for text in [
            "",
            "0",
            "-1",
            "Session",
            "Sun, 06 Nov 1994",
            "06 Nov 1994 08:49",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 08:60:00",
            "06 Nov 1994 08:00:60",
            "31 Nov 1994 08:49:37",
            "29 Feb 1900 08:49:37",
            "29 Feb 2023 08:49:37",
            "00 Nov 1994 08:49:37",
            "32 Nov 1994 08:49:37",
            "06 Nov 1600 08:49:37",
            "06 Nov 19940 08:49:37",
            "06 Nov 4 08:49:37",
            "006 Nov 1994 08:49:37",
            "06 No 1994 08:49:37",
            "06 Nov 1994 008:49:37",
            "06\u{a0}Nov\u{a0}1994\u{a0}08:49:37",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn format_is_imf_fixdate_and_stays_readable() {
        assert_eq!(format(UnixTime(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(format(UnixTime(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(format(UnixTime(i64::MAX)), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(format(UnixTime(i64::MIN)), "Mon, 01 Jan 1601 00:00:00 GMT");
    }

    proptest! {
        #[test]
        fn parse_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_is_written_is_read_back(time in -11_644_473_600_i64..=253_402_300_799) {
            prop_assert_eq!(parse(format(UnixTime(time)).as_bytes()), Some(UnixTime(time)));
        }
    }
}
