//! The open loop: requests leave at a fixed rate, by the clock, whether or not the answer before has come, and latency
//! counts from the time at which a request was due. A proxy that stalls cannot hide it by being asked less.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::Result;
use crate::client::{Ask, Connection, Protocol, Target};

/// Connections that take turns.
const CONNECTIONS: u32 = 16;

/// What was seen of one target, in nanoseconds.
pub(crate) struct Seen {
    /// From when a request was due to the end of its answer.
    pub(crate) latency: Histogram<u64>,
    /// What `Server-Timing: consentry;dur=` told, also with the first answer on each connection.
    pub(crate) told: Histogram<u64>,
    /// Latency less what was told, of each.
    pub(crate) rest: Histogram<u64>,
    /// How often more was told than the request took: never, if it is true.
    pub(crate) impossible: u64,
}

impl Seen {
    pub(crate) fn new() -> Self {
        let empty = || Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order");
        Self { latency: empty(), told: empty(), rest: empty(), impossible: 0 }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = [(&mut self.latency, &other.latency), (&mut self.told, &other.told), (&mut self.rest, &other.rest)];
        for (ours, theirs) in pairs {
            ours.add(theirs).expect("the bounds are the same");
        }
        self.impossible += other.impossible;
    }

    fn tell(&mut self, told: Option<Duration>) {
        told.iter().for_each(|told| self.told.saturating_record(nanos(*told)));
    }

    fn record(&mut self, latency: Duration, told: Option<Duration>) {
        self.latency.saturating_record(nanos(latency));
        self.tell(told);
        if let Some(told) = told {
            self.rest.saturating_record(nanos(latency.saturating_sub(told)));
            // It is told in hundredths of a millisecond.
            self.impossible += u64::from(told > latency + Duration::from_micros(5));
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A quantile of a histogram, in microseconds.
pub(crate) fn micros(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}

/// Asks `rate` times a second, for `time`.
pub(crate) fn run(target: &Target, protocol: Protocol, ask: Ask<'_>, rate: u32, time: Duration) -> Result<Seen> {
    let each = Duration::from_secs(1) / rate;
    let rounds = u32::try_from(time.as_nanos() / (each * CONNECTIONS).as_nanos())?.max(1);
    // Connections are opened and warm before the first is due.
    let start = Instant::now() + Duration::from_millis(150);
    thread::scope(|scope| {
        let client = |index: u32| {
            let mut seen = Seen::new();
            let mut connection = Connection::open(target, protocol, ask)?;
            connection.once()?;
            seen.tell(told(connection.head()));
            for round in 0..rounds {
                let due = start + each * (round * CONNECTIONS + index);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                connection.once()?;
                seen.record(due.elapsed(), told(connection.head()));
            }
            Ok(seen)
        };
        let clients: Vec<_> = (0..CONNECTIONS).map(|index| scope.spawn(move || client(index))).collect();
        let mut all = Seen::new();
        for client in clients {
            let seen: Result<Seen> = client.join().expect("a client does not panic");
            all.add(&seen?);
        }
        Ok(all)
    })
}

/// What the head of an answer tells of the time that we added.
fn told(head: &[u8]) -> Option<Duration> {
    let key = b"consentry;dur=";
    let from = head.windows(key.len()).position(|window| window == key)? + key.len();
    let digits = head[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let millis: f64 = std::str::from_utf8(&head[from..from + digits]).ok()?.parse().ok()?;
    Some(Duration::from_secs_f64(millis / 1000.0))
}
