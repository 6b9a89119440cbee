//! What a worker counts of its exchanges. Each worker has its own counters, which only it writes, so that no core
//! waits for another; whoever reads adds them up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

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
}

/// The counters of one site on one worker.
#[derive(Debug, Default)]
pub struct SiteCounters {
    /// By class of status: none was sent, 1xx, … 5xx.
    pub requests: [AtomicU64; 6],
    /// Bodies that broke off.
    pub aborted: AtomicU64,
    /// Pages of which some passed unfiltered (`on_rewrite_error: pass`).
    pub unfiltered: AtomicU64,
    /// Time to the response head that we added to the origin's.
    pub added: Histogram,
    /// Time that the origin took to the response head.
    pub origin: Histogram,
    /// Requests to the origin over a connection that was kept.
    pub reused: AtomicU64,
    /// Connections to the origin that were asked for.
    pub connected: AtomicU64,
    /// Requests that were sent again, or on to another origin.
    pub retried: AtomicU64,
}

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

impl SiteCounters {
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
    fn a_site_keeps_its_counters() {
        let counters = Counters::default();
        counters.site("a.example").answered(Some(StatusCode::NOT_FOUND));
        counters.site("a.example").answered(None);
        let sites = counters.sites();
        assert_eq!(sites.len(), 2, "the site, and requests of none");
        assert_eq!(sites[0].1.requests.each_ref().map(|count| count.load(Relaxed)), [1, 0, 0, 0, 1, 0]);
    }
}
