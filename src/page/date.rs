//! Days as visitors read them.

use crate::cookie::{UnixTime, date};

/// The day of a time in UTC, such as `22 Nov 2026`.
pub fn day(time: UnixTime) -> String {
    // `Sun, 22 Nov 2026 02:36:34 GMT`: RFC 9110 fixes the columns.
    let text = date::format(time);
    text.get(5..16).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_readable() {
        assert_eq!(day(UnixTime(0)), "01 Jan 1970");
        assert_eq!(day(UnixTime(1_795_314_994)), "22 Nov 2026");
    }
}
