//! Whether a second worker costs the first anything: CPU per request with one and with two under the same load, and how
//! often a request waits for a lock. On a machine whose cores the load needs too, throughput could not show it.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::client::{Ask, HOST, Protocol};
use crate::compare::Stage;
use crate::load::{self, Done, Shape};
use crate::options::Options;
use crate::peers::{self, Kind, Running};
use crate::results::median;

const ASK: Ask<'_> = Ask { path: "/w2", codings: None, host: HOST };

/// Measures W2 under `enforce`; gives a table.
pub(crate) fn run(options: &Options) -> Result<String> {
    let stage = Stage::set()?;
    let ours =
        peers::all(None).into_iter().find(|peer| peer.kind == Kind::Enforce).ok_or("our own binary is missing")?;
    let proxies = [1, 2].map(|workers| ours.start(&stage.place(workers)));
    let [one, two] = proxies;
    let proxies = [one?, two?];
    let mut out =
        "| W2, enforce | 1 worker | 2 workers | 2 ÷ 1 | futex calls a request, 1 | 2 |\n|---|---|---|---|---|---|\n"
            .to_owned();
    let effort = &options.effort;
    for protocol in [Protocol::H1, Protocol::H2] {
        let ask = |proxy: &Running, time| -> Result<Done> {
            let times = (effort.warm, time);
            load::run(&proxy.target, ASK, Shape::usual(protocol), times, || proxy.process.cpu())
        };
        let mut cpu = [Vec::new(), Vec::new()];
        for _ in 0..effort.rounds {
            for (proxy, cpu) in proxies.iter().zip(&mut cpu) {
                let done = ask(proxy, effort.time)?;
                cpu.push(1e6 * done.cpu.as_secs_f64() / done.requests as f64);
            }
        }
        let ratios: Vec<f64> = cpu[0].iter().zip(&cpu[1]).map(|(one, two)| two / one).collect();
        let best = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let [first, second] = [0, 1].map(|index| waits(&proxies[index], || ask(&proxies[index], effort.time)));
        let _ = writeln!(
            out,
            "| {} | {:.1} ({:.1}) µs | {:.1} ({:.1}) µs | {:.2} | {} | {} |",
            protocol.name(),
            best(&cpu[0]),
            median(&cpu[0]),
            best(&cpu[1]),
            median(&cpu[1]),
            median(&ratios),
            first?,
            second?,
        );
    }
    let _ = writeln!(out, "\n{}", stage.machine.words());
    Ok(out)
}

/// `futex` calls for each request, as strace counts them: a lock that is free makes none.
fn waits(proxy: &Running, ask: impl FnOnce() -> Result<Done>) -> Result<String> {
    let id = proxy.process.id().to_string();
    let words = ["-f", "-c", "-e", "trace=futex", "-p", &id];
    let Ok(tracer) = Command::new("strace").args(words).stderr(Stdio::piped()).spawn() else {
        return Ok("no strace".to_owned());
    };
    // It attaches to each thread.
    thread::sleep(Duration::from_millis(300));
    let done = ask();
    Command::new("kill").args(["-INT", &tracer.id().to_string()]).status()?;
    let said = String::from_utf8_lossy(&tracer.wait_with_output()?.stderr).into_owned();
    if !said.contains("attached") {
        return Ok("strace may not look".to_owned());
    }
    let done = done?;
    let line = said.lines().find(|line| line.trim_end().ends_with("futex"));
    let calls: f64 = line.and_then(|line| line.split_whitespace().nth(3)).map_or(Ok(0.0), str::parse)?;
    Ok(format!("{:.5} of {}", calls / done.requests as f64, done.requests))
}
