//! An HTTP/2 connection, driven by h2: each of its turns ends with all that it had to say.
//!
//! Not by hyper, whose server sends no informational answers over HTTP/2.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::{self, Builder, Handshake};
use h2::{Ping, PingPong, Reason};
use tokio::time::{Duration, Instant};

use super::exchange;
use super::gather::Gathered;
use crate::proxy::Client;
use crate::server::connection::Stream;
use crate::server::watch::Driven;

pub(super) struct Connection {
    state: State,
    stream: Gathered<Stream>,
    client: Arc<Client>,
    /// How long an answer may wait for its client, and the client may say nothing before it is asked if it is there.
    limit: Duration,
    probe: Probe,
    /// It was asked to finish before it had begun.
    finishing: bool,
}

enum State {
    Handshake(Box<Handshake<Gathered<Stream>, Bytes>>),
    Open(Box<server::Connection<Gathered<Stream>, Bytes>>, PingPong),
    /// Its last words may still be on their way.
    Ended,
}

/// When the client was last heard, as far as anybody looked.
struct Probe {
    due: Instant,
    heard: u32,
    asked: bool,
}

impl Connection {
    pub(super) fn new(builder: &Builder, stream: Stream, client: Arc<Client>, limit: Duration) -> Self {
        let stream = Gathered::new(stream);
        let state = State::Handshake(Box::new(builder.handshake(stream.clone())));
        let probe = Probe { due: Instant::now() + limit, heard: 0, asked: false };
        Self { state, stream, client, limit, probe, finishing: false }
    }

    /// Takes what the client asks until it has no more to say; ready once it never will.
    fn poll_streams(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.state {
                State::Handshake(handshake) => {
                    let Ok(mut connection) = ready!(Pin::new(&mut **handshake).poll(cx)) else {
                        return Poll::Ready(());
                    };
                    let Some(ping) = connection.ping_pong() else { return Poll::Ready(()) };
                    if self.finishing {
                        connection.graceful_shutdown();
                    }
                    self.state = State::Open(Box::new(connection), ping);
                }
                State::Open(connection, ping) => {
                    // Nobody waits for an answer to a ping; that one came is a sign of life like any other.
                    if self.probe.asked {
                        let _ = ping.poll_pong(cx);
                    }
                    let Some(Ok((request, respond))) = ready!(connection.poll_accept(cx)) else {
                        return Poll::Ready(());
                    };
                    // Boxed, for tokio moves a task several times. A stream that is dropped is reset.
                    tokio::spawn(Box::pin(exchange::serve(Arc::clone(&self.client), request, respond, self.limit)));
                }
                State::Ended => return Poll::Ready(()),
            }
        }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_streams(cx).is_ready() {
            self.state = State::Ended;
        }
        match self.stream.poll_turn_end(cx) {
            // Nobody is there to read any more.
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(())) if matches!(self.state, State::Ended) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl Driven for Connection {
    fn finish(mut self: Pin<&mut Self>) {
        self.finishing = true;
        if let State::Open(connection, _) = &mut self.state {
            connection.graceful_shutdown();
        }
    }

    fn part(mut self: Pin<&mut Self>) -> bool {
        let State::Open(connection, _) = &mut self.state else { return false };
        connection.abrupt_shutdown(Reason::NO_ERROR);
        true
    }

    fn probe_at(&self) -> Option<Instant> {
        Some(self.probe.due)
    }

    fn probe(mut self: Pin<&mut Self>) -> bool {
        let heard = self.client.activity.heard();
        let Self { state, probe, limit, .. } = &mut *self;
        let silent = probe.heard == heard;
        if silent && probe.asked {
            return false;
        }
        (probe.due, probe.heard, probe.asked) = (Instant::now() + *limit, heard, silent);
        if let State::Open(_, ping) = state
            && silent
        {
            // One that is on its way still will do.
            let _ = ping.send_ping(Ping::opaque());
        }
        true
    }
}
