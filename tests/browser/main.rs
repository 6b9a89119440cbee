//! The demo in real headless Chromium: what a visitor's browser fetches, keeps and shows. One file a concern.
//!
//! Needs Debian's `chromium` and `chromium-driver`. Nothing here leaves the machine: every host but `localhost`
//! is a server of the test that counts who was asked for what.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

#[path = "../support/certificates.rs"]
#[expect(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
mod certificates;
mod elsewhere;
mod live;
mod looks;
mod program;
mod session;
mod trackers;
mod visitor;
