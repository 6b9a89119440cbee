//! The comparison: starts everybody, looks whether they do their work, and lets them take turns.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::client::{Ask, HOST, Protocol};
use crate::handshakes::{self, Hands};
use crate::load::{self, Shape};
use crate::machine::{Machine, open_files};
use crate::options::{Effort, Options};
use crate::origin::Origin;
use crate::peers::{self, Place, Running};
use crate::results::{Figure, Results};
use crate::workload::{BULK, REQUESTS, Workload};
use crate::{Result, memory, timing, verify};

/// How many figures a proxy that can do everything has: ten of requests, one download, three handshakes, two of memory.
pub(crate) const FIGURES: usize = 10 + 1 + 3 + 2;

/// Everything that measuring needs.
pub(crate) struct Bench {
    pub(crate) effort: Effort,
    pub(crate) running: Vec<Running>,
    pub(crate) stage: Stage,
}

/// What proxies are put on.
pub(crate) struct Stage {
    pub(crate) machine: Machine,
    pub(crate) origin: Origin,
    authority: Authority,
    folder: TempDir,
    tls: Arc<ClientConfig>,
}

impl Stage {
    /// Makes a certificate, and starts the origin.
    pub(crate) fn set() -> Result<Self> {
        let machine = Machine::prepare();
        let folder = tempfile::tempdir()?;
        let authority = Authority::new();
        authority.issue(folder.path(), "site", &[HOST, timing::HOST]);
        let read = |name: &str| fs::read_to_string(folder.path().join(name));
        fs::write(folder.path().join("both.pem"), read("site.pem")? + &read("site.key")?)?;
        fs::write(folder.path().join("policy.yaml"), include_str!("peers/policy.yaml"))?;
        let tls = Hands::Full.config(&authority.roots())?;
        Ok(Self { machine, origin: Origin::start()?, authority, folder, tls })
    }

    /// For proxies with so many workers.
    pub(crate) fn place(&self, workers: usize) -> Place<'_> {
        let (folder, origin) = (self.folder.path(), self.origin.address);
        Place { folder, origin, tls: &self.tls, cores: &self.machine.cores, workers, under: &[] }
    }
}

/// Measures what the options want.
pub(crate) fn run(options: &Options) -> Result<Results> {
    let begun = Instant::now();
    let stage = Stage::set()?;
    eprintln!("{}", stage.machine.words());
    let running = start(options, &stage.place(1))?;
    let mut bench = Bench { effort: options.effort, running, stage };
    let machine = bench.stage.machine.clone();
    let mut results = Results { machine, effort: options.effort.name.to_owned(), ..Results::default() };
    results.peers = bench.running.iter().map(|proxy| proxy.peer.about.clone()).collect();
    bench.requests(options, &mut results.figures)?;
    bench.download(options, &mut results.figures)?;
    bench.handshakes(options, &mut results.figures)?;
    bench.memory(options, &mut results.figures)?;
    if options.wants("latency") {
        timing::measure(&bench, &mut results)?;
    }
    bench.running.clear();
    results.seconds = begun.elapsed().as_secs();
    Ok(results)
}

/// Starts everybody who is invited; of the others' trouble is told, ours is an error.
fn start(options: &Options, place: &Place<'_>) -> Result<Vec<Running>> {
    let mut running = Vec::new();
    for peer in peers::all(options.beside.as_deref()) {
        if !options.invites(&peer.about.id) {
            continue;
        }
        let started = peer.start(place).and_then(|proxy| {
            REQUESTS.iter().try_for_each(|workload| verify::look(&proxy, workload).map(drop))?;
            Ok(proxy)
        });
        match started {
            // Of others a test asks only whether their configuration does what it should.
            Ok(proxy) if options.effort.is_test() && !peer.kind.is_ours() => drop(proxy),
            Ok(proxy) => running.push(proxy),
            Err(error) if peer.kind.is_ours() => return Err(error),
            Err(error) => eprintln!("without {}: {error}", peer.about.id),
        }
    }
    eprintln!("{}", running.iter().map(|proxy| &*proxy.peer.about.version).collect::<Vec<_>>().join("; "));
    Ok(running)
}

/// The same for all cells.
fn figure(proxy: &Running, id: &str, title: &str, unit: &str) -> Figure {
    let (id, title, unit) = (id.to_owned(), title.to_owned(), unit.to_owned());
    let peer = proxy.peer.about.id.clone();
    Figure { id, title, unit, peer, rounds: Vec::new(), rate: None, lacks: None, bytes: None }
}

