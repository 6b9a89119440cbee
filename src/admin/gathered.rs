//! What the workers count, added up at the moment that somebody asks.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use super::View;
use crate::config::Site;
use crate::telemetry::choices::Choices;
use crate::telemetry::counters::{Connections, ORIGIN_ERRORS, SiteCounters, Times};
use crate::telemetry::pool;

/// Of all sites and workers.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) connections: OfConnections,
    /// By name; the requests of no site under an empty one.
    pub(super) sites: BTreeMap<Box<str>, OfSite>,
}

/// By protocol: HTTP/1.1, HTTP/2, and none yet or ever.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct OfConnections {
    pub(super) total: [u64; 3],
    pub(super) open: [u64; 3],
    pub(super) refused: u64,
    pub(super) shed: u64,
    pub(super) flooded: u64,
    pub(super) unannounced: u64,
}

/// Of one site.
#[derive(Debug, Default)]
pub(super) struct OfSite {
    /// By class of status, as [`CLASSES`].
    pub(super) requests: [u64; 6],
    pub(super) aborted: u64,
    pub(super) unfiltered: u64,
    pub(super) reused: u64,
    pub(super) retried: u64,
    pub(super) connected: u64,
    pub(super) origin_errors: [u64; ORIGIN_ERRORS.len()],
    /// When that happened last, in seconds since 1970; 0: never.
    pub(super) origin_failed: i64,
    /// By class of status, from the second of [`CLASSES`].
    pub(super) added: [Times; 5],
    pub(super) origin: [Times; 5],
    pub(super) choices: Choices,
    /// Connections to its origins, by URL; also to those that it had before.
    pools: BTreeMap<Box<str>, pool::Connections>,
}

/// One origin of a site.
pub(super) struct OfOrigin {
    pub(super) url: String,
    pub(super) up: bool,
    pub(super) connections: pool::Connections,
}

/// Of responses, by their first digit.
pub(super) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];
/// As ALPN has them.
pub(super) const PROTOCOLS: [&str; 3] = ["http/1.1", "h2", "none"];

impl Gathered {
    pub(super) fn of(view: &View) -> Self {
        let mut gathered = Self::default();
        for worker in &view.told.counters {
            gathered.connections.add(&worker.connections);
            for (name, counters) in worker.sites() {
                gathered.sites.entry(name).or_default().add(&counters);
            }
        }
        gathered
    }

    /// All times that we added, whatever the site and status.
    pub(super) fn added(&self) -> Times {
        let mut all = Times::default();
        self.sites.values().flat_map(|site| &site.added).for_each(|times| all.merge(times));
        all
    }

    /// Requests by class of status.
    pub(super) fn requests(&self) -> [u64; 6] {
        let mut all = [0; 6];
        for site in self.sites.values() {
            all.iter_mut().zip(site.requests).for_each(|(sum, count)| *sum += count);
        }
        all
    }
}

impl OfConnections {
    fn add(&mut self, worker: &Connections) {
        // What ended is read before what began, so that what is open is never less than nothing.
        let closed = worker.closed.load(Relaxed);
        let ended = worker.speaking.each_ref().map(|speaking| speaking.ended.load(Relaxed));
        let begun = worker.speaking.each_ref().map(|speaking| speaking.begun.load(Relaxed));
        let accepted = worker.accepted.load(Relaxed);
        let mut speaking = 0;
        for (at, (begun, ended)) in begun.into_iter().zip(ended).enumerate() {
            self.total[at] += begun;
            self.open[at] += begun.saturating_sub(ended);
            speaking += begun.saturating_sub(ended);
        }
        self.total[2] += worker.failed.load(Relaxed);
        self.open[2] += accepted.saturating_sub(closed).saturating_sub(speaking);
        self.unannounced += worker.unannounced.load(Relaxed);
        self.refused += worker.refused.load(Relaxed);
        self.shed += worker.shed.load(Relaxed);
        self.flooded += worker.flooded.load(Relaxed);
    }
}

impl OfSite {
    fn add(&mut self, counters: &SiteCounters) {
        for (sum, count) in self.requests.iter_mut().zip(&counters.requests) {
            *sum += count.load(Relaxed);
        }
        for (sum, count) in self.origin_errors.iter_mut().zip(&counters.origin_errors) {
            *sum += count.load(Relaxed);
        }
        self.origin_failed = self.origin_failed.max(counters.origin_failed.load(Relaxed));
        self.aborted += counters.aborted.load(Relaxed);
        self.unfiltered += counters.unfiltered.load(Relaxed);
        self.retried += counters.retried.load(Relaxed);
        self.reused += counters.reused.load(Relaxed);
        self.connected += counters.connected.load(Relaxed);
        self.added.iter_mut().zip(&counters.added).for_each(|(sum, times)| sum.add(times));
        self.origin.iter_mut().zip(&counters.origin).for_each(|(sum, times)| sum.add(times));
        self.choices.merge(&counters.chosen());
        for (origin, pool) in counters.pools() {
            self.pools.entry(origin).or_default().add(pool.connections());
        }
    }

    /// The origins that a site has now.
    pub(super) fn origins(&self, view: &View, site: &Site) -> Vec<OfOrigin> {
        let state = |origin| {
            let (url, up) = (site.origins.url(origin), view.told.fleet.health(site, origin).is_up());
            OfOrigin { connections: self.pools.get(&*url).copied().unwrap_or_default(), url, up }
        };
        site.origins.servers.iter().map(state).collect()
    }
}
