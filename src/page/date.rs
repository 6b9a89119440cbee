//! Days as visitors read them.

use crate::cookie::{UnixTime, date};

/// The day of a time in UTC, such as `22 Nov 2026`.
pub fn day(time: UnixTime) -> String {
    // `Sun, 22 Nov 2026 02:36:34 GMT`: RFC 9110 fixes the columns.
    let text = date::format(time);
    text.get(5..16).unwrap_or(&text).to_owned()
}

/// The same as `2026-11-22`.
pub(super) fn iso(time: UnixTime) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let text = day(time);
    let mut parts = text.split(' ');
    let (day, month, year) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.find(month)).map_or(1, |at| at / 3 + 1);
    format!("{}-{month:02}-{}", year.unwrap_or_default(), day.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_readable() {
        assert_eq!(day(UnixTime(0)), "01 Jan 1970");
        assert_eq!(day(UnixTime(1_795_314_994)), "22 Nov 2026");
        assert_eq!(iso(UnixTime(1_795_314_994)), "2026-11-22");
    }
}
