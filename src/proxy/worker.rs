//! What one worker thread owns: its view of the configuration, its connections to the origins, its log buffer.
//!
//! Workers share nothing that a request writes to. Even the reference counts are each worker's own: a
//! snapshot wraps the shared `Config` in an `Arc` that only this worker clones.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};
use tokio_util::task::TaskTracker;

use super::activity::Activity;
use super::insert::Prepared;
use super::route::Routes;
use super::told::Ids;
use super::upstream::{Fleet, Upstream};
use crate::api::rate::Rates;
use crate::config::{Config, Limits, Site, Timeouts};
use crate::consent::Keys;
use crate::filter::ConsentHeader;
use crate::filter::forwarded::{Introduction, Peer};
use crate::store::Receipts;
use crate::telemetry::AccessLog;
use crate::telemetry::counters::{Counters, SiteCounters};
use crate::telemetry::findings::Findings;
use crate::telemetry::spans::Tracer;

/// State of one worker thread.
#[derive(Debug)]
pub struct Worker {
    snapshot: ArcSwap<Snapshot>,
    /// Signs and reads choices.
    pub keys: Arc<Keys>,
    /// Keeps what visitors choose.
    pub receipts: Receipts,
    /// How often they do.
    pub rates: Rates,
    /// How often they tell what the guard stopped.
    pub reports: Rates,
    /// Where this worker's access lines go.
    pub access: AccessLog,
    /// Names requests, where they have names.
    pub(super) ids: Option<Ids>,
    /// Begins spans, where they are exported.
    pub(super) tracer: Option<Tracer>,
    /// What was seen in traffic.
    pub findings: Arc<Findings>,
    /// What is counted for metrics.
    pub counters: Arc<Counters>,
    /// What all workers know of the origins.
    fleet: Arc<Fleet>,
    /// Requests that are being answered.
    pub in_flight: AtomicUsize,
    /// And how many may be.
    pub(super) most_in_flight: AtomicUsize,
    /// Upgraded connections, which outlive their exchange; drained with the rest.
    pub tunnels: TaskTracker,
}

/// One generation of the configuration, as one worker sees it.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts up with each reload.
    generation: u64,
    /// Shared by all workers.
    pub config: Arc<Config>,
    pub(super) routes: Routes,
    /// By site.
    upstreams: Vec<Arc<Upstream>>,
    consents: Vec<ConsentHeader>,
    insertions: Vec<Prepared>,
    counters: Vec<Arc<SiteCounters>>,
}

/// One site of a snapshot, kept alive by it.
#[derive(Debug, Clone)]
pub struct SiteRef {
    snapshot: Arc<Snapshot>,
    index: usize,
}

/// The client of a connection: who, over what, and what it is doing.
#[derive(Debug)]
pub struct Client {
    /// The address that connected, or the client's that a trusted proxy vouched for (PROXY protocol).
    pub address: IpAddr,
    /// The host that it named in the handshake, which decided what certificate it was shown.
    pub named: Option<Box<str>>,
    /// What the connection is doing now.
    pub activity: Arc<Activity>,
    /// The thread that serves it.
    pub worker: Arc<Worker>,
    /// It is one too many: all that it gets is a 503.
    pub surplus: bool,
    /// Of the authority that it asked for first; few connections ask for another.
    first: OnceLock<First>,
}

/// What need not be found again for each request of a connection.
#[derive(Debug)]
struct First {
    authority: Authority,
    introduction: Introduction,
    /// The generation that routed it, and the place of its site there.
    routed: (u64, usize),
}

impl Client {
    /// A client that has connected.
    pub fn new(address: IpAddr, named: Option<Box<str>>, activity: Arc<Activity>, worker: Arc<Worker>) -> Self {
        Self { address, named, activity, worker, surplus: false, first: OnceLock::new() }
    }

    /// The authority that these bytes are, if it is the one that this client asked for first.
    pub(super) fn known(&self, authority: &[u8]) -> Option<Authority> {
        self.first.get().map(|first| &first.authority).filter(|known| known.as_str().as_bytes() == authority).cloned()
    }

    /// Where the site of this authority stands in a generation, as far as that is known.
    pub(super) fn routed(&self, authority: &Authority, snapshot: &Snapshot) -> Option<usize> {
        let first = self.first.get().filter(|first| first.authority.as_str() == authority.as_str())?;
        (first.routed.0 == snapshot.generation).then_some(first.routed.1)
    }

    /// Keeps what was found out of the first request.
    pub(super) fn remember(&self, authority: &Authority, snapshot: &Snapshot, site: usize) {
        self.first.get_or_init(|| First {
            authority: authority.clone(),
            introduction: self.introduction(authority),
            routed: (snapshot.generation, site),
        });
    }

    /// Tells the origin who the client is.
    pub(super) fn introduce(&self, authority: &Authority, headers: &mut HeaderMap, trusted: bool) {
        match self.first.get().map(|first| &first.introduction).filter(|known| known.is_for(authority.as_str())) {
            Some(known) => known.forward(headers, trusted),
            None => self.introduction(authority).forward(headers, trusted),
        }
    }

    fn introduction(&self, authority: &Authority) -> Introduction {
        let host = HeaderValue::from_str(authority.as_str()).unwrap_or(HeaderValue::from_static(""));
        Introduction::new(Peer { address: self.address, scheme: "https", authority: &host })
    }
}

