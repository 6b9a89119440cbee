//! `/metrics`: every metric that there is, with its name and labels, put together when it is asked for.
//!
//! Labels come from bounded sets: sites and categories of the configuration, and our own words.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::{View, status};
use crate::telemetry::counters::{BOUNDS, Times};
use crate::telemetry::findings::Report;

/// The text in the format of OpenMetrics.
pub(super) fn text(view: &View) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Gathered::of(view)));
    let mut out = String::new();
    text::encode(&mut out, &registry).expect("writing into a string does not fail");
    out
}

/// What the plots of the page are drawn from: requests, and how long we made them wait, since the start.
pub(super) fn traffic(view: &View) -> Value {
    let gathered = Gathered::of(view);
    let mut added = [0; BOUNDS.len() + 1];
    for site in gathered.sites.values() {
        added.iter_mut().zip(site.added.counts).for_each(|(sum, count)| *sum += count);
    }
    let requests: u64 = gathered.sites.values().flat_map(|site| site.requests).sum();
    json!({ "started": gathered.started, "requests": requests, "bounds": BOUNDS, "added": added })
}

/// Everything, added up over the workers.
#[derive(Debug)]
struct Gathered {
    accepted: u64,
    open: u64,
    unannounced: u64,
    sites: BTreeMap<Box<str>, OfSite>,
    report: Report,
    modes: Vec<(Box<str>, &'static str)>,
    /// Site, URL, and whether it is up.
    origins: Vec<(Box<str>, String, bool)>,
    /// File and last second.
    certificates: Vec<(String, i64)>,
    hash: Box<str>,
    config_read: i64,
    config_good: bool,
    started: i64,
    ready: bool,
}

#[derive(Debug, Default)]
struct OfSite {
    requests: [u64; 6],
    aborted: u64,
    unfiltered: u64,
    reused: u64,
    retried: u64,
    connected: u64,
    added: Times,
    origin: Times,
}

/// Of responses, by their first digit.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

impl Gathered {
    fn of(view: &View) -> Self {
        let mut sites: BTreeMap<Box<str>, OfSite> = BTreeMap::new();
        let (mut accepted, mut closed, mut unannounced) = (0, 0, 0);
        for worker in &view.counters {
            // In this order, so that what is open is never less than nothing.
            closed += worker.connections.closed.load(Relaxed);
            accepted += worker.connections.accepted.load(Relaxed);
            unannounced += worker.connections.unannounced.load(Relaxed);
            for (name, counters) in worker.sites() {
                let site = sites.entry(name).or_default();
                for (sum, count) in site.requests.iter_mut().zip(&counters.requests) {
                    *sum += count.load(Relaxed);
                }
                site.aborted += counters.aborted.load(Relaxed);
                site.unfiltered += counters.unfiltered.load(Relaxed);
                site.reused += counters.reused.load(Relaxed);
                site.retried += counters.retried.load(Relaxed);
                site.connected += counters.connected.load(Relaxed);
                site.added.add(&counters.added);
                site.origin.add(&counters.origin);
            }
        }
        let (config, outcome) = (view.config(), view.running.outcome());
        let origins = |site| view.origins(site).into_iter().map(|(origin, up)| (site.name.clone(), origin, up));
        Self {
            accepted,
            unannounced,
            open: accepted.saturating_sub(closed),
            sites,
            report: view.book.report(),
            modes: config.sites.iter().map(|site| (site.name.clone(), status::word(site.mode))).collect(),
            origins: config.sites.iter().flat_map(|site| origins(site)).collect(),
            certificates: config.certificates.iter().map(|c| (c.file.display().to_string(), c.not_after)).collect(),
            hash: config.hash.clone(),
            config_read: outcome.read,
            config_good: outcome.refused.is_empty(),
            started: view.started.0,
            ready: !view.stop.is_cancelled(),
        }
    }

    fn requests(&self, metric: &mut Metric<'_>) -> Result<(), Error> {
        for (site, counts) in &self.sites {
            for (class, count) in CLASSES.into_iter().zip(counts.requests).filter(|(_, count)| *count > 0) {
                metric.counter(&[("site", site), ("status", class)], count)?;
            }
        }
        Ok(())
    }

    fn of_sites(&self, metric: &mut Metric<'_>, value: impl Fn(&OfSite) -> u64) -> Result<(), Error> {
        // Requests of no site have no origin.
        let sites = self.sites.iter().filter(|(site, _)| !site.is_empty());
        sites.into_iter().try_for_each(|(site, counts)| metric.counter(&[("site", site)], value(counts)))
    }

