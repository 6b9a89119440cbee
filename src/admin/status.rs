//! `/api/status` and `/api/choices`: what runs here, since when and on which configuration, how it goes, and what
//! visitors choose.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Map, Value, json};

use super::View;
use super::gathered::{Gathered, OfSite, PROTOCOLS};
use crate::config::{Mode, Site};
use crate::telemetry;
use crate::telemetry::choices::{Answers, HOUR};
use crate::telemetry::counters::ORIGIN_ERRORS;
use crate::telemetry::pool::Connections;

const DAY: i64 = 86_400;
/// An origin that failed so many seconds ago fails still, as far as we know.
const LATELY: i64 = 60;

/// Everything at once; it names no secret.
pub(super) fn status(view: &View) -> Value {
    let now = telemetry::now().0;
    let (config, outcome, gathered) = (view.config(), view.running.outcome(), Gathered::of(view));
    let certificates = config.certificates.iter().map(|certificate| {
        json!({
            "file": certificate.file.display().to_string(),
            "names": certificate.names,
            "not_after": certificate.not_after,
            "days_left": (certificate.not_after - now).div_euclid(DAY),
        })
    });
    let none = OfSite::default();
    let sites =
        config.sites.iter().map(|site| of_site(view, site, gathered.sites.get(&site.name).unwrap_or(&none), now));
    let stats = view.told.receipts.stats();
    let by_protocol = |counts: [u64; 3]| PROTOCOLS.into_iter().zip(counts).collect::<BTreeMap<_, _>>();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": view.started.0,
        "uptime_seconds": now - view.started.0,
        "ready": !view.stop.is_cancelled(),
        "config": &*config.file,
        "config_hash": config.hash,
        "config_read": outcome.read,
        "config_tried": outcome.tried,
        "config_refused": outcome.refused,
        "reloads": { "good": outcome.good, "refused": outcome.bad },
        "workers": config.workers,
        "sites": sites.collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
        "receipts": {
            "store_up": !stats.away.load(Relaxed),
            "stored": stats.stored.load(Relaxed),
            "spooled": stats.spooled.load(Relaxed),
            "refused": stats.refused.load(Relaxed),
            "unproven": stats.unproven.load(Relaxed),
            "spool_bytes": stats.waiting(),
        },
        "connections": {
            "open": by_protocol(gathered.connections.open),
            "total": by_protocol(gathered.connections.total),
            "refused": gathered.connections.refused,
        },
        "log_lines_dropped": { "access": view.told.dropped.count(), "events": telemetry::dropped_events() },
    })
}

fn of_site(view: &View, site: &Site, counts: &OfSite, now: i64) -> Value {
    let origins = counts.origins(view, site).into_iter().map(|origin| {
        let Connections { busy, idle } = origin.connections;
        json!({ "origin": origin.url, "up": origin.up, "connections": { "busy": busy, "idle": idle } })
    });
    json!({
        "site": site.name,
        "hosts": site.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "mode": word(site.mode),
        "origins": origins.collect::<Vec<_>>(),
        "policy_version": site.policy.parts().version,
        "certificate": site.certificate.as_ref().map(|certificate| certificate.file.display().to_string()),
        "requests": counts.requests.iter().sum::<u64>(),
        "errors": counts.requests[5],
        "aborted": counts.aborted,
        "origin_traffic": of_origins(counts, now),
    })
}

/// Of all origins of a site together.
fn of_origins(counts: &OfSite, now: i64) -> Value {
    let errors: BTreeMap<_, _> = ORIGIN_ERRORS.into_iter().zip(counts.origin_errors).collect();
    json!({
        "state": health(counts, now),
        "failed": (counts.origin_failed > 0).then_some(counts.origin_failed),
        "errors": errors,
        "connections": counts.connected,
        "connections_reused": counts.reused,
    })
}

/// How a site's origin does, as far as requests tell.
pub(super) fn health(counts: &OfSite, now: i64) -> &'static str {
    match counts.connected {
        0 => "not asked yet",
        _ if counts.origin_failed > now - LATELY => "failing",
        _ => "answering",
    }
}

/// What visitors chose since the start, by site, category and hour.
pub(super) fn choices(view: &View) -> Value {
    let gathered = Gathered::of(view);
    let answers = |answers: &Answers| json!({ "granted": answers.granted, "refused": answers.refused });
    let sites = gathered.sites.iter().filter(|(site, counts)| !site.is_empty() && !counts.choices.methods.is_empty());
    let sites = sites.map(|(site, counts)| {
        let choices = &counts.choices;
        let of = |map: &BTreeMap<Box<str>, Answers>| {
            map.iter().map(|(key, of)| (key.to_string(), answers(of))).collect::<Map<_, _>>()
        };
        let hours =
            choices.hours.iter().map(|(hour, of_hour)| json!({ "time": hour * HOUR, "categories": of(of_hour) }));
        let hours: Vec<_> = hours.collect();
        let of_site = json!({ "methods": choices.methods, "categories": of(&choices.categories), "hours": hours });
        (site.to_string(), of_site)
    });
    json!({ "started": view.started.0, "sites": sites.collect::<Map<_, _>>() })
}

/// As configurations have it.
pub(super) fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}
