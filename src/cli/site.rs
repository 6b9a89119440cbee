//! One site of a configuration, for commands that look at it without serving: certificates are not asked for.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::check;
use crate::config::{self, CertificateFiles, Limits, Site};
use crate::explain;
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
        match explain::choose(&config.sites, self.site.as_deref()) {
            Ok(explain::Chosen { site, host }) => Ok(Chosen { site, host, limits: config.limits }),
            Err(error) => {
                eprintln!("consentry: {}: {error}", self.config.display());
                Err(ExitCode::from(check::WRONG))
            }
        }
    }
}
