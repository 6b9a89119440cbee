//! Which receipts, as typed.

use crate::config::Config;
use crate::consent::ConsentId;
use crate::cookie::UnixTime;
use crate::receipt::{Method, day_or_time};
use crate::store::Filter;

/// Which receipts; what is left out does not matter.
#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    /// Of the site with this host
    #[arg(long, value_name = "HOST")]
    site: Option<String>,
    /// From this day or time on (UTC): 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = time)]
    since: Option<UnixTime>,
    /// Before this day or time (UTC)
    #[arg(long, value_name = "DATE", value_parser = time)]
    until: Option<UnixTime>,
    /// Of this visitor
    #[arg(long, value_name = "ID", value_parser = consent_id, allow_hyphen_values = true)]
    consent_id: Option<ConsentId>,
    /// Only those that came about so
    #[arg(long, value_parser = method(), value_name = "METHOD")]
    method: Option<String>,
}

impl FilterArgs {
    /// What it means.
    pub(super) fn filter(&self, config: &Config) -> Filter {
        let method = |name: &String| Method::ALL.into_iter().find(|method| method.name() == name);
        Filter {
            site: self.site.as_deref().map(|host| site(config, host)),
            consent: self.consent_id,
            since: self.since,
            until: self.until,
            method: self.method.as_ref().and_then(method),
        }
    }
}

/// The name in records of the site with this host; sites that are no longer configured have kept theirs.
pub(super) fn site(config: &Config, host: &str) -> Box<str> {
    let host = host.to_ascii_lowercase();
    let find = |wildcard: bool| {
        let fits = |site: &&std::sync::Arc<crate::config::Site>| {
            *site.name == *host || site.hosts.iter().any(|h| h.is_wildcard() == wildcard && h.matches(&host))
        };
        config.sites.iter().find(fits)
    };
    find(false).or_else(|| find(true)).map_or_else(|| host.as_str().into(), |site| site.name.clone())
}

pub(super) fn time(text: &str) -> Result<UnixTime, String> {
    day_or_time(text).ok_or_else(|| "write a day or a time in UTC: 2026-01-31 or 2026-01-31T12:00:00Z".to_owned())
}

/// Spreadsheets show ids that begin with a minus behind an apostrophe, as our CSV has them.
pub(super) fn consent_id(text: &str) -> Result<ConsentId, String> {
    ConsentId::parse(text.trim_start_matches('\'').as_bytes())
        .ok_or_else(|| "a consent id has 22 letters, digits, - and _".to_owned())
}

fn method() -> clap::builder::PossibleValuesParser {
    Method::ALL.map(Method::name).into()
}
