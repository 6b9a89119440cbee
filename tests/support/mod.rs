//! What the integration tests stand on: the real proxy on a port of its own over real TLS, origins that do as
//! they are told, and clients that see bytes.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

mod certificates;
pub mod client;
pub mod countries;
pub mod frames;
pub mod origin;
pub mod proxy;
pub mod strict;

pub use certificates::Authority;
pub use client::{Client, Raw};
pub use origin::{Origin, RawOrigin, Step};
pub use proxy::Proxy;
pub use strict::StrictOrigin;

use std::future::Future;
use std::time::Duration;

/// The host that tests ask for unless they say otherwise.
pub const HOST: &str = "shop.example";

/// Runs a test's future on a runtime of its own, with a deadline: a hang is a failure, not a stuck CI.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    // A thread of its own for the clients' tasks: they must answer while the test waits for a proxy to drain.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), future).await.expect("the test hangs") })
}
