//! Reaches a site's origins: one of these per worker and site, so that no core waits for another.
//!
//! Connections are kept last-in-first-out: the warmest is used again, the others age and go.

mod addresses;
mod budget;
mod check;
mod connect;
mod early;
mod failed;
mod fleet;
mod health;
mod line;
mod pool;
mod server;
mod shared;
mod turns;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::error::Elapsed;
use tokio::time::{Duration, Instant, timeout_at};

use self::budget::Budget;
use self::connect::Speech;
pub(super) use self::early::Early;
use self::failed::Failed;
use self::health::Trial;
pub(super) use self::pool::Lease;
use self::server::Server;
use self::turns::Turns;
use super::error::{Error, OriginError};
use crate::body::{Body, Passing};
use crate::config::{Balance, Site, Timeouts};
use crate::telemetry::counters::SiteCounters;

pub use self::check::check;
pub use self::connect::client_config;
pub use self::fleet::Fleet;

/// The way to the origins of a site.
#[derive(Debug)]
pub struct Upstream {
    servers: Box<[Arc<Server>]>,
    turns: Turns,
    /// Whether anybody wants to know how busy they are.
    counted: bool,
    budget: Budget,
    first_byte: Duration,
    counters: Arc<SiteCounters>,
}

/// A response, and what to give back when its body has been read.
pub(in crate::proxy) type Answer = (Response<Incoming>, Lease);

/// Over which connections a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// One that was kept, if there is one.
    Reuse,
    /// A new one: the kept ones may all be as dead as the first.
    Fresh,
    /// A new one, that speaks HTTP/1.1.
    Upgrade,
}

/// Servers that a request was tried on, a bit each; [`crate::config::Origins`] has no more.
#[derive(Debug, Clone, Copy, Default)]
struct Tried(u128);

impl Upstream {
    /// Prepares the way; nothing is connected yet.
    pub fn new(site: &Site, timeouts: &Timeouts, fleet: &Fleet, counters: Arc<SiteCounters>) -> Self {
        let speech = Speech::new(&site.origins);
        let server = |origin| Arc::new(Server::new(site, origin, speech.clone(), timeouts, fleet, &counters));
        let servers: Box<[_]> = site.origins.servers.iter().map(server).collect();
        Self {
            turns: Turns::new(site.origins.balance, &site.origins.servers),
            counted: site.origins.balance == Balance::LeastRequests && servers.len() > 1,
            servers,
            budget: Budget::new(),
            first_byte: timeouts.origin_first_byte,
            counters,
        }
    }

    /// Sends one request and awaits the head of its answer.
    ///
    /// A request of which nothing was sent goes on to the next origin, whatever its method. One that was sent over
    /// a kept connection which closed without a word is sent again, once, if its method is idempotent and it has no
    /// body (RFC 9110 §9.2.2).
    ///
    /// What it says ahead of its answer (1xx) comes to `early`; only over HTTP/1.1, for hyper does not tell of streams.
    // Boxed, for these states are large, and would be copied with those of the exchange around them.
    pub(super) fn send<'s>(
        &'s self,
        request: Request<Body>,
        upgrade: bool,
        early: Option<&'s Arc<Early>>,
    ) -> Pin<Box<impl Future<Output = Result<Answer, Error>> + use<'s>>> {
        Box::pin(self.attempts(request, if upgrade { Attempt::Upgrade } else { Attempt::Reuse }, early))
    }

    async fn attempts(
        &self,
        mut request: Request<Body>,
        mut attempt: Attempt,
        early: Option<&Arc<Early>>,
    ) -> Result<Answer, Error> {
        let now = Instant::now();
        let end = now + self.first_byte;
        let passing = request.body_mut().watched();
        let (mut tried, mut repeated, mut last) = (Tried::default(), false, None);
        self.budget.earn();
        loop {
            let Some((at, trial)) = self.pick(tried, last.is_some()) else {
                return Err(last.unwrap_or(OriginError::Timeout("answer")).into());
            };
            let server = &self.servers[at];
            let busy = self.counted.then(|| server.begin());
            // Pinned here: given away, its state would be there twice, and copied with that of the exchange.
            let sending = pin!(server.send(request, attempt, early, &self.counters, now));
            let answer = in_time(end, self.first_byte, passing.as_deref(), sending).await;
            let failed = match answer {
                Ok(Ok((response, lease))) => {
                    judge(server, trial, response.status());
                    return Ok((response, lease.counted(busy)));
                }
                Ok(Err(failed)) => failed,
                Err(_) => Failed::Last(OriginError::Timeout("answer").into()),
            };
            match failed {
                Failed::Unsent(unsent, error) => {
                    server.health.failed(trial, &error);
                    tried.add(at);
                    last = Some(error);
                    request = *unsent;
                }
                Failed::Sent(copy, error) => {
                    if repeated || !self.budget.spend() {
                        return Err(error.into());
                    }
                    repeated = true;
                    attempt = Attempt::Fresh;
                    request = *copy;
                }
                Failed::Last(error) => {
                    if let Error::Origin(error) = &error {
                        server.health.failed(trial, error);
                    }
                    return Err(error);
                }
            }
            self.counters.retried.fetch_add(1, Relaxed);
        }
    }

    /// Whose turn it is among those that were not tried. If none of them is well, one that is not has to do.
    fn pick(&self, tried: Tried, again: bool) -> Option<(usize, Trial)> {
        if let [only] = &*self.servers {
            let trial = if only.health.take_trial() { Trial::Yes } else { Trial::No };
            return (!tried.has(0)).then_some((0, trial));
        }
        let left = |at: usize| !tried.has(at);
        let is_up = |at: usize| left(at) && self.servers[at].health.is_up();
        let busy = |at: usize| self.servers[at].busy();
        let all = 0..self.servers.len();
        if let Some(at) = all.into_iter().find(|at| left(*at) && self.servers[*at].health.take_trial()) {
            return Some((at, Trial::Yes));
        }
        if let Some(at) = self.turns.next(is_up, busy) {
            return Some((at, Trial::No));
        }
        // Those that are out get each request once, and further ones only as long as that is no storm.
        if again && !self.budget.spend() {
            return None;
        }
        self.turns.next(left, busy).map(|at| (at, Trial::No))
    }
}

/// Awaits an answer until `end`, or, where the request is long, until `limit` after the origin took the last of it.
async fn in_time<T>(
    mut end: Instant,
    limit: Duration,
    passing: Option<&Passing>,
    mut answer: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Elapsed> {
    loop {
        match timeout_at(end, answer.as_mut()).await {
            Ok(answer) => return Ok(answer),
            Err(elapsed) => match passing.map(|passing| passing.last() + limit).filter(|later| *later > end) {
                Some(later) => end = later,
                None => return Err(elapsed),
            },
        }
    }
}

/// Statuses by which a server says that it cannot serve count as failures, though they are passed on.
fn judge(server: &Server, trial: Trial, status: StatusCode) {
    const UNABLE: [StatusCode; 3] =
        [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
    if UNABLE.contains(&status) {
        server.health.failed(trial, &format_args!("it answered {status}"));
    } else {
        server.health.succeeded();
    }
}

impl Tried {
    fn has(self, at: usize) -> bool {
        self.0 & (1 << at) != 0
    }

    fn add(&mut self, at: usize) {
        self.0 |= 1 << at;
    }
}

#[cfg(test)]
mod tests;