impl Bench {
    /// Each round gives every proxy its turn; those that fail are left out of this figure.
    fn rounds(
        &self,
        mut figures: Vec<Figure>,
        into: &mut Vec<Figure>,
        mut measure: impl FnMut(&Running, &mut Figure) -> Result<Option<f64>>,
    ) -> Result<()> {
        let mut out = vec![false; figures.len()];
        for _ in 0..self.effort.rounds {
            for (index, (proxy, figure)) in self.running.iter().zip(&mut figures).enumerate() {
                if out[index] {
                    continue;
                }
                match measure(proxy, figure) {
                    Ok(Some(value)) => figure.rounds.push(value),
                    Ok(None) => out[index] = true,
                    Err(error) if proxy.peer.kind.is_ours() => {
                        return Err(format!("{} at {}: {error}", figure.peer, figure.id).into());
                    }
                    Err(error) => {
                        eprintln!("without {} at {}: {error}", figure.peer, figure.id);
                        out[index] = true;
                    }
                }
            }
        }
        for (figure, out) in figures.into_iter().zip(out) {
            if !out {
                eprintln!("{:18} {:10} {:9.1} {}", figure.id, figure.peer, figure.best(), figure.unit);
                into.push(figure);
            }
        }
        Ok(())
    }

    fn requests(&self, options: &Options, into: &mut Vec<Figure>) -> Result<()> {
        for workload in REQUESTS.iter().filter(|workload| options.wants(workload.id)) {
            for protocol in [Protocol::H1, Protocol::H2].into_iter().take(if workload.h2 { 2 } else { 1 }) {
                self.cells(workload, protocol, into)?;
            }
        }
        Ok(())
    }

    fn cells(&self, workload: &Workload, protocol: Protocol, into: &mut Vec<Figure>) -> Result<()> {
        let ask = Ask { path: workload.path, codings: workload.codings, host: HOST };
        let (id, title) =
            (format!("{} {}", workload.id, protocol.name()), format!("{}, {}", workload.title, protocol.name()));
        let mut figures = Vec::new();
        for proxy in &self.running {
            let mut figure = figure(proxy, &id, &title, "CPU µs a request");
            figure.lacks = proxy.peer.kind.lacks(workload).map(str::to_owned);
            figure.bytes = Some(verify::look(proxy, workload)?);
            figures.push(figure);
        }
        let times = (self.effort.warm, self.effort.time);
        self.rounds(figures, into, |proxy, figure| {
            let done = load::run(&proxy.target, ask, Shape::usual(protocol), times, || proxy.process.cpu())?;
            let rate = done.requests as f64 / done.time.as_secs_f64();
            figure.rate = Some(figure.rate.map_or(rate, |fastest| fastest.max(rate)));
            Ok(Some(1e6 * done.cpu.as_secs_f64() / done.requests as f64))
        })
    }

    fn download(&self, options: &Options, into: &mut Vec<Figure>) -> Result<()> {
        if !options.wants(BULK.id) {
            return Ok(());
        }
        let ask = Ask { path: BULK.path, codings: None, host: HOST };
        let shape = Shape { protocol: Protocol::H1, connections: 2, depth: 1 };
        let figures = self.running.iter().map(|proxy| figure(proxy, "bulk h1", BULK.title, "CPU ms a GiB")).collect();
        let times = (self.effort.warm, self.effort.time);
        self.rounds(figures, into, |proxy, _| {
            let done = load::run(&proxy.target, ask, shape, times, || proxy.process.cpu())?;
            Ok(Some(1e3 * done.cpu.as_secs_f64() / (done.bytes as f64 / (1_u64 << 30) as f64)))
        })
    }

    fn handshakes(&self, options: &Options, into: &mut Vec<Figure>) -> Result<()> {
        let roots = self.stage.authority.roots();
        for hands in Hands::ALL.into_iter().filter(|hands| options.wants(hands.id())) {
            let each = |proxy| figure(proxy, hands.id(), hands.title(), "CPU µs a handshake");
            let figures = self.running.iter().map(each).collect();
            self.rounds(figures, into, |proxy, _| {
                let time = handshakes::measure(proxy, hands, &roots, self.effort.handshakes)?;
                Ok(time.map(|time| 1e6 * time.as_secs_f64()))
            })?;
        }
        Ok(())
    }

    /// Once each: memory once given is not always given back, so that a second round would see less.
    fn memory(&self, options: &Options, into: &mut Vec<Figure>) -> Result<()> {
        if !options.wants("memory") {
            return Ok(());
        }
        let idle = self.effort.idle.min(open_files().saturating_sub(200));
        for protocol in [Protocol::H1, Protocol::H2] {
            let (id, title) =
                (format!("memory {}", protocol.name()), format!("{idle} idle connections, {}", protocol.name()));
            for proxy in &self.running {
                let mut figure = figure(proxy, &id, &title, "KiB a connection");
                let ask = Ask { path: "/w1", codings: None, host: HOST };
                match memory::measure(proxy, protocol, ask, idle) {
                    Ok(bytes) => figure.rounds.push(bytes / 1024.0),
                    Err(error) => {
                        eprintln!("without {} at {id}: {error}", figure.peer);
                        continue;
                    }
                }
                eprintln!("{:18} {:10} {:9.1} {}", figure.id, figure.peer, figure.best(), figure.unit);
                into.push(figure);
            }
        }
        Ok(())
    }
}
