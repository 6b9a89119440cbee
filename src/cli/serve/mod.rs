//! `consentry serve`: run the proxy until SIGTERM or SIGINT, then drain; on SIGHUP read the configuration again.

mod service;
mod signals;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use signals::Signals;

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
pub(super) fn until_signalled(config: Config, ready: impl FnOnce(&[SocketAddr])) -> ExitCode {
    let _events = telemetry::start(config.log.level, config.log.format);
    // Signals first: whoever has seen `ready` may rely on them.
    match Signals::listen().and_then(|signals| Ok((signals, start(config)?))) {
        Ok((signals, (server, addresses))) => {
            for address in &addresses {
                tracing::info!(%address, "Listening for TLS.");
            }
            ready(&addresses);
            signals.obey(&server);
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

fn start(config: Config) -> std::io::Result<(Server, Vec<SocketAddr>)> {
    let mut given = service::sockets()?;
    let keys = api::keys::load(&config.state)?;
    let store = Store::start(&config).map_err(std::io::Error::other)?;
    let mut sockets = Sockets::bind(&config.listen, &config.redirect, config.workers, &mut given)?;
    if let Some(admin) = &config.admin {
        sockets = sockets.bind_admin(admin.listen, &mut given)?;
    }
    if let Some(stray) = given.first() {
        let address = stray.local_addr()?;
        return Err(std::io::Error::other(format!("systemd gave a socket on {address}, which is not configured")));
    }
    if let Some(address) = sockets.admin_address() {
        tracing::info!(%address, "Listening for administrators.");
    }
    let addresses = sockets.addresses();
    Ok((Server::start(Arc::new(config), Arc::new(keys), store, sockets)?, addresses))
}
