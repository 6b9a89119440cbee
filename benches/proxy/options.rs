//! What the command line asks for, and how long that may take.

use std::path::PathBuf;
use std::time::Duration;

use crate::Result;

pub(crate) const USAGE: &str = "\
cargo bench --bench proxy -- [WHAT] [OPTIONS]

WHAT (default: the comparison)
  cores          CPU per request and waits for locks with one worker and with two, on both protocols
  instructions   of a whole request, counted by callgrind, beside a baseline; --bless makes a new one
  table [FILE]   the tables of an earlier run as Markdown; default: target/bench/proxy.json

OPTIONS
  --quick             under a minute instead of under ten, and less steady
  --rounds N          instead of 5
  --only TEXT         only what has TEXT in its id: w1, w2, w3, w3-clean, w3-gzip, w3-any, bulk, tls, memory, latency
  --peers A,B         only these: off, enforce, nginx, haproxy, envoy
  --beside PATH       also another build of consentry, as `off beside` and `enforce beside`";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Compare,
    Cores,
    Instructions { bless: bool },
    Table(Option<PathBuf>),
    Usage,
}

/// The command line, read.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) what: What,
    pub(crate) effort: Effort,
    pub(crate) only: Option<String>,
    peers: Option<Vec<String>>,
    pub(crate) beside: Option<String>,
}

/// How much is done of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) name: &'static str,
    pub(crate) rounds: usize,
    pub(crate) warm: Duration,
    /// Of one cell: a workload, a protocol, a proxy, a round.
    pub(crate) time: Duration,
    /// Of one round.
    pub(crate) handshakes: u32,
    /// That idle, for memory.
    pub(crate) idle: usize,
    pub(crate) latency: Duration,
    pub(crate) latency_rounds: usize,
    /// Requests a second, for latency.
    pub(crate) rate: u32,
}

const FULL: Effort = Effort {
    name: "full",
    rounds: 5,
    warm: Duration::from_millis(200),
    time: Duration::from_millis(800),
    handshakes: 250,
    idle: 2000,
    latency: Duration::from_secs(3),
    latency_rounds: 3,
    rate: 2000,
};

const QUICK: Effort = Effort {
    name: "quick",
    rounds: 2,
    warm: Duration::from_millis(60),
    time: Duration::from_millis(160),
    handshakes: 60,
    idle: 200,
    latency: Duration::from_millis(500),
    latency_rounds: 1,
    rate: 2000,
};

/// Only that it runs.
const TEST: Effort = Effort {
    name: "test",
    rounds: 1,
    warm: Duration::from_millis(10),
    time: Duration::from_millis(20),
    handshakes: 2,
    idle: 8,
    latency: Duration::from_millis(100),
    latency_rounds: 1,
    rate: 320,
};

impl Effort {
    /// Figures of this run mean nothing.
    pub(crate) fn is_test(&self) -> bool {
        self.name == TEST.name
    }
}

impl Options {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut words = words.peekable();
        let (mut what, mut effort, mut only, mut peers, mut beside) = (What::Compare, FULL, None, None, None);
        let (mut bench, mut rounds) = (false, None);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match &*word {
                // `cargo bench` says the first; it, or `cargo test`, the second.
                "--bench" => bench = true,
                "--test" => effort = TEST,
                "--quick" => effort = QUICK,
                "--rounds" => rounds = Some(value()?.parse()?),
                "--only" => only = Some(value()?),
                "--peers" => peers = Some(value()?.split(',').map(str::to_lowercase).collect()),
                "--beside" => beside = Some(value()?),
                "cores" => what = What::Cores,
                "instructions" => what = What::Instructions { bless: words.next_if_eq("--bless").is_some() },
                "table" => what = What::Table(words.next_if(|word| !word.starts_with('-')).map(PathBuf::from)),
                "--help" | "-h" => what = What::Usage,
                _ => return Err(format!("`{word}` is not understood\n\n{USAGE}").into()),
            }
        }
        if !bench {
            effort = TEST;
        }
        effort.rounds = rounds.unwrap_or(effort.rounds);
        Ok(Self { what, effort, only, peers, beside })
    }

    /// Whether this is to be measured.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|text| id.contains(&**text))
    }

    /// Whether somebody of this name is to be started.
    pub(crate) fn invites(&self, id: &str) -> bool {
        let id = id.to_lowercase();
        self.peers.as_ref().is_none_or(|peers| peers.iter().any(|peer| *peer == id || id == format!("{peer} beside")))
    }
}
