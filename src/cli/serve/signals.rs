//! What the main thread does while the workers serve: it hears signals, watches files and certificates, and tells
//! systemd that nothing hangs.

use std::convert::Infallible;
use std::io::Result;
use std::path::PathBuf;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Duration, Instant, interval_at, sleep};

use super::service;
use super::watch::Watch;
use crate::server::{Pulse, Reloader, Server};
use crate::telemetry;

/// How often it is said that a certificate is about to expire.
const DAY: Duration = Duration::from_secs(86_400);

/// SIGTERM, SIGINT, SIGHUP and SIGUSR1, received since [`Signals::listen`].
pub(super) struct Signals {
    runtime: Runtime,
    stop: Stop,
    hangup: Signal,
    reopen: Signal,
}

struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let context = runtime.enter();
        let stop = Stop { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        let hangup = signal(SignalKind::hangup())?;
        let reopen = signal(SignalKind::user_defined1())?;
        drop(context);
        Ok(Self { runtime, stop, hangup, reopen })
    }

    /// Does what signals ask for until one asks to stop, or the server stops by itself; then it drains. The next
    /// signal ends the process at once: whoever asks twice does not want to wait for the drain limit.
    pub(super) fn obey(mut self, server: &Server) {
        let (stop, reloader, mut pulse) = (server.stopper(), server.reloader(), server.pulse());
        let config = reloader.running().config();
        let watch = self.runtime.block_on(async { config.watch.then(|| start_watch(&config.files)).flatten() });
        drop(config);
        service::ready();
        let first = self.runtime.block_on(async {
            tokio::select! {
                name = self.stop.next() => Some(name),
                () = stop.cancelled() => None,
                () = reload(&mut self.hangup, watch, &reloader) => None,
                () = remind(&reloader) => None,
                () = reopen(&mut self.reopen, server) => None,
                () = reassure(&mut pulse) => None,
            }
        });
        if let Some((name, _)) = first {
            tracing::info!("{name}: finishing what is in flight.");
        }
        service::stopping();
        stop.cancel();
        let again = std::thread::Builder::new().name("signals".into()).spawn(move || {
            let (name, number) = self.runtime.block_on(async {
                tokio::select! {
                    signal = self.stop.next() => signal,
                    never = soothe() => match never {},
                }
            });
            tracing::warn!("{name} again: what is in flight is cut off.");
            telemetry::flush_events();
            std::process::exit(128 + number);
        });
        if let Err(error) = again {
            tracing::warn!(%error, "A second signal will not be heard.");
        }
    }
}

impl Stop {
    /// The name and number of the next signal.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}

fn start_watch(files: &[PathBuf]) -> Option<Watch> {
    Watch::new(files)
        .inspect_err(|error| tracing::warn!(%error, "Changed files will not be noticed; SIGHUP has them read."))
        .ok()
}

/// Reads the configuration again on each SIGHUP and, with a watch, when a file has changed.
async fn reload(hangup: &mut Signal, mut watch: Option<Watch>, reloader: &Reloader) {
    loop {
        let changed = async {
            match &mut watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hangup.recv() => {}
            () = changed => {}
        }
        if reloader.running().config().files.is_empty() {
            tracing::warn!("There is no file to read again.");
            continue;
        }
        service::reloading();
        watch.iter_mut().for_each(Watch::before_reading);
        let files = reloader.reload();
        watch.iter_mut().for_each(|watch| watch.look_at(&files));
        service::ready();
    }
}

/// Opens the access log anew on each SIGUSR1: whoever rotates it has moved it away.
async fn reopen(asked: &mut Signal, server: &Server) {
    while asked.recv().await.is_some() {
        server.reopen_log();
    }
}

/// Says once a day which certificates are about to expire; a start and a reload say it too.
async fn remind(reloader: &Reloader) {
    let mut days = interval_at(Instant::now() + DAY, DAY);
    loop {
        days.tick().await;
        for (certificate, days) in reloader.running().config().expiring(telemetry::now().0) {
            let file = certificate.file.display();
            if days < 0 {
                tracing::error!("{file} has expired: browsers refuse it.");
            } else {
                tracing::warn!("{file} expires in {days} days: renew it now.");
            }
        }
    }
}

/// While it drains the watchdog is kept quiet: the drain limit is what ends a worker that hangs now.
async fn soothe() -> Infallible {
    let Some(often) = service::pulse() else { return std::future::pending().await };
    loop {
        service::alive();
        sleep(often).await;
    }
}

/// Tells systemd, where it wants to know, that no worker hangs.
async fn reassure(pulse: &mut Pulse) {
    let Some(often) = service::pulse() else { return std::future::pending().await };
    loop {
        if pulse.is_felt() {
            service::alive();
        }
        sleep(often).await;
    }
}