impl Worker {
    /// A worker for this configuration.
    pub fn new(config: Arc<Config>, keys: Arc<Keys>, receipts: Receipts, access: AccessLog, fleet: Arc<Fleet>) -> Self {
        let counters = Arc::<Counters>::default();
        let ids = config.log.request_id.then(Ids::new);
        let most_in_flight = AtomicUsize::new(share(&config));
        let snapshot = ArcSwap::from_pointee(Snapshot::new(config, &counters, &fleet, None));
        Self {
            snapshot,
            keys,
            receipts,
            access,
            ids,
            tracer: None,
            rates: Rates::default(),
            reports: Rates::default(),
            findings: Arc::default(),
            counters,
            fleet,
            in_flight: AtomicUsize::new(0),
            most_in_flight,
            tunnels: TaskTracker::new(),
        }
    }

    /// The same, with spans for its requests where there is a tracer.
    #[cfg(feature = "otlp")]
    pub fn traced(self, tracer: Option<Tracer>) -> Self {
        Self { tracer, ..self }
    }

    /// Takes another configuration for all exchanges that begin from now on.
    pub fn reload(&self, config: Arc<Config>) {
        self.most_in_flight.store(share(&config), Relaxed);
        let next = Snapshot::new(config, &self.counters, &self.fleet, Some(&self.snapshot.load()));
        self.snapshot.store(Arc::new(next));
    }

    /// The generation that a new exchange belongs to until its end.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}

/// What one worker may take of all requests.
fn share(config: &Config) -> usize {
    (config.limits.requests / config.workers).max(1)
}

impl Snapshot {
    /// Origins that have not changed since `last` keep their connections.
    fn new(config: Arc<Config>, counters: &Counters, fleet: &Fleet, last: Option<&Self>) -> Self {
        let routes = Routes::new(&config.sites);
        let counters: Vec<_> = config.sites.iter().map(|site| counters.site(&site.name)).collect();
        let upstream = |(site, counters): (&Arc<Site>, &Arc<SiteCounters>)| {
            let kept = last.and_then(|last| last.upstream(site, &config.timeouts));
            kept.unwrap_or_else(|| Arc::new(Upstream::new(site, &config.timeouts, fleet, Arc::clone(counters))))
        };
        let upstreams = config.sites.iter().zip(&counters).map(upstream).collect();
        let consents = config.sites.iter().map(|site| ConsentHeader::new(&site.policy)).collect();
        let insertions = config.sites.iter().map(|site| Prepared::new(site)).collect();
        let generation = last.map_or(0, |last| last.generation + 1);
        Self { generation, config, routes, upstreams, consents, insertions, counters }
    }

    /// The way to a site's origins, if they are the same under these time limits.
    fn upstream(&self, site: &Site, timeouts: &Timeouts) -> Option<Arc<Upstream>> {
        let times = |timeouts: &Timeouts| {
            [timeouts.origin_connect, timeouts.origin_first_byte, timeouts.origin_idle, timeouts.origin_resolve]
        };
        let same_times = times(&self.config.timeouts) == times(timeouts);
        let same = |known: &Arc<Site>| known.name == site.name && known.origins.are_reached_as(&site.origins);
        let at = self.config.sites.iter().position(same).filter(|_| same_times)?;
        Some(Arc::clone(&self.upstreams[at]))
    }

    /// Whether a client that named this host in its handshake was shown the certificate of this site. Asked of the
    /// configuration that holds now: the connection may be older than the certificate.
    pub(super) fn shows(&self, named: &str, index: usize) -> bool {
        let sites = &self.config.sites;
        let shown = sites.get(self.routes.find(named).unwrap_or(0)).and_then(|site| site.certificate.as_ref());
        match (shown, &sites[index].certificate) {
            (Some(shown), Some(own)) => Arc::ptr_eq(shown, own),
            _ => true,
        }
    }

    /// Whether a site of this host is served.
    pub fn knows(&self, host: &str) -> bool {
        self.routes.find(host).is_some()
    }
}

impl SiteRef {
    pub(super) fn new(snapshot: Arc<Snapshot>, index: usize) -> Self {
        Self { snapshot, index }
    }

    /// Its prepared values of the `Consent` header.
    pub fn consent(&self) -> &ConsentHeader {
        &self.snapshot.consents[self.index]
    }

    /// What its pages get in addition.
    pub(super) fn prepared(&self) -> &Prepared {
        &self.snapshot.insertions[self.index]
    }

    /// The site itself, to be kept longer than an exchange.
    pub(super) fn shared(&self) -> &Arc<Site> {
        &self.snapshot.config.sites[self.index]
    }

    /// What this worker counts of it.
    pub fn counters(&self) -> &SiteCounters {
        &self.snapshot.counters[self.index]
    }

    /// The generation that it belongs to.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// How long we wait.
    pub fn timeouts(&self) -> &Timeouts {
        &self.snapshot.config.timeouts
    }

    /// How much we take.
    pub fn limits(&self) -> &Limits {
        &self.snapshot.config.limits
    }

    /// The way to its origins.
    pub fn upstream(&self) -> &Upstream {
        &self.snapshot.upstreams[self.index]
    }
}

impl std::ops::Deref for SiteRef {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.snapshot.config.sites[self.index]
    }
}
