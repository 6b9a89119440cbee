//! `/metrics`: every metric that there is, with its name and labels, put together when it is asked for.
//!
//! Labels come from bounded sets: sites and categories of the configuration, and our own words. README.md lists the
//! metrics; a test holds both together.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use super::exposition::{Exposition, Kind, Samples, Syntax};
use super::gathered::{CLASSES, Gathered, OfOrigin, OfSite, PROTOCOLS};
use super::{View, history, process, status};
use crate::telemetry::counters::{BOUNDS, ORIGIN_ERRORS, Times};

use Kind::{Counter, Gauge, Histogram};

/// All of them.
pub(super) fn text(view: &View, syntax: Syntax) -> String {
    let mut all = Exposition::new(syntax);
    let gathered = Gathered::of(view);
    process(view, &mut all);
    configuration(view, &mut all);
    requests(&gathered, &mut all);
    connections(view, &gathered, &mut all);
    findings(view, &mut all);
    choices(view, &gathered, &mut all);
    all.end()
}

/// What the plots of the page are drawn from: the last hour, and sums since the start.
pub(super) fn traffic(view: &View) -> Value {
    let gathered = Gathered::of(view);
    let requests: u64 = gathered.requests().iter().sum();
    json!({
        "started": view.started.0,
        "requests": requests,
        "bounds": BOUNDS,
        "added": gathered.added().counts,
        "every": history::EVERY.as_secs(),
        "samples": view.samples(),
    })
}

fn process(view: &View, all: &mut Exposition) {
    all.metric("consentry_build_info", "What runs here", Gauge, |m| {
        m.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1)
    });
    let help = "When the process started, since 1970";
    all.metric("process_start_time_seconds", help, Gauge, |m| m.sample(&[], view.started.0));
    let usage = process::Usage::now();
    let help = "Memory that the process has in use";
    all.metric("process_resident_memory_bytes", help, Gauge, |m| m.some(usage.memory));
    let help = "Files and sockets that the process has open";
    all.metric("process_open_fds", help, Gauge, |m| m.some(usage.files));
    let help = "Time that the process spent on a processor";
    all.metric("process_cpu_seconds", help, Counter, |m| m.some(usage.cpu));
    let ready = u8::from(!view.stop.is_cancelled());
    all.metric("consentry_ready", "1 until the drain begins", Gauge, |m| m.sample(&[], ready));
    let help = "Lines of logs that found no room, or could not be written";
    all.metric("consentry_log_lines_dropped", help, Counter, |m| {
        m.sample(&[("log", "access")], view.told.dropped.count());
        m.sample(&[("log", "events")], crate::telemetry::dropped_events());
        if let Some(spans) = &view.told.spans_dropped {
            m.sample(&[("log", "spans")], spans.count());
        }
    });
}

fn configuration(view: &View, all: &mut Exposition) {
    let (config, outcome) = (view.config(), view.running.outcome());
    let help = "The configuration that runs, by the SHA-256 of its files";
    all.metric("consentry_config_info", help, Gauge, |m| m.sample(&[("hash", &config.hash)], 1));
    let help = "1 if the configuration was good when it was last read, 0 if an older one runs on";
    let good = u8::from(outcome.refused.is_empty());
    all.metric("consentry_config_last_reload_successful", help, Gauge, |m| m.sample(&[], good));
    let help = "When the configuration that runs was read, in seconds since 1970";
    all.metric("consentry_config_last_reload_success_timestamp_seconds", help, Gauge, |m| m.sample(&[], outcome.read));
    let help = "When the files were last read, whatever came of it, in seconds since 1970";
    all.metric("consentry_config_last_reload_timestamp_seconds", help, Gauge, |m| m.sample(&[], outcome.tried));
    let help = "How often the configuration was read again";
    all.metric("consentry_config_reloads", help, Counter, |m| {
        m.sample(&[("result", "good")], outcome.good);
        m.sample(&[("result", "refused")], outcome.bad);
    });
    all.metric("consentry_site_mode", "1 for the mode that a site is in", Gauge, |m| {
        for site in &config.sites {
            m.sample(&[("site", &site.name), ("mode", status::word(site.mode))], 1);
        }
    });
    let help = "When a certificate expires, in seconds since 1970";
    all.metric("consentry_certificate_expiry_timestamp_seconds", help, Gauge, |m| {
        for certificate in &config.certificates {
            m.sample(&[("file", &certificate.file.display().to_string())], certificate.not_after);
        }
    });
}

