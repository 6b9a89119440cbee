//! Spans: what OpenTelemetry is told of a request, one for us and one for the site's part in it. They wait in a bounded
//! queue for whoever exports them; what finds it full is dropped and counted.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use rustls::RootCertStore;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::Duration;

use super::sink::Dropped;
use crate::filter::trace::Context;

/// Where spans go, and how many.
#[derive(Debug, Clone)]
pub struct Export {
    /// Whether the collector is spoken to over TLS.
    pub tls: bool,
    /// Its name or address; IPv6 in brackets.
    pub host: Box<str>,
    /// Where it listens.
    pub port: u16,
    /// What is asked for there.
    pub path: Box<str>,
    /// What it wants to see, such as a token.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whom we trust to vouch for it; `None` for the roots of the system.
    pub roots: Option<Arc<RootCertStore>>,
    /// The part of the traces that begin here which is recorded, from 0 to 1.
    pub sample: f64,
}

impl PartialEq for Export {
    fn eq(&self, other: &Self) -> bool {
        let roots = |export: &Self| export.roots.as_ref().map(|roots| roots.roots.clone());
        (self.tls, &self.host, self.port, &self.path) == (other.tls, &other.host, other.port, &other.path)
            && (&self.headers, self.sample) == (&other.headers, other.sample)
            && roots(self) == roots(other)
    }
}

/// Begins spans, for one worker.
#[derive(Debug)]
pub struct Tracer {
    sample: f64,
    /// Of the generator of ids.
    state: AtomicU64,
    queue: Sender<Recorded>,
    dropped: Dropped,
}

/// The place of a request in its trace.
#[derive(Debug, Clone)]
pub struct Span {
    /// The client's, if it has one.
    parent: Option<Context>,
    own: Context,
    /// The span of the site's part.
    client: u64,
    asked: Option<Asked>,
}

/// The other end of a connection to an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Over TCP.
    Tcp(SocketAddr),
    /// A Unix domain socket, by its path.
    Unix(Arc<Path>),
}

/// The site's part in a request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// So long after the request had come.
    pub after: Duration,
    /// How long the head of the answer took.
    pub took: Duration,
    /// `None` if there was no answer.
    pub status: Option<StatusCode>,
    /// Which server answered.
    pub peer: Option<Address>,
}

/// What is known of a request when it has ended.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Where it stands in its trace.
    pub span: Span,
    /// When it came, in nanoseconds since 1970.
    pub began: u64,
    /// From its head to the last byte of the response.
    pub total: Duration,
    /// Its method.
    pub method: Method,
    /// The host that was asked for.
    pub host: Box<str>,
    /// Without the query.
    pub path: Box<str>,
    /// The protocol towards the client.
    pub version: Version,
    /// The name of the site; empty for none.
    pub site: Box<str>,
    /// `None` if the client went before it was settled.
    pub status: Option<StatusCode>,
    /// The body broke off.
    pub aborted: bool,
    /// What we added to the time to the response's head.
    pub added: Duration,
}

/// A queue with room for so many requests: its tracers are made by [`Queue::tracer`].
#[derive(Debug)]
pub struct Queue {
    sender: Sender<Recorded>,
    dropped: Dropped,
    sample: f64,
}

impl Queue {
    /// An empty one, and its other end.
    pub fn new(room: usize, sample: f64) -> (Self, Receiver<Recorded>) {
        let (sender, receiver) = mpsc::channel(room);
        (Self { sender, dropped: Dropped::default(), sample }, receiver)
    }

    /// For one worker. `seed` is random, and another one for each.
    pub fn tracer(&self, seed: u64) -> Tracer {
        let state = AtomicU64::new(seed);
        Tracer { sample: self.sample, state, queue: self.sender.clone(), dropped: self.dropped.clone() }
    }

    /// Spans that were lost.
    pub fn dropped(&self) -> Dropped {
        self.dropped.clone()
    }
}

impl Tracer {
    /// A request has come. Whether it is recorded says who stands before it in the trace, if that one is `trusted`;
    /// chance, otherwise.
    pub fn begin(&self, parent: Option<Context>, trusted: bool) -> Span {
        let by_chance = || ((self.random() >> 11) as f64) < self.sample * (1_u64 << 53) as f64;
        let sampled = parent.filter(|_| trusted).map_or_else(by_chance, Context::is_sampled);
        let trace = parent.unwrap_or_else(|| {
            let trace = u128::from(self.random()) << 64 | u128::from(self.random());
            Context { trace, span: 0, flags: 0 }
        });
        Span { parent, own: trace.child(self.random(), sampled), client: self.random(), asked: None }
    }

    /// A request has ended.
    pub fn end(&self, recorded: Recorded) {
        if recorded.span.own.is_sampled() {
            let spans = recorded.spans();
            if self.queue.try_send(recorded).is_err() {
                self.dropped.add(spans);
            }
        }
    }

    /// SplitMix64: every number once, none of them 0 but one. Nobody has to be unable to guess them.
    fn random(&self) -> u64 {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(GAMMA, Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // An id of 0 is none.
        (z ^ (z >> 31)).max(1)
    }
}

impl Span {
    /// The span of the client's side, if there is one.
    pub fn parent(&self) -> Option<Context> {
        self.parent
    }

    /// Ours.
    pub fn own(&self) -> Context {
        self.own
    }

    /// That of the site's part, and what is known of it; `None` if the site was not asked.
    pub fn asked(&self) -> Option<(Context, &Asked)> {
        self.asked.as_ref().map(|asked| (self.client(), asked))
    }

    fn client(&self) -> Context {
        self.own.child(self.client, self.own.is_sampled())
    }

    /// The `traceparent` that the site gets: our span for its parent. One that came is left as it is where we record
    /// nothing.
    pub fn header(&self) -> Option<HeaderValue> {
        (self.own.is_sampled() || self.parent.is_none()).then(|| self.client().header())
    }

    /// The site was asked.
    pub fn ask(&mut self, asked: Asked) {
        self.asked = Some(asked);
    }

    /// Whether anything is told of it.
    pub fn is_recorded(&self) -> bool {
        self.own.is_sampled()
    }
}

impl Recorded {
    /// How many spans it has.
    pub fn spans(&self) -> u64 {
        1 + u64::from(self.span.asked.is_some())
    }
}

/// When something began that began so long ago, in nanoseconds since 1970.
pub fn began(elapsed: Duration) -> u64 {
    super::clock::nanoseconds().saturating_sub(elapsed.as_nanos() as u64)
}
