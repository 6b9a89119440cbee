//! A proxy's process: on one core, with its CPU time and memory read from `/proc`, and ended with the bench.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// Ends when dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` on `core` and waits until it accepts connections; what it says goes to `log`.
    pub(crate) fn start(command: &[String], cores: Option<&str>, log: &Path, address: SocketAddr) -> Result<Self> {
        let mut words: Vec<&str> = cores.map(|cores| vec!["taskset", "-c", cores]).unwrap_or_default();
        words.extend(command.iter().map(String::as_str));
        let file = File::create(log)?;
        let mut starting = Command::new(words[0]);
        starting.args(&words[1..]).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut process = Self { child: starting.spawn().map_err(|error| format!("{}: {error}", words[0]))? };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = process.child.try_wait()?;
            if ended.is_some() || begun.elapsed() > Duration::from_secs(60) {
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("{} does not start: {}", words.join(" "), said.trim()).into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(process)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of the process and its children, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        family(self.id()).into_iter().map(|pid| scheduled(pid).or_else(|| ticked(pid)).unwrap_or_default()).sum()
    }

    /// Resident memory of the process and its children, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        family(self.id()).into_iter().filter_map(resident).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // SIGTERM first: nginx's master takes its workers along.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and all below it.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for task in tasks {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse().ok()).flat_map(family));
    }
    all
}

/// What the scheduler counted for the threads that live, to the nanosecond.
fn scheduled(pid: u32) -> Option<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    (sum > 0).then(|| Duration::from_nanos(sum))
}

/// `utime + stime` (proc(5)), in ticks of 10 ms, where the kernel keeps no such statistics.
fn ticked(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(10 * ticks))
}

fn resident(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
}
