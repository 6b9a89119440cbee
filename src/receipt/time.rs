//! Times as records hold them: RFC 3339 in UTC, to the second, so that they sort as text.

use crate::cookie::UnixTime;
use crate::cookie::date::{civil_from_days, days_from_civil};

const DAY: i64 = 86_400;
/// What four digits of a year can carry.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// `2026-11-22T05:53:55Z`. Years outside 0 to 9999 become the nearest moment inside.
pub fn stamp(time: UnixTime) -> String {
    let time = time.0.clamp(FIRST, LAST);
    let (days, second) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Reads what [`stamp`] writes, or a day alone, which is its first second. `None` for anything else.
pub fn day_or_time(text: &str) -> Option<UnixTime> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten()
    };
    let days = days_from_civil(number(0..4)?, number(5..7)?, number(8..10)?);
    let second = match text.len() {
        10 => 0,
        _ => number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?,
    };
    let time = UnixTime(days * DAY + second);
    // Whatever is not there, such as 30 February or a missing colon, reads back as something else.
    let whole = stamp(time);
    (whole == text || text.len() == 10 && whole.starts_with(text)).then_some(time)
}

/// For serde: a time as its stamp.
pub(super) mod text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{day_or_time, stamp};
    use crate::cookie::UnixTime;

    pub(crate) fn serialize<S: Serializer>(time: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&stamp(*time))
    }

    pub(crate) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<UnixTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        day_or_time(&text).filter(|_| text.len() > 10).ok_or_else(|| D::Error::custom("not a time in UTC"))
    }
}
