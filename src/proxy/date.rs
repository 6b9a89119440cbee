//! `Date` (RFC 9110 §6.6.1) for answers that have none, written once a second.

use std::cell::RefCell;

use http::HeaderValue;

use crate::cookie::{UnixTime, date};
use crate::telemetry;

thread_local! {
    static LAST: RefCell<(UnixTime, HeaderValue)> = const { RefCell::new((UnixTime(i64::MIN), HeaderValue::from_static(""))) };
}

/// The field's value at this time.
pub(super) fn now() -> HeaderValue {
    let now = telemetry::now();
    LAST.with_borrow_mut(|(second, value)| {
        if *second != now {
            (*second, *value) = (now, HeaderValue::try_from(date::format(now)).expect("digits and ASCII"));
        }
        value.clone()
    })
}
