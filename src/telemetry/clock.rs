//! The wall clock: the only place that reads it. Decisions take `now` as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::cookie::UnixTime;

/// Seconds since the epoch.
pub fn now() -> UnixTime {
    UnixTime(elapsed().as_secs() as i64)
}

/// Nanoseconds since the epoch, until the year 2554.
pub(super) fn nanoseconds() -> u64 {
    elapsed().as_nanos() as u64
}

fn elapsed() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that the others are given `now` from")]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