    fn times(&self, metric: &mut Metric<'_>, times: impl Fn(&OfSite) -> &Times) -> Result<(), Error> {
        let sites = self.sites.iter().filter(|(site, _)| !site.is_empty());
        sites.into_iter().try_for_each(|(site, counts)| metric.histogram(&[("site", site)], times(counts)))
    }
}

impl Collector for Gathered {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut all = All(encoder);
        let (counter, gauge, histogram) = (MetricType::Counter, MetricType::Gauge, MetricType::Histogram);
        all.metric("consentry_build_info", "What runs here", gauge, |m| {
            m.gauge(&[("version", env!("CARGO_PKG_VERSION"))], 1)
        })?;
        all.metric("process_start_time_seconds", "When the process started, since 1970", gauge, |m| {
            m.gauge(&[], self.started)
        })?;
        all.metric("consentry_ready", "1 until the drain begins", gauge, |m| m.gauge(&[], i64::from(self.ready)))?;
        let help = "The configuration that runs, by the SHA-256 of its files";
        all.metric("consentry_config_info", help, gauge, |m| m.gauge(&[("hash", &self.hash)], 1))?;
        let help = "1 if the configuration was good when it was last read, 0 if an older one runs on";
        all.metric("consentry_config_last_reload_successful", help, gauge, |m| {
            m.gauge(&[], i64::from(self.config_good))
        })?;
        let help = "When the configuration that runs was read, in seconds since 1970";
        all.metric("consentry_config_last_reload_success_timestamp_seconds", help, gauge, |m| {
            m.gauge(&[], self.config_read)
        })?;
        all.metric("consentry_site_mode", "1 for the mode that a site is in", gauge, |m| {
            self.modes.iter().try_for_each(|(site, mode)| m.gauge(&[("site", site), ("mode", mode)], 1))
        })?;
        let help = "Requests by site (empty: none of ours) and class of status (none: the client went before)";
        all.metric("consentry_requests", help, counter, |m| self.requests(m))?;
        let help = "Time to the response head that we added, in seconds";
        all.metric("consentry_added_seconds", help, histogram, |m| self.times(m, |site| &site.added))?;
        let help = "Time that the origin took to the response head, in seconds";
        all.metric("consentry_origin_seconds", help, histogram, |m| self.times(m, |site| &site.origin))?;
        let help = "Response bodies that broke off";
        all.metric("consentry_bodies_aborted", help, counter, |m| self.of_sites(m, |site| site.aborted))?;
        let help = "Pages that tripped a limit of the rewriter and passed unfiltered from there on";
        all.metric("consentry_pages_unfiltered", help, counter, |m| self.of_sites(m, |site| site.unfiltered))?;
        let help = "Connections to the origin that were asked for";
        all.metric("consentry_origin_connections", help, counter, |m| self.of_sites(m, |site| site.connected))?;
        let help = "Requests to the origin over a connection that was kept";
        all.metric("consentry_origin_connections_reused", help, counter, |m| self.of_sites(m, |site| site.reused))?;
        let help = "Requests that were sent again, or on to another origin";
        all.metric("consentry_origin_retries", help, counter, |m| self.of_sites(m, |site| site.retried))?;
        let help = "1 for an origin that gets requests, 0 for one that fails or that its checks call ill";
        all.metric("consentry_origin_up", help, gauge, |m| {
            self.origins
                .iter()
                .try_for_each(|(site, origin, up)| m.gauge(&[("site", site), ("origin", origin)], i64::from(*up)))
        })?;
        let help = "Connections that were closed for want of a PROXY header that could be believed";
        all.metric("consentry_connections_unannounced", help, counter, |m| m.counter(&[], self.unannounced))?;
        all.metric("consentry_connections", "Client connections that were accepted", counter, |m| {
            m.counter(&[], self.accepted)
        })?;
        all.metric("consentry_connections_open", "Client connections now", gauge, |m| {
            m.gauge(&[], i64::try_from(self.open).unwrap_or(i64::MAX))
        })?;
        let help = "Cookies, tags and snippets seen, by what was done with them (in mode observe: would be)";
        all.metric("consentry_findings", help, counter, |m| {
            self.report.tallies.iter().try_for_each(|(tally, count)| {
                let (kind, action) = (tally.kind.word(), tally.action.word());
                let category = &*tally.category;
                m.counter(&[("site", &*tally.site), ("kind", kind), ("category", category), ("action", action)], *count)
            })
        })?;
        let help = "Things seen that found no room in the table of findings, with those of earlier runs";
        all.metric("consentry_findings_overflow", help, counter, |m| m.counter(&[], self.report.overflow))?;
        all.metric("consentry_findings_rows", "Rows of the table of findings", gauge, |m| {
            m.gauge(&[], i64::try_from(self.report.rows.len()).unwrap_or(i64::MAX))
        })?;
        let help = "When a certificate expires, in seconds since 1970";
        all.metric("consentry_certificate_expiry_timestamp_seconds", help, gauge, |m| {
            self.certificates.iter().try_for_each(|(file, not_after)| m.gauge(&[("file", file)], *not_after))
        })
    }
}

struct All<'a>(DescriptorEncoder<'a>);

struct Metric<'a>(MetricEncoder<'a>);

impl All<'_> {
    /// A metric by its name; counters get `_total` behind it.
    fn metric(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: impl FnOnce(&mut Metric<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        values(&mut Metric(self.0.encode_descriptor(name, help, None, kind)?))
    }
}

impl Metric<'_> {
    fn counter(&mut self, labels: &[(&str, &str)], value: u64) -> Result<(), Error> {
        self.labelled(labels, |value_of| value_of.encode_counter::<NoLabelSet, _, f64>(&value, None))
    }

    fn gauge(&mut self, labels: &[(&str, &str)], value: i64) -> Result<(), Error> {
        self.labelled(labels, |value_of| value_of.encode_gauge(&value))
    }

    fn histogram(&mut self, labels: &[(&str, &str)], times: &Times) -> Result<(), Error> {
        let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(times.counts).collect();
        let count = times.counts.iter().sum();
        self.labelled(labels, |value_of| value_of.encode_histogram::<NoLabelSet>(times.sum, count, &buckets, None))
    }

    fn labelled(
        &mut self,
        labels: &[(&str, &str)],
        write: impl FnOnce(&mut MetricEncoder<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match labels {
            // Without labels a family would be `name{}`.
            [] => write(&mut self.0),
            labels => write(&mut self.0.encode_family(&labels)?),
        }
    }
}
