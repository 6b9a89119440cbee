//! Peers that mean harm: they are cut off or bounded, and a well-behaved client beside them is served.
//!
//! A program of its own, and one test after the other, for the memory of the process is what some of them measure.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

#[path = "../support/mod.rs"]
mod support;

mod caps;
mod http1;
mod http2;
mod origin;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::support::{Client, Proxy};

/// Runs a test while no other runs.
fn alone(test: impl Future<Output = ()>) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    support::block_on(test);
}

/// A client that goes on asking while others attack; each answer has to come soon.
async fn well_behaved(proxy: &Proxy, times: usize) {
    let mut h2 = Client::h2(proxy).await;
    for n in 0..times {
        let soon = async {
            assert_eq!(h2.get("/own", &[]).await.text(), "own", "over a kept connection, {n}");
            assert_eq!(Client::h1(proxy).await.get("/own", &[]).await.text(), "own", "over a new one, {n}");
        };
        timeout(Duration::from_secs(5), soon).await.expect("a well-behaved client is not served");
    }
}

/// Resident memory of this process, proxy included, in MiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4 / 1024
}
