//! The page at `/` that an operator leaves open: rendered here, so that it works without its script, which adds the
//! plots, keeps the page fresh, and copies.

use std::sync::atomic::Ordering::Relaxed;

use askama::Template;
use http::Uri;

use super::findings::{Filter, Risk, risks};
use super::gathered::{Gathered, OfOrigin, OfSite};
use super::{View, status};
use crate::config::{Config, WARN_DAYS};
use crate::cookie::{UnixTime, date};
use crate::page::day;
use crate::page::texts::Texts;
use crate::telemetry;
use crate::telemetry::choices::Answers;
use crate::telemetry::counters::ORIGIN_ERRORS;
use crate::telemetry::drift::{Drift, drift};
use crate::telemetry::findings::{Report, Row};

/// Served as `/page.css`.
pub(super) const STYLE: &str = include_str!("assets/page.css");
/// Served as `/page.js`.
pub(super) const SCRIPT: &str = include_str!("assets/page.js");

#[derive(Template)]
#[template(path = "admin/page.html")]
struct Page<'a> {
    version: &'static str,
    uptime: String,
    config: &'a Config,
    read: String,
    tried: String,
    good: u64,
    bad: u64,
    refused: &'a [String],
    alerts: Vec<String>,
    ready: bool,
    requests: u64,
    sites: Vec<Site<'a>>,
    certificates: Vec<Certificate>,
    choices: Vec<Chosen>,
    acted: Vec<Acted>,
    receipts: [u64; 4],
    store_up: bool,
    waiting: u64,
    risks: Vec<Risk>,
    drift: Vec<Drift>,
    filter: &'a Filter,
    rows: Vec<Shown<'a>>,
    /// Rows that the filter takes, shown or not, and all.
    taken: usize,
    all: usize,
    overflow: u64,
}

struct Site<'a> {
    name: &'a str,
    mode: &'static str,
    version: u64,
    requests: u64,
    errors: u64,
    origins: Vec<OfOrigin>,
    /// How requests to them fare.
    state: &'static str,
    trouble: Vec<(&'static str, u64)>,
    reused: Option<u64>,
}

struct Certificate {
    file: String,
    names: String,
    until: String,
    days: i64,
    soon: bool,
}

/// How often visitors of a site grant a category.
struct Chosen {
    site: Box<str>,
    category: Box<str>,
    answers: Answers,
    percent: u64,
}

/// How often the same was done with things of one category.
struct Acted {
    site: Box<str>,
    category: Box<str>,
    kind: &'static str,
    action: &'static str,
    count: u64,
}

struct Shown<'a> {
    row: &'a Row,
    paste: Option<String>,
}

/// The page, with the findings that the query asks for.
pub(super) fn page(view: &View, uri: &Uri) -> Result<String, String> {
    let filter = Filter::read(uri)?;
    let report = view.told.book.report();
    let (config, outcome, gathered) = (view.config(), view.running.outcome(), Gathered::of(view));
    let now = telemetry::now().0;
    let certificates: Vec<_> = certificates(&config, now).collect();
    let stats = view.told.receipts.stats();
    let receipts = [&stats.stored, &stats.spooled, &stats.refused, &stats.unproven].map(|count| count.load(Relaxed));
    let none = OfSite::default();
    let sites = config.sites.iter().map(|site| {
        let counts = gathered.sites.get(&site.name).unwrap_or(&none);
        let errors = ORIGIN_ERRORS.into_iter().zip(counts.origin_errors).filter(|(_, count)| *count > 0);
        let sent = counts.reused + counts.connected;
        Site {
            name: &site.name,
            mode: status::word(site.mode),
            version: site.policy.parts().version,
            requests: counts.requests.iter().sum(),
            errors: counts.requests[5],
            origins: counts.origins(view, site),
            state: status::health(counts, now),
            trouble: errors.collect(),
            reused: (100 * counts.reused).checked_div(sent),
        }
    });
    let sites: Vec<_> = sites.collect();
    let taken: Vec<_> = report.rows.iter().filter(|row| filter.takes(row)).collect();
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        uptime: since(now - view.started.0),
        read: time(outcome.read),
        tried: time(outcome.tried),
        good: outcome.good,
        bad: outcome.bad,
        refused: &outcome.refused,
        alerts: alerts(view, &sites, &certificates, receipts),
        ready: !view.stop.is_cancelled(),
        requests: gathered.requests().iter().sum(),
        choices: chosen(&gathered),
        acted: acted(&report),
        receipts,
        store_up: !stats.away.load(Relaxed),
        waiting: stats.waiting(),
        risks: risks(&report.rows).collect(),
        drift: config.sites.iter().flat_map(|site| drift(&site.name, &site.policy, &report.rows)).collect(),
        filter: &filter,
        taken: taken.len(),
        all: report.rows.len(),
        rows: taken
            .into_iter()
            .take(MOST)
            .map(|row| Shown { row, paste: super::findings::pasted(view, row) })
            .collect(),
        overflow: report.overflow,
        config: &config,
        sites,
        certificates,
    };
    Ok(page.render().expect("writing into a string does not fail"))
}

