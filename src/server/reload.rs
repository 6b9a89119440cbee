//! Puts another configuration in the place of the running one: a pointer for each worker, and the certificates.
//!
//! Listeners stay. An exchange keeps what it began with, and so do the limits of a connection.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::checks::Checks;
use super::room::Room;
use super::tls::Certificates;
use crate::config::{self, Config, Problem, Running, keep_fixed};
use crate::proxy::Worker;
use crate::telemetry;

/// Reloads a server. Clones reload the same one.
#[derive(Debug, Clone)]
pub struct Reloader(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    running: Arc<Running>,
    workers: Vec<(Arc<Worker>, Arc<Room>)>,
    certificates: Arc<arc_swap::ArcSwap<Certificates>>,
    checks: Checks,
    /// Two at a time would leave workers with different ones.
    one: Mutex<()>,
}

impl Reloader {
    pub(super) fn new(
        running: Arc<Running>,
        workers: Vec<(Arc<Worker>, Arc<Room>)>,
        certificates: Arc<arc_swap::ArcSwap<Certificates>>,
        checks: Checks,
    ) -> Self {
        Self(Arc::new(Parts { running, workers, certificates, checks, one: Mutex::default() }))
    }

    /// What runs.
    pub fn running(&self) -> &Running {
        &self.0.running
    }

    /// Reads the configuration's files again. What is wrong with them is logged and leaves everything as it is.
    ///
    /// Gives the files that were looked at.
    pub fn reload(&self) -> Vec<PathBuf> {
        let _one = self.0.one.lock().unwrap_or_else(PoisonError::into_inner);
        let now = telemetry::now().0;
        let running = self.0.running.config();
        let (loaded, files) = config::load_again(Path::new(&*running.file), now);
        let replaced = loaded.and_then(|(config, warnings)| {
            log(&warnings);
            self.replace(&running, config, now)
                .map_err(|error| vec![Problem::of_file(&running.file, error.to_string())])
        });
        match replaced {
            Ok(hash) => tracing::info!(%hash, "The configuration was read again."),
            Err(problems) => {
                log(&problems);
                self.0.running.refuse(&problems, now);
                tracing::error!("The configuration is wrong; the one that was running goes on.");
            }
        }
        files
    }

    fn replace(&self, running: &Config, mut config: Config, now: i64) -> io::Result<Box<str>> {
        for key in keep_fixed(running, &mut config) {
            tracing::warn!("`{key}` has changed, which only a restart brings about.");
        }
        let certificates = Certificates::new(&config).map_err(io::Error::other)?;
        let config = Arc::new(config);
        // From here on nothing can fail. Certificates first: whoever asks for a new site was shown one for it.
        self.0.certificates.store(Arc::new(certificates));
        for (worker, room) in &self.0.workers {
            worker.reload(Arc::clone(&config));
            room.resize(config.limits.connections / config.workers);
        }
        self.0.checks.change(Arc::clone(&config));
        self.0.running.replace(Arc::clone(&config), now);
        Ok(config.hash.clone())
    }
}

fn log(problems: &[Problem]) {
    for problem in problems {
        if problem.is_error() {
            tracing::error!("{problem}");
        } else {
            tracing::warn!("{problem}");
        }
    }
}
