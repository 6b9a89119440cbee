//! Asks origins whether they are well, in one place for all workers, over connections of its own.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri, Version};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

use super::addresses::Addresses;
use super::connect::{Connector, Fresh, Speech, Want};
use super::fleet::Fleet;
use super::health::Health;
use crate::body::Body;
use crate::config::{Config, Health as Check, Origin, Place, Site};
use crate::proxy::error::OriginError;

/// Checks all origins of a configuration that are to be checked, until it is dropped.
pub async fn check(config: &Config, fleet: &Fleet) {
    let mut checks = JoinSet::new();
    for site in &config.sites {
        let speech = site.origins.health.as_ref().and_then(|_| Speech::new(&site.origins));
        for origin in &site.origins.servers {
            let health = fleet.health(site, origin);
            let Some(check) = &site.origins.health else {
                health.unchecked();
                continue;
            };
            let addresses = Addresses::new(&origin.place, config.timeouts.origin_resolve, Arc::clone(&fleet.lookup));
            let (addresses, uncounted) = (Arc::new(addresses), Arc::default());
            let connector = Connector::new(&site.origins, origin, speech.clone(), addresses, check.timeout, uncounted);
            let host = host(site, origin);
            checks.spawn(Checker { connector, health, host, check: check.clone() }.go_on());
        }
    }
    while checks.join_next().await.is_some() {}
    // Nothing to check: so it stays until another configuration comes.
    std::future::pending().await
}

/// What the check asks for: the site, as visitors do; for a wildcard there is no such name but the origin's own, and a
/// socket has none.
fn host(site: &Site, origin: &Origin) -> Box<str> {
    let named = site.hosts.iter().find(|host| !host.is_wildcard());
    match (named, &origin.place) {
        (Some(host), _) => host.to_string().into(),
        (None, Place::Tcp(..)) => origin.to_string().into(),
        (None, Place::Unix(_)) => "localhost".into(),
    }
}

struct Checker {
    connector: Connector,
    health: Arc<Health>,
    host: Box<str>,
    check: Check,
}

/// Why an origin is not well.
#[derive(Debug, thiserror::Error)]
enum Ill {
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error("the check was answered with {0}")]
    Status(StatusCode),
}

impl Checker {
    async fn go_on(self) {
        let Check { interval, timeout: limit, healthy_after, unhealthy_after, .. } = self.check;
        let (mut good, mut bad) = (0_u32, 0_u32);
        // Not all at once, here and on other machines.
        sleep(part_of(interval / 10)).await;
        loop {
            let asked = timeout(limit, self.ask()).await;
            match asked.unwrap_or(Err(OriginError::Timeout("answer the check").into())) {
                Ok(()) => {
                    (good, bad) = (good.saturating_add(1), 0);
                    if good >= healthy_after {
                        self.health.checked(true, &"");
                    }
                }
                Err(ill) => {
                    (good, bad) = (0, bad.saturating_add(1));
                    if bad >= unhealthy_after {
                        self.health.checked(false, &ill);
                    }
                }
            }
            sleep(interval - interval / 10 + part_of(interval / 5)).await;
        }
    }

    async fn ask(&self) -> Result<(), Ill> {
        let mut request = Request::new(Body::Empty);
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, http::HeaderValue::from_static("Consentry (health check)"));
        let fresh = self.connector.connect(Want::Any).await?;
        let response = match fresh {
            Fresh::Http1(mut connection) => {
                headers.insert(CONNECTION, http::HeaderValue::from_static("close"));
                if let Ok(host) = http::HeaderValue::from_str(&self.host) {
                    headers.insert(HOST, host);
                }
                *request.uri_mut() = self.check.path.parse().unwrap_or_default();
                connection.sender.send_request(request).await
            }
            Fresh::Http2(mut sender, _) => {
                let uri = Uri::builder().scheme(self.connector.scheme()).authority(&*self.host);
                *request.uri_mut() = uri.path_and_query(&*self.check.path).build().unwrap_or_default();
                *request.version_mut() = Version::HTTP_2;
                sender.send_request(request).await
            }
        };
        let status = response.map_err(OriginError::Http)?.status();
        let expected = self.check.expect_status.iter().any(|range| range.contains(&status.as_u16()));
        if expected { Ok(()) } else { Err(Ill::Status(status)) }
    }
}

/// Some time up to `most`, another one each time. No secret: it is enough that nobody keeps step.
fn part_of(most: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    most.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
}
