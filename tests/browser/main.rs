//! The demo, and sites of single tests, in real headless Chromium: what a visitor's browser fetches, keeps and shows. One file a concern.
//!
//! Needs Debian's `chromium` and `chromium-driver`. Nothing here leaves the machine: every host but `localhost`
//! is a server of the test that counts who was asked for what.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

mod access;
mod banner;
mod bridge;
mod elsewhere;
mod gating;
mod guard;
mod live;
mod looks;
mod operator;
mod placeholder;
mod program;
mod session;
#[path = "../support/mod.rs"]
mod support;
mod trackers;
mod visitor;
