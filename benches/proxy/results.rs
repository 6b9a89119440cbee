//! What was found, as it is kept in JSON; tables and plot are drawn from nothing else.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::peers::About;

/// A run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// `full` or `quick`.
    pub(crate) effort: String,
    pub(crate) seconds: u64,
    pub(crate) peers: Vec<About>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) latency: Vec<Latency>,
    pub(crate) timing: Option<Timing>,
}

/// What one proxy spent on one thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// E.g. `w1 h2`.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) unit: String,
    /// The id of an [`About`].
    pub(crate) peer: String,
    /// One a round; all proxies had their turn in each.
    pub(crate) rounds: Vec<f64>,
    /// Requests a second of the fastest round, where requests were made; the load may be what bounds them.
    pub(crate) rate: Option<f64>,
    /// What this proxy does not do of it.
    pub(crate) lacks: Option<String>,
    /// Bytes of an answer's body.
    pub(crate) bytes: Option<usize>,
}

impl Figure {
    pub(crate) fn best(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn median(&self) -> f64 {
        median(&self.rounds)
    }
}

/// The one in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How long answers took at a fixed rate, in microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) protocol: String,
    /// Requests a second.
    pub(crate) rate: u32,
    /// The id of an [`About`], or `origin`: asked without a proxy.
    pub(crate) target: String,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// What we tell of the time that we added, beside what the client sees; in microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// Median latency of the origin without a proxy.
    pub(crate) direct: f64,
    /// Median latency through us.
    pub(crate) through: f64,
    /// Median of `Server-Timing: consentry;dur=`.
    pub(crate) told: f64,
    /// Median of each answer's latency less what was told with it, less `direct`: TLS, the second hop, waking up.
    pub(crate) rest: f64,
    /// What `off` adds: what the rest should come to.
    pub(crate) off: f64,
    /// Answers with which more was told than they took, of all.
    pub(crate) impossible: u64,
    pub(crate) answers: u64,
    /// Mean of what was told.
    pub(crate) mean_told: f64,
    /// Mean of the metric `consentry_added_seconds` over the same requests, and their number.
    pub(crate) mean_metric: f64,
    pub(crate) counted: u64,
    /// Median of what was told while the origin took `slow` for each answer: its time is not ours.
    pub(crate) told_slow: f64,
    pub(crate) slow: f64,
}
