//! One origin, as one worker reaches it: its connections, and what one request over them can come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use http::header::{CONNECTION, HOST};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri, Version};
use tokio::time::Instant;

use super::addresses::Addresses;
use super::connect::{Connector, Fresh, Speech, Want};
use super::early::Early;
use super::failed::Failed;
use super::fleet::Fleet;
use super::health::Health;
use super::line::Line;
use super::pool::{Connection, Lease, Pool};
use super::shared::{Shared, Slot};
use super::{Answer, Attempt};
use crate::body::Body;
use crate::config::{Origin, Site, Timeouts};
use crate::proxy::error::OriginError;
use crate::telemetry::counters::SiteCounters;
use crate::telemetry::spans::Address;

#[derive(Debug)]
pub(super) struct Server {
    connector: Connector,
    pool: Pool,
    /// All requests of this worker share one HTTP/2 connection.
    h2: Arc<Slot>,
    /// What all workers know of it.
    pub(super) health: Arc<Health>,
    /// Requests of this worker that it has not answered to the end, where somebody wants to know.
    busy: AtomicU32,
}

/// A request among those on an HTTP/2 connection.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Line>);

/// One request among those that a server is busy with.
#[derive(Debug)]
pub(super) struct Busy(Arc<Server>);

impl Server {
    pub(super) fn new(
        site: &Site,
        origin: &Origin,
        speech: Option<Speech>,
        timeouts: &Timeouts,
        fleet: &Fleet,
        counters: &SiteCounters,
    ) -> Self {
        let lookup = Arc::clone(&fleet.lookup);
        let addresses = Addresses::new(&origin.place, timeouts.origin_resolve, lookup);
        let addresses = Arc::new(addresses);
        let pool = counters.pool(&site.origins.url(origin));
        Self {
            pool: Pool::new(Arc::clone(&addresses), timeouts.origin_idle),
            connector: Connector::new(&site.origins, origin, speech, addresses, timeouts.origin_connect, pool),
            h2: Slot::new(timeouts.origin_idle),
            health: fleet.health(site, origin),
            busy: AtomicU32::new(0),
        }
    }

    /// How many requests it is busy with.
    pub(super) fn busy(&self) -> u32 {
        self.busy.load(Relaxed)
    }

