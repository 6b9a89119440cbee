//! Who is measured: ourselves, and what of nginx, HAProxy and Envoy is installed; each with a configuration from this
//! folder, and with a word on what it cannot do.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::client::Target;
use crate::machine::{Cores, said};
use crate::process::Process;
use crate::workload::{Task, Workload};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ourselves with `mode: off`: everything passes.
    Off,
    /// Ourselves with `mode: enforce`.
    Enforce,
    Nginx,
    Haproxy,
    Envoy,
}

/// Somebody to be started.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) about: About,
    program: String,
}

/// Somebody in results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) id: String,
    pub(crate) version: String,
}

/// Somebody who runs.
pub(crate) struct Running {
    pub(crate) peer: Peer,
    pub(crate) process: Process,
    pub(crate) target: Target,
    /// Where [`Kind::Enforce`] tells its metrics.
    pub(crate) admin: SocketAddr,
}

/// Where a proxy stands, for its configuration.
pub(crate) struct Place<'a> {
    /// Of certificates, configurations, logs and state.
    pub(crate) folder: &'a Path,
    pub(crate) origin: SocketAddr,
    pub(crate) tls: &'a Arc<ClientConfig>,
    pub(crate) cores: &'a Cores,
    pub(crate) workers: usize,
    /// Words before the command: a program that watches it.
    pub(crate) under: &'a [String],
}

/// All that can be measured here. `beside` is another build of ours, to compare with.
pub(crate) fn all(beside: Option<&str>) -> Vec<Peer> {
    let mut peers = Vec::new();
    let mut add = |kind, id: &str, program: &str, flag: &str| {
        let version = said(program, &[flag]);
        if !version.is_empty() {
            let about = About { id: id.to_owned(), version: version.trim_start_matches("nginx version: ").to_owned() };
            peers.push(Peer { kind, about, program: program.to_owned() });
        }
    };
    let ours = env!("CARGO_BIN_EXE_consentry");
    add(Kind::Off, "off", ours, "--version");
    add(Kind::Enforce, "enforce", ours, "--version");
    if let Some(beside) = beside {
        add(Kind::Off, "off beside", beside, "--version");
        add(Kind::Enforce, "enforce beside", beside, "--version");
    }
    add(Kind::Nginx, "nginx", "nginx", "-v");
    add(Kind::Haproxy, "HAProxy", "haproxy", "-v");
    add(Kind::Envoy, "Envoy", "envoy", "--version");
    peers
}

impl Peer {
    /// Starts it on ports that are free, and again on others if somebody was quicker.
    pub(crate) fn start(&self, place: &Place<'_>) -> Result<Running> {
        let first = self.try_start(place);
        first.or_else(|_| self.try_start(place))
    }

    fn try_start(&self, place: &Place<'_>) -> Result<Running> {
        let (address, admin) = (free()?, free()?);
        let name = self.about.id.replace(' ', "-");
        let (template, ending) = match self.kind {
            Kind::Off | Kind::Enforce => (include_str!("consentry.yaml"), "yaml"),
            Kind::Nginx => (include_str!("nginx.conf"), "conf"),
            Kind::Haproxy => (include_str!("haproxy.cfg"), "cfg"),
            Kind::Envoy => (include_str!("envoy.yaml"), "yaml"),
        };
        let mode = if self.kind == Kind::Off { "off" } else { "enforce" };
        let folder = place.folder.display().to_string();
        let text = [
            ("folder", folder.as_str()),
            ("name", &name),
            ("mode", mode),
            ("listen", &address.to_string()),
            ("port", &address.port().to_string()),
            ("admin", &admin.to_string()),
            ("origin", &place.origin.to_string()),
            ("originport", &place.origin.port().to_string()),
            ("workers", &place.workers.to_string()),
        ]
        .into_iter()
        .fold(template.to_owned(), |text, (key, value)| text.replace(&format!("@{key}@"), value));
        let file = place.folder.join(format!("{name}.{ending}"));
        fs::write(&file, text)?;
        let file = file.display().to_string();
        let workers = place.workers.to_string();
        let arguments: &[&str] = match self.kind {
            Kind::Off | Kind::Enforce => &["serve", "--config", &file],
            Kind::Nginx => &["-c", &file],
            Kind::Haproxy => &["-db", "-f", &file],
            Kind::Envoy => &["-c", &file, "--concurrency", &workers, "-l", "error", "--disable-hot-restart"],
        };
        let words = [&*self.program].into_iter().chain(arguments.iter().copied()).map(str::to_owned);
        let command: Vec<String> = place.under.iter().cloned().chain(words).collect();
        // More than one worker may go where it likes.
        let cores = place.cores.proxy.as_deref().filter(|_| place.workers == 1);
        let process = Process::start(&command, cores, &place.folder.join(format!("{name}.log")), address)?;
        let target = Target { address, tls: Some(Arc::clone(place.tls)) };
        Ok(Running { peer: self.clone(), process, target, admin })
    }
}

impl Kind {
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Off | Self::Enforce)
    }

    /// What this one does not do of a workload's task; it is told beside its figure.
    pub(crate) fn lacks(self, workload: &Workload) -> Option<&'static str> {
        let coded = workload.codings.is_some();
        match (self, workload.task) {
            (Self::Off, Task::Cookies | Task::Page | Task::CleanPage) => Some("passes everything on, as it is told to"),
            (Self::Nginx, Task::Cookies) => {
                Some("keeps a list of names, and writes their cookies anew without lifetime and other attributes")
            }
            (Self::Haproxy, Task::Cookies) => Some("leaves empty `Set-Cookie:` lines for those that it drops"),
            (Self::Nginx, Task::Page | Task::CleanPage) if coded => {
                Some("replaces four strings, removes nothing; asks the origin for the uncompressed page; gzip level 2")
            }
            (Self::Nginx, Task::Page | Task::CleanPage) => Some("replaces four strings, removes nothing"),
            (Self::Haproxy, Task::Page | Task::CleanPage) => Some("passes the page on: it does not change bodies"),
            (Self::Envoy, Task::Page | Task::CleanPage) if coded => {
                Some("Lua patterns for four tags as they stand here, over the page as a whole; answers uncompressed")
            }
            (Self::Envoy, Task::Page | Task::CleanPage) => {
                Some("Lua patterns for four tags as they stand here, over the page as a whole")
            }
            _ => None,
        }
    }
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
