//! `consentry serve`: run the proxy until SIGTERM or SIGINT, then drain.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::server::{Server, Sockets};
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
    match start(config) {
        Ok((server, addresses)) => {
            for address in &addresses {
                tracing::info!(%address, "Listening for TLS.");
            }
            ready(&addresses);
            let stop = server.stopper();
            if let Err(error) = on_signal(&stop) {
                tracing::error!(%error, "Signals cannot be received.");
                stop.cancel();
            }
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
    let sockets = Sockets::bind(&config.listen, &config.redirect, config.workers)?;
    let addresses = sockets.addresses();
    Ok((Server::start(Arc::new(config), Arc::new(keys), sockets)?, addresses))
}

/// Waits for SIGTERM or SIGINT, or for the server to stop by itself, and cancels `stop`.
fn on_signal(stop: &CancellationToken) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: finishing what is in flight."),
            _ = interrupt.recv() => tracing::info!("SIGINT: finishing what is in flight."),
            () = stop.cancelled() => {}
        }
        stop.cancel();
        Ok(())
    })
}
