//! What a worker counts of its exchanges. Each worker has its own counters, which only it writes, so that no core
//! waits for another; whoever reads adds them up.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::Brake;
use super::choices::{Choices, Chosen};
use super::pool::Pool;
use crate::cookie::UnixTime;

/// The counters of one worker.
#[derive(Debug, Default)]
pub struct Counters {
    /// Client connections.
    pub connections: Connections,
    /// Turns of the worker's own clock. Those of a worker that hangs stand still.
    pub beats: AtomicU64,
    /// Requests that belong to no site: unknown hosts, malformed ones.
    pub unrouted: Arc<SiteCounters>,
    /// By name. Locked when a configuration is loaded and when metrics are read, and by no request.
    sites: Mutex<Vec<(Box<str>, Arc<SiteCounters>)>>,
}

/// Connections that clients made.
#[derive(Debug, Default)]
pub struct Connections {
    /// Since the start.
    pub accepted: AtomicU64,
    /// Of these, ended.
    pub closed: AtomicU64,
    /// Closed because they did not begin with a PROXY header that could be believed.
    pub unannounced: AtomicU64,
    /// Of these, ended before a request could be made: no handshake, or none that we speak.
    pub failed: AtomicU64,
    /// Closed at once, since there were too many.
    pub refused: AtomicU64,
    /// Requests that were answered with 503, since there were too many of them or of connections.
    pub shed: AtomicU64,
    /// Closed by us, since the client flooded them.
    pub flooded: AtomicU64,
    /// By protocol: HTTP/1.1, HTTP/2.
    pub speaking: [Speaking; 2],
}

/// Connections of one protocol.
#[derive(Debug, Default)]
pub struct Speaking {
    /// Since the start.
    pub begun: AtomicU64,
    /// Of these, ended.
    pub ended: AtomicU64,
}

/// The counters of one site on one worker.
#[derive(Debug, Default)]
pub struct SiteCounters {
    /// By class of status: none was sent, 1xx, … 5xx.
    pub requests: [AtomicU64; 6],
    /// Exchanges that failed at the origin, as [`ORIGIN_ERRORS`].
    pub origin_errors: [AtomicU64; ORIGIN_ERRORS.len()],
    /// When that happened last, in seconds since 1970; 0: never.
    pub origin_failed: AtomicI64,
    /// Bodies that broke off.
    pub aborted: AtomicU64,
    /// Pages of which some passed unfiltered (`on_rewrite_error: pass`).
    pub unfiltered: AtomicU64,
    /// Time to the response head that we added to the origin's, by class of status: 1xx, … 5xx.
    pub added: [Histogram; 5],
    /// Time that the origin took to the response head, likewise.
    pub origin: [Histogram; 5],
    /// Requests to the origin over a connection that was kept.
    pub reused: AtomicU64,
    /// Connections to the origin that were asked for.
    pub connected: AtomicU64,
    /// Requests that were sent again, or on to another origin.
    pub retried: AtomicU64,
    /// Lines on exchanges that failed at the origin.
    pub failures: Brake,
    /// Lines on responses that were cut off.
    pub cuts: Brake,
    /// Lines on refusals without a receipt.
    pub unproven: Brake,
    /// Locked when a visitor chooses, and when somebody looks.
    choices: Mutex<Choices>,
    /// By the origin's URL. Locked when a configuration is loaded and when metrics are read, and by no request.
    pools: Mutex<Vec<(Box<str>, Arc<Pool>)>>,
}

/// What an origin can do wrong: nobody listens, nothing comes in time, or not what should.
pub const ORIGIN_ERRORS: [&str; 3] = ["connect", "timeout", "answer"];

/// How often a time was how long.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Up to each of [`BOUNDS`], and beyond.
    counts: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

/// Upper ends of the buckets, in seconds.
pub const BOUNDS: [f64; 16] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// A histogram of several workers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// As in [`BOUNDS`]; not cumulative.
    pub counts: [u64; BOUNDS.len() + 1],
    /// Of all times, in seconds.
    pub sum: f64,
}

impl Counters {
    /// The counters of a site, which outlive every configuration that names it.
    pub fn site(&self, name: &str) -> Arc<SiteCounters> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = sites.iter().find(|(known, _)| **known == *name) {
            return Arc::clone(known);
        }
        let new = Arc::<SiteCounters>::default();
        sites.push((name.into(), Arc::clone(&new)));
        new
    }

    /// All sites by name, and the requests of none under an empty one.
    pub fn sites(&self) -> Vec<(Box<str>, Arc<SiteCounters>)> {
        let mut all = self.sites.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.push(("".into(), Arc::clone(&self.unrouted)));
        all
    }
}