    /// One more, until what is given goes.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Relaxed);
        Busy(Arc::clone(self))
    }

    /// Sends a request and awaits the head of its answer.
    ///
    /// A kept connection may be closed by the origin at the very moment we use it. A request that was not written is
    /// sent over another one; what was written comes back only as [`Failed::Sent`].
    ///
    /// An upgrade goes over a connection of its own: it never comes back to the pool.
    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Request<Body>,
        attempt: Attempt,
        early: Option<&Arc<Early>>,
        counters: &SiteCounters,
        now: Instant,
    ) -> Result<Answer, Failed> {
        self.look_again(now);
        if attempt == Attempt::Reuse {
            if let Some(shared) = self.h2.take(&self.connector.addresses, now) {
                counters.reused.fetch_add(1, Relaxed);
                match Box::pin(self.send_h2(shared, request)).await {
                    Err(Failed::Unsent(unsent, _)) => request = *unsent,
                    other => return other,
                }
            }
            while let Some(connection) = self.pool.take(now).await {
                counters.reused.fetch_add(1, Relaxed);
                match self.send_h1(connection, request, early, true).await {
                    Err(Failed::Unsent(unsent, _)) => request = *unsent,
                    other => return other,
                }
            }
        }
        counters.connected.fetch_add(1, Relaxed);
        Box::pin(self.first(request, attempt, early)).await
    }

    /// Sends a request over a connection that it opens.
    async fn first(
        &self,
        request: Request<Body>,
        attempt: Attempt,
        early: Option<&Arc<Early>>,
    ) -> Result<Answer, Failed> {
        let upgrade = attempt == Attempt::Upgrade;
        match self.connector.connect(if upgrade { Want::Http1 } else { Want::Any }).await {
            Ok(Fresh::Http1(connection)) => self.send_h1(connection, request, early, false).await,
            Ok(Fresh::Http2(..)) if upgrade => Err(Failed::Last(OriginError::Upgrade.into())),
            Ok(Fresh::Http2(sender, line)) => {
                let shared = Shared { sender, line };
                self.h2.put(shared.clone(), Instant::now());
                self.send_h2(shared, request).await
            }
            Err(error) => Err(Failed::Unsent(Box::new(request), error)),
        }
    }

    /// No `async fn`: it would hold the request while it waits for the answer.
    fn send_h1<'s>(
        &'s self,
        mut connection: Connection,
        mut request: Request<Body>,
        early: Option<&Arc<Early>>,
        kept: bool,
    ) -> impl Future<Output = Result<Answer, Failed>> + use<'s> {
        let again = (kept && may_repeat(&request)).then(|| head_of(&request));
        if let Some(early) = early {
            early.listen(&mut request);
        }
        connection.line.begin();
        let sent = connection.sender.try_send_request(request);
        async move {
            match sent.await {
                Ok(response) => Ok((response, self.pool.lease(connection))),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => Err(Failed::Unsent(Box::new(unsent), OriginError::Http(error.into_error()))),
                    None => {
                        let closed = !connection.line.was_heard();
                        let again = again.filter(|_| closed);
                        Err(Failed::sent(again, error.into_error()))
                    }
                },
            }
        }
    }

    async fn send_h2(&self, shared: Shared, mut request: Request<Body>) -> Result<Answer, Failed> {
        let Shared { mut sender, line } = shared;
        if let Err(error) = sender.ready().await {
            return Err(Failed::Unsent(Box::new(request), OriginError::Http(error)));
        }
        // As it was, for a connection of another version.
        let again = may_repeat(&request).then(|| head_of(&request));
        // RFC 9113 §8.2.2, §8.3.1: no fields of the connection, and the authority in its own place.
        request.headers_mut().remove(CONNECTION);
        if let Some(host) = request.headers_mut().remove(HOST) {
            let target = request.uri().path_and_query().cloned();
            let uri = Uri::builder().scheme(self.connector.scheme()).authority(host.as_bytes());
            let target = target.unwrap_or_else(|| PathAndQuery::from_static("/"));
            if let Ok(uri) = uri.path_and_query(target).build() {
                *request.uri_mut() = uri;
            }
        }
        *request.version_mut() = Version::HTTP_2;
        let in_flight = InFlight::on(line);
        match sender.send_request(request).await {
            Ok(response) => Ok((response, Lease::of_stream(in_flight))),
            // A stream has no line of its own; that it was refused, or the connection is gone, is told by the error.
            Err(error) => Err(Failed::sent(again.filter(|_| was_not_processed(&error)), error)),
        }
    }

    /// Has its name looked up again in the background when it is time to.
    fn look_again(&self, now: Instant) {
        if self.connector.addresses.take_due(now) {
            let addresses = Arc::clone(&self.connector.addresses);
            // What it fails with, the next who connects finds out.
            tokio::spawn(async move { drop(addresses.look_up().await) });
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}

impl InFlight {
    fn on(line: Arc<Line>) -> Self {
        line.begin();
        Self(line)
    }

    /// The other end.
    pub(super) fn peer(&self) -> &Address {
        &self.0.to
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// RFC 9110 §9.2.2; and there is no body that would be gone.
fn may_repeat(request: &Request<Body>) -> bool {
    let idempotent =
        matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE);
    idempotent && matches!(request.body(), Body::Empty)
}

/// RFC 9113 §8.7: a refused stream, or one beyond the last that a GOAWAY names, was not looked at.
fn was_not_processed(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    source
        .is_some_and(|error| error.reason() == Some(h2::Reason::REFUSED_STREAM) || error.is_go_away() || error.is_io())
}

fn head_of(request: &Request<Body>) -> Request<Body> {
    let mut copy = Request::new(Body::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}
