//! `consentry demo`: the shop, a certificate, and the proxy before it, on this machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use super::{certificate, serve as serve_shop, welcome};
use crate::cli::{check, serve};
use crate::config::{self, CertificateFiles, Config};
use crate::telemetry;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the proxy listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Where the development certificate is made and kept
    #[arg(long, value_name = "FOLDER", default_value = "certs")]
    certs: PathBuf,
}

/// Runs the demo until a signal ends it.
pub fn run(args: &Args) -> ExitCode {
    match start(args) {
        Ok((shop, config, ca)) => {
            let code = serve::until_signalled(config, |addresses| {
                let address = addresses.first().copied().unwrap_or(args.listen);
                println!("{}", welcome(address, &ca));
            });
            shop.stop();
            code
        }
        Err(error) => {
            eprintln!("consentry: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> io::Result<(RunningShop, Config, PathBuf)> {
    let now = u64::try_from(telemetry::now().0).unwrap_or_default();
    let files = certificate::ensure(&args.certs, &[], now).map_err(io::Error::other)?;
    let shop = RunningShop::start()?;
    let text = TEMPLATE
        .replace("LISTEN", &args.listen.to_string())
        .replace("CERTIFICATE", &absolute(&files.chain)?)
        .replace("KEY", &absolute(&files.key)?)
        .replace("STATE", &absolute(&args.certs.join("demo-state"))?)
        .replace("ORIGIN", &shop.address.to_string());
    let config = config::parse(&text, "demo.yaml", Path::new(""), telemetry::now().0, CertificateFiles::Read);
    let (config, _) = config.map_err(|problems| {
        let _ = check::print(&problems, false);
        io::Error::other("the demo's configuration is wrong")
    })?;
    Ok((shop, config, files.ca))
}

/// The demo's configuration; the capitals are filled in.
const TEMPLATE: &str = include_str!("demo.yaml");

/// As a YAML string: paths may hold anything.
fn absolute(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?;
    Ok(serde_json::Value::from(path.to_string_lossy()).to_string())
}

/// The shop on a thread of its own, as an origin on another machine would be.
struct RunningShop {
    address: SocketAddr,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl RunningShop {
    fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("shop".into());
        let thread = thread.spawn(move || runtime.block_on(serve_shop(listener, stopped)))?;
        Ok(Self { address, stop, thread })
    }

    fn stop(self) {
        self.stop.cancel();
        let _ = self.thread.join();
    }
}