fn requests(gathered: &Gathered, all: &mut Exposition) {
    let help = "Requests by site (empty: none of ours) and class of status (none: the client went before)";
    all.metric("consentry_requests", help, Counter, |m| {
        for (site, counts) in &gathered.sites {
            for (class, count) in CLASSES.into_iter().zip(counts.requests).filter(|(_, count)| *count > 0) {
                m.sample(&[("site", site), ("status", class)], count);
            }
        }
    });
    let help = "Time to the response head that we added, in seconds";
    all.metric("consentry_added_seconds", help, Histogram, |m| times(gathered, m, |site| &site.added));
    let help = "Time that the origin took to the response head, in seconds";
    all.metric("consentry_origin_seconds", help, Histogram, |m| times(gathered, m, |site| &site.origin));
    let help = "Response bodies that broke off";
    all.metric("consentry_bodies_aborted", help, Counter, |m| of_sites(gathered, m, |site| site.aborted));
    let help = "Pages that tripped a limit of the rewriter and passed unfiltered from there on";
    all.metric("consentry_pages_unfiltered", help, Counter, |m| of_sites(gathered, m, |site| site.unfiltered));
}

fn connections(view: &View, gathered: &Gathered, all: &mut Exposition) {
    let help = "Exchanges that failed at the origin: it could not be reached, did not answer in time, or wrongly";
    all.metric("consentry_origin_errors", help, Counter, |m| {
        for (site, counts) in sites(gathered) {
            for (error, count) in ORIGIN_ERRORS.into_iter().zip(counts.origin_errors) {
                m.sample(&[("site", site), ("error", error)], count);
            }
        }
    });
    let help = "Connections to the origin that were asked for";
    all.metric("consentry_origin_connections", help, Counter, |m| of_sites(gathered, m, |site| site.connected));
    let help = "Requests to the origin over a connection that was kept";
    all.metric("consentry_origin_connections_reused", help, Counter, |m| of_sites(gathered, m, |site| site.reused));
    let help = "Requests that were sent again, or on to another origin";
    all.metric("consentry_origin_retries", help, Counter, |m| of_sites(gathered, m, |site| site.retried));
    let config = view.config();
    let none = OfSite::default();
    let origins: Vec<(&str, OfOrigin)> = config
        .sites
        .iter()
        .flat_map(|site| {
            let counts = gathered.sites.get(&site.name).unwrap_or(&none);
            counts.origins(view, site).into_iter().map(|origin| (&*site.name, origin))
        })
        .collect();
    let help = "1 for an origin that gets requests, 0 for one that fails or that its checks call ill";
    all.metric("consentry_origin_up", help, Gauge, |m| {
        for (site, origin) in &origins {
            m.sample(&[("site", site), ("origin", &origin.url)], u8::from(origin.up));
        }
    });
    let help = "Connections to an origin now: with a request on them, or kept for the next one";
    all.metric("consentry_origin_connections_open", help, Gauge, |m| {
        for (site, OfOrigin { url, connections, .. }) in &origins {
            for (state, count) in [("busy", connections.busy), ("idle", connections.idle)] {
                m.sample(&[("site", site), ("origin", url), ("state", state)], count);
            }
        }
    });
    let clients = &gathered.connections;
    let help = "Connections that were closed for want of a PROXY header that could be believed";
    all.metric("consentry_connections_unannounced", help, Counter, |m| m.sample(&[], clients.unannounced));
    let help = "Client connections by what was agreed on; none: they ended before that";
    all.metric("consentry_connections", help, Counter, |m| {
        for (protocol, count) in PROTOCOLS.into_iter().zip(clients.total) {
            m.sample(&[("protocol", protocol)], count);
        }
    });
    let help = "Client connections now; none: in their handshake";
    all.metric("consentry_connections_open", help, Gauge, |m| {
        for (protocol, count) in PROTOCOLS.into_iter().zip(clients.open) {
            m.sample(&[("protocol", protocol)], count);
        }
    });
    let help = "Client connections that were closed at once, since there were too many";
    all.metric("consentry_connections_refused", help, Counter, |m| m.sample(&[], clients.refused));
    let help = "Client connections that were closed since the client flooded them";
    all.metric("consentry_connections_flooded", help, Counter, |m| m.sample(&[], clients.flooded));
    let help = "Requests that were answered with 503, since there were too many of them or of connections";
    all.metric("consentry_requests_shed", help, Counter, |m| m.sample(&[], clients.shed));
}

