//! An HTTP/1.1 connection that can rest: hyper holds two buffers and the place of an exchange for as long as it has a
//! connection, more than all the rest of it, and most connections wait for the next request most of the time. One that
//! rests is taken out of hyper, and given to it again with the next byte.

use std::future::Future;
use std::mem::replace;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;

use super::early::Announcing;
use crate::server::watch::Driven;

/// What errors hyper takes.
type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// A connection in hyper's hands, or at rest.
pub(super) struct Resting<S: HttpService<Incoming>> {
    builder: Builder,
    state: State<S>,
    /// It was asked to finish, which hyper would not know any more after a rest.
    finishing: bool,
}

enum State<S: HttpService<Incoming>> {
    /// Boxed, so that one at rest has no place for it.
    Awake(Box<UpgradeableConnection<TokioIo<Announcing>, S>>),
    AtRest(Box<(Announcing, S)>),
    Ended,
}

impl<S> Resting<S>
where
    S: HttpService<Incoming>,
    S::Error: Into<AnyError>,
    S::ResBody: 'static,
    <S::ResBody as Body>::Error: Into<AnyError>,
{
    pub(super) fn new(builder: Builder, stream: Announcing, service: S) -> Self {
        let mut connection = Self { builder, state: State::AtRest(Box::new((stream, service))), finishing: false };
        connection.wake();
        connection
    }

    /// The stream, unless it was upgraded or has ended.
    pub(super) fn into_stream(self) -> Option<Announcing> {
        match self.state {
            State::Awake(connection) => connection.into_parts().map(|parts| parts.io.into_inner()),
            State::AtRest(parts) => Some(parts.0),
            State::Ended => None,
        }
    }

    fn wake(&mut self) {
        self.state = match replace(&mut self.state, State::Ended) {
            State::AtRest(parts) => {
                let (stream, service) = *parts;
                let connection = self.builder.serve_connection(TokioIo::new(stream), service);
                State::Awake(Box::new(connection.with_upgrades()))
            }
            state => state,
        };
    }
}

impl<S> Future for Resting<S>
where
    S: HttpService<Incoming> + Unpin,
    S::Error: Into<AnyError>,
    S::ResBody: 'static,
    <S::ResBody as Body>::Error: Into<AnyError>,
{
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        if let State::AtRest(parts) = &mut self.state {
            ready!(parts.0.poll_stir(cx));
            // An end or an error as well: hyper meets it again, and closes as always.
            self.wake();
        }
        match &mut self.state {
            State::Awake(connection) => Pin::new(&mut **connection).poll(cx),
            State::AtRest(_) | State::Ended => Poll::Ready(Ok(())),
        }
    }
}

impl<S> Driven for Resting<S>
where
    S: HttpService<Incoming> + Unpin,
    S::Error: Into<AnyError>,
    S::ResBody: 'static,
    <S::ResBody as Body>::Error: Into<AnyError>,
{
    fn finish(mut self: Pin<&mut Self>) {
        self.finishing = true;
        self.wake();
        if let State::Awake(connection) = &mut self.state {
            Pin::new(&mut **connection).graceful_shutdown();
        }
    }

    fn can_rest(&self) -> bool {
        !self.finishing && matches!(self.state, State::Awake(_))
    }

    fn rest(mut self: Pin<&mut Self>) {
        let State::Awake(connection) = replace(&mut self.state, State::Ended) else { return };
        self.state = match connection.into_parts() {
            // What hyper holds back of a head, our own reading took for whole messages. Where two do not agree on where
            // a message ends, nothing good follows: it is closed.
            Some(parts) if parts.read_buf.is_empty() => State::AtRest(Box::new((parts.io.into_inner(), parts.service))),
            _ => State::Ended,
        };
    }
}
