//! The page at `/` that an operator leaves open: rendered here, so that it works without its script, which only adds
//! the plots and the copying.

use askama::Template;
use http::Uri;

use super::findings::Filter;
use super::{View, status};
use crate::config::WARN_DAYS;
use crate::page::day;
use crate::page::texts::Texts;
use crate::telemetry;
use crate::telemetry::drift::{Drift, drift};
use crate::telemetry::findings::Row;

/// Served as `/page.css`.
pub(super) const STYLE: &str = include_str!("assets/page.css");
/// Served as `/page.js`.
pub(super) const SCRIPT: &str = include_str!("assets/page.js");

#[derive(Template)]
#[template(path = "admin/page.html")]
struct Page<'a> {
    version: &'static str,
    uptime: String,
    config: &'a str,
    hash: &'a str,
    refused: &'a [String],
    ready: bool,
    sites: Vec<Site<'a>>,
    certificates: Vec<Certificate>,
    drift: Vec<Drift>,
    filter: &'a Filter,
    rows: Vec<Shown<'a>>,
    overflow: u64,
}

struct Site<'a> {
    name: &'a str,
    /// URLs, and whether each is up.
    origins: Vec<(String, bool)>,
    mode: &'static str,
    version: u64,
}

struct Certificate {
    file: String,
    until: String,
    days: i64,
    soon: bool,
}

struct Shown<'a> {
    row: &'a Row,
    paste: Option<String>,
}

/// The page, with the findings that the query asks for.
pub(super) fn page(view: &View, uri: &Uri) -> Result<String, String> {
    let filter = Filter::read(uri)?;
    let report = view.book.report();
    let (config, outcome) = (view.config(), view.running.outcome());
    let now = telemetry::now().0;
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        uptime: since(now - view.started.0),
        config: &config.file,
        hash: config.hash.get(..12).unwrap_or_default(),
        refused: &outcome.refused,
        ready: !view.stop.is_cancelled(),
        sites: config
            .sites
            .iter()
            .map(|site| Site {
                name: &site.name,
                origins: view.origins(site),
                mode: status::word(site.mode),
                version: site.policy.parts().version,
            })
            .collect(),
        certificates: config
            .certificates
            .iter()
            .map(|certificate| Certificate {
                file: certificate.file.display().to_string(),
                until: day(crate::cookie::UnixTime(certificate.not_after)),
                days: (certificate.not_after - now).div_euclid(86_400),
                soon: (certificate.not_after - now).div_euclid(86_400) < WARN_DAYS,
            })
            .collect(),
        drift: config.sites.iter().flat_map(|site| drift(&site.name, &site.policy, &report.rows)).collect(),
        filter: &filter,
        rows: report
            .rows
            .iter()
            .filter(|row| filter.takes(row))
            .take(MOST)
            .map(|row| Shown { row, paste: super::findings::pasted(view, row) })
            .collect(),
        overflow: report.overflow,
    };
    Ok(page.render().expect("writing into a string does not fail"))
}

/// Rows on one page; a filter finds the others.
const MOST: usize = 500;

/// To the minute, for nobody looks at more.
fn since(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days} d {hours} h {minutes} min")
}

impl Page<'_> {
    fn chosen(&self, name: &str, value: &str) -> &'static str {
        if self.filter.given(name) == Some(value) { " selected" } else { "" }
    }

    fn life(&self, seconds: &Option<u64>) -> String {
        seconds.map_or_else(|| "–".to_owned(), |seconds| Texts::of("en").duration(seconds))
    }
}
