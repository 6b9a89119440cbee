//! The origins of all sites: what is known of each, whichever worker has learnt it. It outlives configurations.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};

use super::health::Health;
use crate::config::{Config, Origin, Site};

/// What is known of all origins. Locked when a configuration is loaded and when somebody looks, and by no request.
pub struct Fleet {
    known: Mutex<Vec<Arc<Health>>>,
    pub(super) lookup: Lookup,
}

/// From a name and a port to addresses; may block.
pub(super) type Lookup = Arc<dyn Fn(&str, u16) -> std::io::Result<Vec<SocketAddr>> + Send + Sync>;

impl Fleet {
    /// Nothing is known of anybody; names are looked up as the system does.
    pub fn new() -> Self {
        Self::with_lookup(Arc::new(|host, port| Ok((host, port).to_socket_addrs()?.collect())))
    }

    pub(super) fn with_lookup(lookup: Lookup) -> Self {
        Self { known: Mutex::default(), lookup }
    }

    /// The state of one origin of a site.
    pub fn health(&self, site: &Site, origin: &Origin) -> Arc<Health> {
        let url = site.origins.url(origin);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(health) = known.iter().find(|health| health.is_of(&site.name, &url)) {
            return Arc::clone(health);
        }
        let new = Arc::new(Health::new(&site.name, url));
        known.push(Arc::clone(&new));
        new
    }

    /// Forgets those that a configuration no longer names: who comes back is new.
    pub fn keep(&self, config: &Config) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|health| {
            config.sites.iter().any(|site| {
                site.origins.servers.iter().any(|origin| health.is_of(&site.name, &site.origins.url(origin)))
            })
        });
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("known", &self.known).finish_non_exhaustive()
    }
}
