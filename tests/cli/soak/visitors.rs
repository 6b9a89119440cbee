//! Visitors who behave: over HTTP/1.1 and HTTP/2, with connections that they keep and without, each of whom looks at
//! what it gets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use rustls::RootCertStore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::errands::{ERRANDS, Errand, expect, get, told};
use super::met::Met;
use super::pages::TRACKERS;
use crate::program::connect_with;
use crate::support::Client;
use crate::support::client::{Reply, collect};

/// Longer than anything takes that works.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What all clients share.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    pub(super) roots: RootCertStore,
    pub(super) met: Arc<Met>,
    pub(super) end: CancellationToken,
    /// How many times as often as in a long run everything happens.
    pub(super) hurry: u32,
}

impl Place {
    pub(super) fn every(&self, pause: Duration) -> Duration {
        pause / self.hurry
    }

    pub(super) async fn client(&self, site: &str, h2: bool) -> Result<Client, String> {
        let protocol: &[u8] = if h2 { b"h2" } else { b"http/1.1" };
        let stream = connect_with(self.address, &self.roots, site, &[protocol]).await;
        let stream = stream.map_err(|error| format!("no connection: {error}"))?;
        Client::over(stream, site, h2).await.map_err(|error| format!("no connection: {error:?}"))
    }

    /// Does something until the end, with a pause each time, and notes what comes of it.
    pub(super) async fn repeat<F: Future<Output = Result<(), String>>>(
        &self,
        what: &'static str,
        site: Option<&'static str>,
        pause: Duration,
        mut act: impl FnMut(usize) -> F,
    ) {
        for turn in 0.. {
            let began = Instant::now();
            let came = timeout(PATIENCE, act(turn)).await.unwrap_or_else(|_| Err("it hangs".to_owned()));
            self.met.note(what, site, began, came);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.end.cancelled() => return,
            }
        }
    }

    /// A visitor who does all errands; over a connection that is kept for so many.
    pub(super) async fn browse(self, site: &'static str, h2: bool, first: usize, kept: usize, pause: Duration) {
        let mut client = None;
        let mut left = 0;
        for turn in first.. {
            let errand = if turn % 97 == 0 { Errand::Download } else { ERRANDS[turn % ERRANDS.len()] };
            let began = Instant::now();
            let came = async {
                if client.is_none() || left == 0 {
                    (client, left) = (Some(self.client(site, h2).await?), kept);
                }
                left -= 1;
                let client = client.as_mut().expect("it was made above");
                errand.run(client, kept == 1).await
            };
            let came = timeout(PATIENCE, came).await.unwrap_or_else(|_| Err("it hangs".to_owned()));
            // hyper says so of a request of which it has sent nothing: the connection was closed before.
            let unsent = came.as_ref().is_err_and(|why| why.contains("Canceled"));
            if came.is_err() {
                client = None;
            }
            if !unsent {
                self.met.note(errand.name(), Some(site), began, came);
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.end.cancelled() => return,
            }
        }
    }

    /// Several answers at a time over one connection of HTTP/2, of which the first takes the longest.
    pub(super) async fn bundle(self, site: &'static str, pause: Duration) {
        self.repeat("several at a time", Some(site), pause, |_| {
            let place = self.clone();
            async move {
                let mut client = place.client(site, true).await?;
                let mut answers = JoinSet::new();
                for path in ["/slow", "/page", "/api", "/page", "/nothing", "/api", "/download", "/_consent/"] {
                    let response = client.start(Method::GET, path, &[], "").await.map_err(told)?;
                    answers.spawn(collect(response));
                }
                while let Some(reply) = answers.join_next().await {
                    let reply = reply.expect("it does not panic").map_err(told)?;
                    let right = [StatusCode::OK, StatusCode::NOT_FOUND].contains(&reply.status);
                    expect(right && !TRACKERS.iter().any(|tracker| reply.text().contains(tracker)), &reply)?;
                }
                Ok(())
            }
        })
        .await;
    }

    /// Visitors who choose, each from a network of its own, look whether it holds, and change their minds.
    pub(super) async fn choose(self, site: &'static str, pause: Duration) {
        // Choices are ours alone to answer: no origin that is away excuses one.
        self.repeat("visitor who chooses", None, pause, |turn| {
            let place = self.clone();
            async move {
                let mut client = place.client(site, turn % 2 == 0).await?;
                let from = format!("10.{}.{}.1", turn / 256 % 256, turn % 256);
                let all = ["decision=accept-all", "decision=reject-all", "decision=save&category=functional"];
                let mut cookie = String::new();
                for form in [all[turn % 3], all[(turn + 1) % 3]] {
                    let reply = place.post_choice(&mut client, site, &from, &cookie, form).await?;
                    let line = reply.set_cookies().into_iter().find(|line| line.starts_with("__Host-consentry="));
                    let line = line.ok_or_else(|| format!("no cookie: {reply:?}"))?;
                    cookie = line.split(';').next().unwrap_or_default().to_owned();
                    let id = cookie.split('.').nth(2).ok_or("no consent id")?;
                    place.met.chose(id.to_owned());
                    let began = Instant::now();
                    let shown = shown(&mut client, &cookie, form.ends_with("accept-all")).await;
                    let failed = shown.is_err();
                    place.met.note("page after a choice", Some(site), began, shown);
                    if failed {
                        client = place.client(site, turn % 2 == 0).await?;
                    }
                }
                Ok(())
            }
        })
        .await;
    }

    async fn post_choice(
        &self,
        client: &mut Client,
        site: &str,
        from: &str,
        cookie: &str,
        form: &str,
    ) -> Result<Reply, String> {
        let origin = format!("https://{site}");
        let mut headers = vec![
            ("origin", &*origin),
            ("x-forwarded-for", from),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        headers.extend((!cookie.is_empty()).then_some(("cookie", cookie)));
        let response = client.start(Method::POST, "/_consent/choice", &headers, form).await;
        let reply = collect(response.map_err(told)?).await.map_err(told)?;
        expect(reply.status == StatusCode::SEE_OTHER, &reply)?;
        Ok(reply)
    }
}

/// Whether the page has trackers exactly if all were granted.
async fn shown(client: &mut Client, cookie: &str, granted: bool) -> Result<(), String> {
    let page = get(client, "/page", &[("cookie", cookie)]).await?;
    let text = page.text();
    let right = TRACKERS.iter().all(|tracker| text.contains(tracker) == granted);
    expect(page.status == StatusCode::OK && right, &page)
}
