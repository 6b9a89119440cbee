//! Clients that never stop asking, over connections that they keep, and count what goes wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::program::connect_with;

/// A few clients at work.
pub(crate) struct Load {
    clients: JoinSet<()>,
    end: watch::Sender<bool>,
    good: watch::Sender<usize>,
    bad: Arc<std::sync::Mutex<Vec<String>>>,
}

enum Sender {
    H1(http1::SendRequest<Empty<Bytes>>),
    H2(http2::SendRequest<Empty<Bytes>>),
}

impl Load {
    /// Starts clients, half of them with HTTP/2, each of which asks one request after the other.
    pub(crate) fn start(address: SocketAddr, roots: &RootCertStore, clients: usize) -> Self {
        let (end, ended) = watch::channel(false);
        let (good, bad) = (watch::Sender::new(0), Arc::<std::sync::Mutex<Vec<String>>>::default());
        let mut set = JoinSet::new();
        for number in 0..clients {
            let (roots, ended, good, bad) = (roots.clone(), ended.clone(), good.clone(), Arc::clone(&bad));
            set.spawn(async move {
                while !*ended.borrow() {
                    // Whoever cannot connect has lost no request: the proxy is gone.
                    let Some(mut sender) = Sender::connect(address, &roots, number % 2 == 0).await else { return };
                    while !*ended.borrow() && sender.is_ready().await {
                        match sender.ask().await {
                            Ok(()) => good.send_modify(|good| *good += 1),
                            // hyper says so of requests of which it has sent nothing.
                            Err(Some(error)) if error.is_canceled() => break,
                            Err(error) => {
                                bad.lock().unwrap().push(format!("client {number}: {error:?}"));
                                break;
                            }
                        }
                    }
                }
            });
        }
        Self { clients: set, end, good, bad }
    }

    /// Waits for so many more answers.
    pub(crate) async fn more(&self, answers: usize) {
        let until = *self.good.borrow() + answers;
        self.good.subscribe().wait_for(|good| *good >= until).await.unwrap();
    }

    /// Ends the clients; gives the number of good answers, and what went wrong.
    pub(crate) async fn end(mut self) -> (usize, Vec<String>) {
        let _ = self.end.send(true);
        while self.clients.join_next().await.is_some() {}
        let bad = self.bad.lock().unwrap().clone();
        (*self.good.borrow(), bad)
    }
}

impl Sender {
    async fn connect(address: SocketAddr, roots: &RootCertStore, h2: bool) -> Option<Self> {
        let protocol: &[u8] = if h2 { b"h2" } else { b"http/1.1" };
        let stream = TokioIo::new(connect_with(address, roots, "shop.example", &[protocol]).await.ok()?);
        Some(if h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.ok()?;
            tokio::spawn(connection);
            Self::H2(sender)
        } else {
            let (sender, connection) = http1::handshake(stream).await.ok()?;
            tokio::spawn(connection);
            Self::H1(sender)
        })
    }

    async fn is_ready(&mut self) -> bool {
        match self {
            Self::H1(sender) => sender.ready().await.is_ok(),
            Self::H2(sender) => sender.ready().await.is_ok(),
        }
    }

    async fn ask(&mut self) -> Result<(), Option<hyper::Error>> {
        let request = Request::builder().body(Empty::new()).unwrap();
        let response: Response<Incoming> = match self {
            Self::H1(sender) => {
                let mut request = request;
                request.headers_mut().insert("host", "shop.example".parse().unwrap());
                sender.send_request(request).await?
            }
            Self::H2(sender) => {
                let mut request = request;
                *request.uri_mut() = "https://shop.example/".parse().unwrap();
                sender.send_request(request).await?
            }
        };
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status == 200 && &body[..] == b"fine" { Ok(()) } else { Err(None) }
    }
}
