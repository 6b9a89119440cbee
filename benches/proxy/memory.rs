//! What an idle connection costs: resident memory of the proxy with many of them, less that without.

use std::thread;
use std::time::Duration;

use crate::Result;
use crate::client::{Ask, Connection, Protocol};
use crate::peers::Running;

/// Until connections that were closed are gone.
const SETTLED: Duration = Duration::from_millis(250);

/// Until connections have waited for long enough that who gives memory back while they do has done so: twice our own
/// `timeouts.rest`, and the same for all.
const RESTED: Duration = Duration::from_secs(2);

/// Bytes for each of `count` connections that have had one answer and wait for the next request.
pub(crate) fn measure(proxy: &Running, protocol: Protocol, ask: Ask<'_>, count: usize) -> Result<f64> {
    let open = |count: usize| -> Result<Vec<Connection>> {
        (0..count)
            .map(|_| {
                let mut connection = Connection::open(&proxy.target, protocol, ask)?;
                connection.once()?;
                Ok(connection)
            })
            .collect()
    };
    // What is there once, however many come.
    drop(open(32.min(count))?);
    thread::sleep(SETTLED);
    let before = proxy.process.memory();
    let connections = open(count)?;
    thread::sleep(RESTED);
    let after = proxy.process.memory();
    drop(connections);
    thread::sleep(SETTLED);
    Ok((after.saturating_sub(before)) as f64 / count as f64)
}