fn findings(view: &View, all: &mut Exposition) {
    let report = view.told.book.report();
    let help = "Cookies, tags and snippets seen, by what was done with them (in mode observe: would be)";
    all.metric("consentry_findings", help, Counter, |m| {
        for (tally, count) in &report.tallies {
            let (kind, action) = (tally.kind.word(), tally.action.word());
            let category = &*tally.category;
            m.sample(&[("site", &tally.site), ("kind", kind), ("category", category), ("action", action)], count);
        }
    });
    let help = "Things seen that found no room in the table of findings, with those of earlier runs";
    all.metric("consentry_findings_overflow", help, Counter, |m| m.sample(&[], report.overflow));
    all.metric("consentry_findings_rows", "Rows of the table of findings", Gauge, |m| m.sample(&[], report.rows.len()));
    let help = "Session cookies made SameSite=Strict in answer to a visitor who came from another site";
    all.metric("consentry_strict_risks", help, Counter, |m| {
        for site in &view.config().sites {
            m.sample(&[("site", &site.name)], report.risks.get(&site.name).copied().unwrap_or_default());
        }
    });
}

fn choices(view: &View, gathered: &Gathered, all: &mut Exposition) {
    all.metric("consentry_choices", "Choices of visitors, by how they were made", Counter, |m| {
        for (site, counts) in sites(gathered) {
            for (method, count) in &counts.choices.methods {
                m.sample(&[("site", site), ("method", method)], count);
            }
        }
    });
    let help = "What was chosen: each choice counts once for each category that may be refused";
    all.metric("consentry_choices_by_category", help, Counter, |m| {
        for (site, counts) in sites(gathered) {
            for (category, answers) in &counts.choices.categories {
                for (answer, count) in [("granted", answers.granted), ("refused", answers.refused)] {
                    m.sample(&[("site", site), ("category", category), ("answer", answer)], count);
                }
            }
        }
    });
    let stats = view.told.receipts.stats();
    let help = "Receipts kept in the store or in the spool; choices refused for want of one, and refusals without one";
    all.metric("consentry_receipts", help, Counter, |m| {
        for (result, count) in [
            ("stored", &stats.stored),
            ("spooled", &stats.spooled),
            ("refused", &stats.refused),
            ("unproven", &stats.unproven),
        ] {
            m.sample(&[("result", result)], count.load(Relaxed));
        }
    });
    let up = u8::from(!stats.away.load(Relaxed));
    all.metric("consentry_receipts_store_up", "0 while the store of receipts is away", Gauge, |m| m.sample(&[], up));
    let help = "Receipts that wait for the store, in bytes";
    all.metric("consentry_receipts_spool_bytes", help, Gauge, |m| m.sample(&[], stats.waiting()));
}

/// Requests of no site have no origin and no choices.
fn sites(gathered: &Gathered) -> impl Iterator<Item = (&Box<str>, &OfSite)> {
    gathered.sites.iter().filter(|(site, _)| !site.is_empty())
}

fn of_sites(gathered: &Gathered, m: &mut Samples<'_>, value: impl Fn(&OfSite) -> u64) {
    for (site, counts) in sites(gathered) {
        m.sample(&[("site", site)], value(counts));
    }
}

fn times(gathered: &Gathered, m: &mut Samples<'_>, times: impl Fn(&OfSite) -> &[Times; 5]) {
    for (site, counts) in sites(gathered) {
        for (class, times) in CLASSES[1..].iter().zip(times(counts)).filter(|(_, times)| !times.is_empty()) {
            m.histogram(&[("site", site), ("status", class)], times);
        }
    }
}