/// Rows on one page; a filter finds the others.
const MOST: usize = 500;

/// What somebody should look at, a sentence each; why a configuration was refused is told apart.
fn alerts(view: &View, sites: &[Site<'_>], certificates: &[Certificate], receipts: [u64; 4]) -> Vec<String> {
    let mut alerts = Vec::new();
    for certificate in certificates.iter().filter(|certificate| certificate.soon) {
        alerts.push(match certificate.days {
            ..0 => format!("{} has expired: browsers refuse it.", certificate.file),
            days => format!("{} expires in {days} days: renew it now.", certificate.file),
        });
    }
    for site in sites {
        for origin in site.origins.iter().filter(|origin| !origin.up) {
            alerts.push(format!("The origin {} of {} is down.", origin.url, site.name));
        }
    }
    for site in sites.iter().filter(|site| site.state == "failing") {
        alerts.push(format!("The origin of {} fails: visitors get error pages.", site.name));
    }
    if view.told.receipts.stats().away.load(Relaxed) {
        alerts.push("The store of receipts is away; receipts wait in the spool.".into());
    }
    if receipts[2] > 0 {
        alerts.push(format!("{} choices were refused, for no receipt could be kept.", receipts[2]));
    }
    let dropped = view.told.dropped.count() + telemetry::dropped_events();
    if dropped > 0 {
        alerts.push(format!("{dropped} lines of logs were dropped: nobody takes them fast enough."));
    }
    alerts
}

fn certificates(config: &Config, now: i64) -> impl Iterator<Item = Certificate> {
    config.certificates.iter().map(move |certificate| {
        let days = (certificate.not_after - now).div_euclid(86_400);
        Certificate {
            file: certificate.file.display().to_string(),
            names: certificate.names.join(", "),
            until: day(UnixTime(certificate.not_after)),
            days,
            soon: days < WARN_DAYS,
        }
    })
}

fn chosen(gathered: &Gathered) -> Vec<Chosen> {
    let of_sites = gathered.sites.iter().flat_map(|(site, counts)| {
        counts.choices.categories.iter().map(|(category, answers)| Chosen {
            site: site.clone(),
            category: category.clone(),
            answers: *answers,
            percent: (answers.rate().unwrap_or_default() * 100.0).round() as u64,
        })
    });
    of_sites.collect()
}

/// What is done most, first.
fn acted(report: &Report) -> Vec<Acted> {
    let acted = report.tallies.iter().map(|(tally, count)| Acted {
        site: tally.site.clone(),
        category: tally.category.clone(),
        kind: tally.kind.word(),
        action: tally.action.word(),
        count: *count,
    });
    let mut acted: Vec<_> = acted.filter(|acted| acted.action != "keep").collect();
    acted.sort_by_key(|acted| std::cmp::Reverse(acted.count));
    acted
}

/// In seconds.
const DAY: u64 = 86_400;

/// To the minute, for nobody looks at more.
fn since(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// `22 Nov 2026, 02:36:34 UTC`
fn time(seconds: i64) -> String {
    let text = date::format(UnixTime(seconds));
    format!("{}, {} UTC", text.get(5..16).unwrap_or_default(), text.get(17..25).unwrap_or_default())
}

impl Page<'_> {
    fn chosen(&self, name: &str, value: &str) -> &'static str {
        if self.filter.given(name) == Some(value) { " selected" } else { "" }
    }

    fn life(&self, seconds: &Option<u64>) -> String {
        // What nobody wrote as years or days is told in whole days: more digits tell no more.
        let whole = |seconds: u64| if seconds > 10 * DAY { seconds / DAY * DAY } else { seconds };
        seconds.map_or_else(|| "–".to_owned(), |seconds| Texts::of("en").duration(whole(seconds)))
    }

    fn hash(&self) -> &str {
        self.config.hash.get(..12).unwrap_or_default()
    }

    /// `1 234 567`, with narrow spaces.
    fn count(&self, number: &u64) -> String {
        let digits = number.to_string();
        let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
        groups.join("\u{202f}")
    }
}
