//! Reaches a site's origin: one of these per worker and site, so that no core waits for another.
//!
//! Connections are kept last-in-first-out: the warmest is used again, the others age and go.

mod connect;
mod paced;
mod pool;

use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use http::header::{CONNECTION, HOST};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use tokio::time::{Duration, timeout};

use self::connect::{Connector, Fresh, Want};
pub(super) use self::pool::Lease;
use self::pool::Pool;
use super::error::{Error, OriginError};
use crate::body::{self, Body};
use crate::config::{Site, Timeouts};
use crate::telemetry::counters::SiteCounters;

/// The way to one origin.
#[derive(Debug)]
pub struct Upstream {
    connector: Connector,
    pool: Pool,
    /// All requests of this worker share one HTTP/2 connection.
    h2: Mutex<Option<http2::SendRequest<Body>>>,
    first_byte: Duration,
    counters: Arc<SiteCounters>,
}

/// A response, and the connection to give back when its body has been read; HTTP/2 has none to give back.
pub(super) type Answer = (Response<Incoming>, Option<Lease>);

impl Upstream {
    /// Prepares the way; nothing is connected yet.
    pub fn new(site: &Site, timeouts: &Timeouts, counters: Arc<SiteCounters>) -> Self {
        Self {
            connector: Connector::new(site, timeouts.origin_connect),
            pool: Pool::default(),
            h2: Mutex::default(),
            first_byte: timeouts.origin_first_byte,
            counters,
        }
    }

    /// Sends one request and awaits the head of its answer.
    ///
    /// A kept-alive connection may be closed by the origin at the very moment we use it. A request that was
    /// not written is sent again on another; one that was written only if its method is idempotent, it has no
    /// body and no byte of an answer arrived (RFC 9110 §9.2.2).
    ///
    /// An upgrade goes over a connection of its own: it never comes back to the pool.
    pub async fn send(&self, request: Request<Body>, upgrade: bool) -> Result<Answer, Error> {
        // Boxed, for these states are large, and would be copied with those of the exchange around them.
        let answer: Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>> = if upgrade {
            Box::pin(self.upgrade(request))
        } else if let Some(sender) = self.live_h2() {
            self.counters.reused.fetch_add(1, Relaxed);
            Box::pin(self.send_h2(sender, request))
        } else {
            Box::pin(self.exchange(request))
        };
        timeout(self.first_byte, answer).await.unwrap_or_else(|_| Err(OriginError::Timeout("answer").into()))
    }

    async fn exchange(&self, mut request: Request<Body>) -> Result<Answer, Error> {
        while let Some(sender) = self.pool.take().await {
            self.counters.reused.fetch_add(1, Relaxed);
            let again = may_repeat(&request).then(|| head_of(&request));
            match self.send_h1(sender, request).await {
                Ok(answer) => return Ok(answer),
                Err(Failed { unsent: Some(unsent), .. }) => request = unsent,
                Err(Failed { error, unsent: None }) => match again {
                    Some(head) if error.is_incomplete_message() || error.is_closed() => request = head,
                    _ => return Err(failed(error)),
                },
            }
        }
        Box::pin(self.first(request)).await
    }

    /// Sends a request over a connection that it opens.
    async fn first(&self, request: Request<Body>) -> Result<Answer, Error> {
        self.counters.connected.fetch_add(1, Relaxed);
        match self.connector.connect(Want::Any).await? {
            Fresh::Http1(sender) => self.send_h1(sender, request).await.map_err(|f| failed(f.error)),
            Fresh::Http2(sender) => {
                *self.h2.lock().expect("no panic under the lock") = Some(sender.clone());
                self.send_h2(sender, request).await
            }
        }
    }

    async fn upgrade(&self, request: Request<Body>) -> Result<Answer, Error> {
        self.counters.connected.fetch_add(1, Relaxed);
        match self.connector.connect(Want::Http1).await? {
            Fresh::Http1(mut sender) => {
                let response = sender.send_request(request).await.map_err(failed)?;
                Ok((response, Some(self.pool.lease(sender))))
            }
            Fresh::Http2(_) => Err(OriginError::Upgrade.into()),
        }
    }

    async fn send_h1(&self, mut sender: http1::SendRequest<Body>, request: Request<Body>) -> Result<Answer, Failed> {
        match sender.try_send_request(request).await {
            Ok(response) => Ok((response, Some(self.pool.lease(sender)))),
            Err(mut error) => {
                let unsent = error.take_message();
                Err(Failed { error: error.into_error(), unsent })
            }
        }
    }

    async fn send_h2(&self, mut sender: http2::SendRequest<Body>, mut request: Request<Body>) -> Result<Answer, Error> {
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
        sender.ready().await.map_err(failed)?;
        let response = sender.send_request(request).await.map_err(failed)?;
        Ok((response, None))
    }

    fn live_h2(&self) -> Option<http2::SendRequest<Body>> {
        let mut slot = self.h2.lock().expect("no panic under the lock");
        if slot.as_ref().is_some_and(http2::SendRequest::is_closed) {
            *slot = None;
        }
        slot.clone()
    }
}

struct Failed {
    error: hyper::Error,
    unsent: Option<Request<Body>>,
}

/// Whose fault it is that no answer came: the client's, if its body broke off on the way.
fn failed(error: hyper::Error) -> Error {
    let ours = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<body::Error>());
    match ours {
        Some(body::Error::Idle(_) | body::Error::Slow { .. }) => {
            Error::client(StatusCode::REQUEST_TIMEOUT, "the request's body did not arrive in time")
        }
        Some(_) => Error::client(StatusCode::BAD_REQUEST, "the request's body broke off"),
        None => OriginError::Http(error).into(),
    }
}

fn may_repeat(request: &Request<Body>) -> bool {
    matches!(request.body(), Body::Empty) && matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
}

fn head_of(request: &Request<Body>) -> Request<Body> {
    let mut copy = Request::new(Body::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}
