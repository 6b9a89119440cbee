//! How many instructions a whole request takes in our process, counted by callgrind and held to a baseline: what no
//! count of single decisions shows, such as copies and allocations on the way.

use std::process::Command;

use crate::client::{Ask, Connection, HOST, Protocol};
use crate::compare::Stage;
use crate::peers::{self, Kind, Place, Running};
use crate::{Result, baseline};

const REQUESTS: u32 = 1000;

/// Counts W2 and holds it to the baseline.
pub(crate) fn run(bless: bool) -> Result<()> {
    let stage = Stage::set()?;
    let folder = stage.place(1).folder;
    let mut counts = Vec::new();
    for peer in peers::all(None).into_iter().filter(|peer| peer.kind.is_ours()) {
        let out = folder.join(format!("counts-{}", peer.about.id));
        let under =
            ["valgrind", "--tool=callgrind", &format!("--callgrind-out-file={}", out.display())].map(str::to_owned);
        let proxy = peer.start(&Place { under: &under, ..stage.place(1) })?;
        for (index, protocol) in [Protocol::H1, Protocol::H2].into_iter().enumerate() {
            let mut clients = Clients::open(&proxy, protocol)?;
            clients.ask(REQUESTS / 5)?;
            control("--zero", &proxy)?;
            clients.ask(REQUESTS)?;
            control("--dump", &proxy)?;
            let total = baseline::total(&out.with_extension((index + 1).to_string()))?;
            let mode = if peer.kind == Kind::Off { "off" } else { "enforce" };
            counts.push((format!("request, W2, {mode}, {}", protocol.name()), total / u64::from(REQUESTS)));
        }
    }
    if baseline::hold("proxy/instructions.tsv", counts, bless)? {
        Ok(())
    } else {
        Err("slower than the baseline".into())
    }
}

/// Tells callgrind what to do with a process that it runs.
fn control(what: &str, proxy: &Running) -> Result<()> {
    let done = Command::new("callgrind_control").args([what, &proxy.process.id().to_string()]).output()?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if !done.status.success() || !said.contains("OK") {
        return Err(format!("callgrind_control {what}: {said}{}", String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(())
}

/// Eight over HTTP/1.1 with one request each, or one over HTTP/2 with eight: always as many at a time.
struct Clients {
    connections: Vec<Connection>,
    depth: u32,
}

impl Clients {
    fn open(proxy: &Running, protocol: Protocol) -> Result<Self> {
        let (connections, depth) = if protocol == Protocol::H1 { (8, 1) } else { (1, 8) };
        let ask = Ask { path: "/w2", codings: None, host: HOST };
        let open = (0..connections).map(|_| Connection::open(&proxy.target, protocol, ask));
        Ok(Self { connections: open.collect::<Result<_>>()?, depth })
    }

    fn ask(&mut self, requests: u32) -> Result<()> {
        for _ in 0..requests / 8 {
            for connection in &mut self.connections {
                connection.ask(self.depth)?;
            }
            for connection in &mut self.connections {
                let mut answers = 0;
                while answers < self.depth {
                    answers += connection.wait()?.answers;
                }
            }
        }
        Ok(())
    }
}