impl Connections {
    /// A connection has agreed on its protocol; it ends when what comes back is dropped.
    pub fn speaks(counters: &Arc<Counters>, http2: bool) -> Open {
        let open = Open { counters: Arc::clone(counters), protocol: usize::from(http2) };
        open.speaking().begun.fetch_add(1, Relaxed);
        open
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Open {
    counters: Arc<Counters>,
    protocol: usize,
}

impl Open {
    fn speaking(&self) -> &Speaking {
        &self.counters.connections.speaking[self.protocol]
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.speaking().ended.fetch_add(1, Relaxed);
    }
}

impl SiteCounters {
    /// The status of a response is settled: what we added, and how long the origin took, if it was asked.
    pub fn settled(&self, status: StatusCode, added: Duration, origin: Duration) {
        let class = usize::from(status.as_u16() / 100).wrapping_sub(1);
        let (Some(ours), Some(theirs)) = (self.added.get(class), self.origin.get(class)) else { return };
        ours.observe(added);
        if !origin.is_zero() {
            theirs.observe(origin);
        }
    }

    /// Lines that were held back and that no later one will tell of, by what they were about.
    pub fn held_back(&self, now: UnixTime) -> impl Iterator<Item = (&'static str, u64)> {
        let brakes = [
            ("An exchange failed at the origin.", &self.failures),
            ("A response was cut off.", &self.cuts),
            ("A refusal took effect without a receipt.", &self.unproven),
        ];
        brakes.into_iter().filter_map(move |(line, brake)| Some((line, brake.rest(now)?)))
    }

    /// The connections to one origin; those of origins that nobody reaches any more are forgotten.
    pub fn pool(&self, origin: &str) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = pools.iter().find(|(known, _)| **known == *origin) {
            return Arc::clone(known);
        }
        pools.retain(|(_, pool)| Arc::strong_count(pool) > 1);
        let new = Arc::<Pool>::default();
        pools.push((origin.into(), Arc::clone(&new)));
        new
    }

    /// The connections to all origins, by URL.
    pub fn pools(&self) -> Vec<(Box<str>, Arc<Pool>)> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What visitors chose until now.
    pub fn chosen(&self) -> Choices {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A visitor has chosen.
    pub fn chose(&self, choice: Chosen<'_>) {
        self.choices.lock().unwrap_or_else(PoisonError::into_inner).add(choice);
    }

    /// One request was answered, or its client went before that.
    pub fn answered(&self, status: Option<StatusCode>) {
        let class = status.map_or(0, |status| usize::from(status.as_u16() / 100));
        if let Some(count) = self.requests.get(class) {
            count.fetch_add(1, Relaxed);
        }
    }
}

impl Histogram {
    /// One more.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.counts[bucket].fetch_add(1, Relaxed);
        self.microseconds.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Times {
    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
        self.sum += other.sum;
    }

    /// What came since an earlier look.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = Self { counts: self.counts, sum: self.sum - earlier.sum };
        since.counts.iter_mut().zip(earlier.counts).for_each(|(count, before)| *count = count.saturating_sub(before));
        since
    }

    /// The time, in seconds, that this part of all stays below: taken to lie evenly between the bounds, as Prometheus
    /// does; at most the last bound.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let all: u64 = self.counts.iter().sum();
        let wanted = part * all as f64;
        let (mut below, mut from) = (0.0, 0.0);
        for (bound, count) in BOUNDS.into_iter().zip(self.counts) {
            let here = count as f64;
            if count > 0 && below + here >= wanted {
                return Some(from + (bound - from) * (wanted - below) / here);
            }
            (below, from) = (below + here, bound);
        }
        (all > 0).then_some(from)
    }

    /// Adds what one worker counted.
    pub fn add(&mut self, histogram: &Histogram) {
        for (sum, count) in self.counts.iter_mut().zip(&histogram.counts) {
            *sum += count.load(Relaxed);
        }
        self.sum += histogram.microseconds.load(Relaxed) as f64 / 1e6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_workers_add_up() {
        let (one, two) = (Histogram::default(), Histogram::default());
        one.observe(Duration::from_micros(40));
        one.observe(Duration::from_secs(60));
        two.observe(Duration::from_micros(100));
        let mut times = Times::default();
        times.add(&one);
        times.add(&two);
        assert_eq!((times.counts[0], times.counts[1], times.counts[BOUNDS.len()]), (1, 1, 1));
        assert!((times.sum - 60.000_14).abs() < 1e-9);
    }

    #[test]
    fn quantiles_lie_between_bounds() {
        let times = |counts: &[(usize, u64)]| {
            let mut times = Times::default();
            counts.iter().for_each(|(at, count)| times.counts[*at] = *count);
            times
        };
        assert_eq!(Times::default().quantile(0.5), None);
        let near = |got: Option<f64>, expected: f64| (got.unwrap() - expected).abs() < 1e-9;
        assert!(near(times(&[(1, 100)]).quantile(0.5), 0.000_075));
        assert!(near(times(&[(0, 99), (4, 1)]).quantile(0.99), 0.000_05));
        assert!(near(times(&[(0, 90), (4, 10)]).quantile(0.95), 0.000_75));
        assert!(near(times(&[(BOUNDS.len(), 3)]).quantile(0.5), 10.0), "no more is known");
        let (earlier, later) = (times(&[(0, 5)]), times(&[(0, 5), (2, 1)]));
        assert_eq!(later.since(&earlier).counts, times(&[(2, 1)]).counts);
    }

    #[test]
    fn a_site_keeps_its_counters() {
        let counters = Counters::default();
        counters.site("a.example").answered(Some(StatusCode::NOT_FOUND));
        counters.site("a.example").answered(None);
        let sites = counters.sites();
        assert_eq!(sites.len(), 2, "the site, and requests of none");
        assert_eq!(sites[0].1.requests.each_ref().map(|count| count.load(Relaxed)), [1, 0, 0, 0, 1, 0]);
    }
}
