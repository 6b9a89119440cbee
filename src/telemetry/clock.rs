//! The wall clock: the only place that reads it. Decisions take `now` as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cookie::UnixTime;

/// Seconds since the epoch.
pub fn now() -> UnixTime {
    #[expect(clippy::disallowed_methods, reason = "this is the edge that the others are given `now` from")]
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(elapsed.as_secs() as i64)
}
