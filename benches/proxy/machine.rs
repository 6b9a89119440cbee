//! What it was measured on, and which core does what.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The machine, in words.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) threads: usize,
    pub(crate) kernel: String,
    pub(crate) compiler: String,
    pub(crate) cores: Cores,
    /// How many others were at work when the run began; above 0.5 or so its figures are of a busy machine.
    pub(crate) busy: f64,
}

/// Who runs where, as lists for `taskset`; `None` where nothing could be pinned.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cores {
    pub(crate) proxy: Option<String>,
    pub(crate) load: Option<String>,
}

impl Machine {
    /// Looks at this machine, and keeps this process, with all threads to come, to the cores for load and origin.
    pub(crate) fn prepare() -> Self {
        raise_files();
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown CPU");
        let cpu = model.trim_start_matches(['\t', ' ', ':']).to_owned();
        let kernel = format!("{} {}", said("uname", &["-s"]), said("uname", &["-r"]));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let busy = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default();
        Self { cpu, threads: threads(), kernel, compiler: said("rustc", &["--version"]), cores: Cores::divide(), busy }
    }

    pub(crate) fn words(&self) -> String {
        let cores = match &self.cores {
            Cores { proxy: Some(proxy), load: Some(load) } => {
                format!("proxy on core {proxy}, load and origin on {load}")
            }
            _ => "nothing pinned, so that load, origin and proxy take turns".to_owned(),
        };
        let busy =
            if self.busy > 0.5 { format!("; busy with other things: load {}", self.busy) } else { String::new() };
        format!("{}, {} cores, {}; {}; {cores}{busy}", self.cpu, self.threads, self.kernel, self.compiler)
    }
}

impl Cores {
    /// One core for the proxy; for the rest all others that do not share it by hyper-threading.
    fn divide() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let allowed = list(allowed.unwrap_or_default());
        let Some((&first, others)) = allowed.split_first() else { return Self::default() };
        let siblings = format!("/sys/devices/system/cpu/cpu{first}/topology/thread_siblings_list");
        let siblings = list(&fs::read_to_string(siblings).unwrap_or_default());
        let apart: Vec<_> = others.iter().filter(|core| !siblings.contains(core)).collect();
        let load: Vec<_> = if apart.is_empty() { others.iter().collect() } else { apart };
        if load.is_empty() {
            return Self::default();
        }
        let load = load.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let own = std::process::id().to_string();
        let pinned = Command::new("taskset").args(["-a", "-p", "-c", &load, &own]).output();
        if !pinned.is_ok_and(|done| done.status.success()) {
            return Self::default();
        }
        Self { proxy: Some(first.to_string()), load: Some(load) }
    }
}

fn threads() -> usize {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    cpuinfo.lines().filter(|line| line.starts_with("processor")).count()
}

/// Reads `0-2,5`.
fn list(text: &str) -> Vec<u32> {
    let ranges = text.trim().split(',').filter_map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(from.parse().ok()?..=to.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// Thousands of connections need as many files, here and in the proxies that we start.
fn raise_files() {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    if let Some(hard) = line.and_then(|line| line.split_whitespace().nth(1)) {
        let own = std::process::id().to_string();
        let _ = Command::new("prlimit").args(["--pid", &own, &format!("--nofile={hard}:{hard}")]).output();
    }
}

/// How many files this process may have open.
pub(crate) fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024)
}

/// The first line that a command says, wherever it says it; empty if there is no such command.
pub(crate) fn said(command: &str, arguments: &[&str]) -> String {
    let Ok(done) = Command::new(command).args(arguments).output() else { return String::new() };
    let both = [done.stdout, done.stderr].concat();
    let text = String::from_utf8_lossy(&both);
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}
