//! `consentry serve`: run the proxy until SIGTERM or SIGINT, then drain.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::server::{Server, Sockets};
use crate::store::Store;
use crate::{api, telemetry};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "consentry.yaml")]
    config: PathBuf,
}

/// Serves until a signal ends it.
pub(super) fn run(args: &Args) -> ExitCode {
    match super::check::load(&args.config) {
        Ok(config) => until_signalled(config, |_| {}),
        Err(code) => code,
    }
}

/// Starts the server, calls `ready` once its sockets are bound, and drains it when a signal comes.
pub(super) fn until_signalled(config: Config, ready: impl FnOnce(&[std::net::SocketAddr])) -> ExitCode {
    telemetry::start(config.log.level, config.log.format);
    // Signals first: whoever has seen `ready` may rely on them.
    match Signals::listen().and_then(|signals| Ok((signals, start(config)?))) {
        Ok((signals, (server, addresses))) => {
            for address in &addresses {
                tracing::info!(%address, "Listening for TLS.");
            }
            ready(&addresses);
            signals.stop(server.stopper());
            match server.join() {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::from(70),
            }
        }
        Err(error) => {
            eprintln!("consentry: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(config: Config) -> std::io::Result<(Server, Vec<std::net::SocketAddr>)> {
    let keys = api::keys::load(&config.state)?;
    let store = Store::start(&config).map_err(std::io::Error::other)?;
    let mut sockets = Sockets::bind(&config.listen, &config.redirect, config.workers)?;
    if let Some(admin) = &config.admin {
        sockets = sockets.bind_admin(admin.listen)?;
    }
    if let Some(address) = sockets.admin_address() {
        tracing::info!(%address, "Listening for administrators.");
    }
    let addresses = sockets.addresses();
    Ok((Server::start(Arc::new(config), Arc::new(keys), store, sockets)?, addresses))
}

/// SIGTERM and SIGINT, received since [`Signals::listen`].
struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let context = runtime.enter();
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        drop(context);
        Ok(Self { runtime, terminate, interrupt })
    }

    /// Waits for the first signal, or for the server to stop by itself, and cancels `stop`. The next signal ends the
    /// process at once: whoever asks twice does not want to wait for the drain limit.
    fn stop(mut self, stop: CancellationToken) {
        let first = self.runtime.block_on(async {
            tokio::select! {
                name = Self::next(&mut self.terminate, &mut self.interrupt) => Some(name),
                () = stop.cancelled() => None,
            }
        });
        if let Some((name, _)) = first {
            tracing::info!("{name}: finishing what is in flight.");
        }
        stop.cancel();
        let again = std::thread::Builder::new().name("signals".into()).spawn(move || {
            let (name, number) = self.runtime.block_on(Self::next(&mut self.terminate, &mut self.interrupt));
            tracing::warn!("{name} again: what is in flight is cut off.");
            std::process::exit(128 + number);
        });
        if let Err(error) = again {
            tracing::warn!(%error, "A second signal will not be heard.");
        }
    }

    /// The name and number of the next signal.
    async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> (&'static str, i32) {
        tokio::select! {
            _ = terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}
