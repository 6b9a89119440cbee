//! One site of a configuration, for commands that look at it without serving: certificates are not asked for.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::check;
use crate::config::{self, CertificateFiles, Limits, Site};
use crate::telemetry;

/// Which site of which configuration.
#[derive(Debug, clap::Args)]
pub(super) struct SiteArgs {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "consentry.yaml")]
    pub(super) config: PathBuf,
    /// A host of the site; may be left out if the configuration has one site
    #[arg(long, short, value_name = "HOST")]
    pub(super) site: Option<String>,
}

/// A site, and the host by which it was asked for.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) site: Arc<Site>,
    pub(super) host: String,
    /// Of the whole configuration.
    pub(super) limits: Limits,
}

impl SiteArgs {
    /// Reads the configuration and finds the site.
    ///
    /// # Errors
    /// The exit code; what is wrong has been told.
    pub(super) fn load(&self) -> Result<Chosen, ExitCode> {
        let config = match config::check(&self.config, telemetry::now().0, CertificateFiles::Skip) {
            Ok((config, _)) => config,
            Err(problems) => {
                let _ = check::print(&problems, false);
                return Err(ExitCode::from(check::WRONG));
            }
        };
        match choose(&config.sites, self.site.as_deref(), &self.config) {
            Ok((site, host)) => Ok(Chosen { site, host, limits: config.limits }),
            Err(error) => {
                eprintln!("consentry: {error}");
                Err(ExitCode::from(check::WRONG))
            }
        }
    }
}

fn choose(sites: &[Arc<Site>], host: Option<&str>, file: &Path) -> Result<(Arc<Site>, String), String> {
    let Some(asked) = host else {
        return match sites {
            [site] => Ok((site.clone(), any_host(site))),
            _ => Err(format!("name one of the {} sites: --site {}", sites.len(), hosts(sites).join(" | "))),
        };
    };
    let host = asked.strip_suffix('.').unwrap_or(asked).to_ascii_lowercase();
    let find = |wildcard: bool| {
        let fits = |site: &&Arc<Site>| site.hosts.iter().any(|h| h.is_wildcard() == wildcard && h.matches(&host));
        sites.iter().find(fits)
    };
    if let Some(site) = find(false).or_else(|| find(true)) {
        return Ok((site.clone(), host));
    }
    // `*.shop.example` as the file has it.
    if let Some(site) = sites.iter().find(|site| site.hosts.iter().any(|h| h.to_string() == host)) {
        return Ok((site.clone(), any_host(site)));
    }
    let known = hosts(sites);
    let hint = config::suggest(&host, known.iter().map(String::as_str));
    Err(format!("{}: no site has the host `{asked}`\n  {hint}", file.display()))
}

fn hosts(sites: &[Arc<Site>]) -> Vec<String> {
    sites.iter().flat_map(|site| site.hosts.iter().map(ToString::to_string)).collect()
}

/// A host that visitors could ask for.
fn any_host(site: &Site) -> String {
    let host = site.hosts.iter().find(|host| !host.is_wildcard()).or_else(|| site.hosts.first());
    let host = host.expect("a site has a host");
    if host.is_wildcard() { format!("www.{}", host.name()) } else { host.name().to_owned() }
}
