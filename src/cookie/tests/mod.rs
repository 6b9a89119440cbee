//! Tests of the whole room: tables of odd spellings, and properties against an oracle and the `cookie` crate.

mod edit;
mod properties;
mod set_cookie;

use super::*;

/// 2026-11-22T00:00:00Z, the present of these tests.
const NOW: UnixTime = UnixTime(1_795_305_600);
