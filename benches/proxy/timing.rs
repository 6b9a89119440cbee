//! Latency at a fixed rate, with and without each proxy; and whether what we tell of the time that we add is true.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use crate::Result;
use crate::client::{Ask, Protocol, Target, dial};
use crate::compare::Bench;
use crate::latency::{self, Seen, micros};
use crate::peers::Kind;
use crate::results::{Latency, Results, Timing, median};

/// The site that tells in `Server-Timing`; otherwise as the other. Proxies that know no hosts take both for one.
pub(crate) const HOST: &str = "timed.example";

const ASK: Ask<'_> = Ask { path: "/w2", codings: None, host: HOST };

/// How long the origin takes, to see that its time is not told as ours.
const SLOW: Duration = Duration::from_millis(5);

/// Somebody to be asked at a fixed rate.
struct Row<'a> {
    id: &'a str,
    kind: Option<Kind>,
    target: Target,
    protocol: Protocol,
    /// One a round.
    rounds: Vec<Seen>,
}

impl Row<'_> {
    /// In microseconds: the median over the rounds, for what else ran on the machine disturbs some of them.
    fn quantile(&self, quantile: f64) -> f64 {
        median(&self.rounds.iter().map(|seen| micros(&seen.latency, quantile)).collect::<Vec<_>>())
    }

    fn all(&self) -> Seen {
        let mut all = Seen::new();
        self.rounds.iter().for_each(|seen| all.add(seen));
        all
    }
}

/// Measures latency of W2, in turns.
pub(crate) fn measure(bench: &Bench, results: &mut Results) -> Result<()> {
    let effort = &bench.effort;
    let direct = Target { address: bench.stage.origin.address, tls: None };
    let row = |id, kind, target, protocol| Row { id, kind, target, protocol, rounds: Vec::new() };
    let mut rows = vec![row("origin", None, direct, Protocol::H1)];
    for protocol in [Protocol::H1, Protocol::H2] {
        let through = |proxy: &'_ crate::peers::Running| (proxy.peer.kind, proxy.target.clone());
        for proxy in &bench.running {
            let (kind, target) = through(proxy);
            rows.push(row(&proxy.peer.about.id, Some(kind), target, protocol));
        }
    }
    let enforce = bench.running.iter().find(|proxy| proxy.peer.kind == Kind::Enforce);
    let mut metric = Metric::default();
    for _ in 0..effort.latency_rounds {
        for row in &mut rows {
            let told = enforce.filter(|proxy| proxy.peer.about.id == row.id && row.protocol == Protocol::H1);
            let before = told.map(|proxy| Metric::read(proxy.admin)).transpose()?;
            row.rounds.push(latency::run(&row.target, row.protocol, ASK, effort.rate, effort.latency)?);
            if let (Some(proxy), Some(before)) = (told, before) {
                metric = metric.plus(&Metric::read(proxy.admin)?.less(&before));
            }
        }
    }
    for row in &rows {
        let (target, protocol) = (row.id.to_owned(), row.protocol.name().to_owned());
        let [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map(|quantile| row.quantile(quantile));
        eprintln!("latency {protocol:11} {target:10} {p50:7.0} {p90:7.0} {p99:7.0} µs (p50, p90, p99)");
        results.latency.push(Latency { protocol, rate: effort.rate, target, p50, p90, p99, p999 });
    }
    if let Some(proxy) = enforce {
        bench.stage.origin.think(SLOW);
        // As many requests as the slow origin can answer on these connections.
        let slow = latency::run(&proxy.target, Protocol::H1, ASK, effort.rate.min(800), effort.latency);
        bench.stage.origin.think(Duration::ZERO);
        results.timing = timing(&rows, &metric, &slow?);
    }
    Ok(())
}

fn timing(rows: &[Row<'_>], metric: &Metric, slow: &Seen) -> Option<Timing> {
    let find = |kind| rows.iter().find(|row| row.kind == kind && row.protocol == Protocol::H1);
    let (direct, through) = (find(None)?, find(Some(Kind::Enforce))?);
    let seen = through.all();
    let p50 = |row: &Row<'_>| row.quantile(0.5);
    let rests = through.rounds.iter().map(|seen| micros(&seen.rest, 0.5)).collect::<Vec<_>>();
    Some(Timing {
        direct: p50(direct),
        through: p50(through),
        told: micros(&seen.told, 0.5),
        rest: median(&rests) - p50(direct),
        off: find(Some(Kind::Off)).map_or(f64::NAN, |off| p50(off) - p50(direct)),
        impossible: seen.impossible + slow.impossible,
        answers: seen.told.len(),
        mean_told: seen.told.mean() / 1000.0,
        mean_metric: 1e6 * metric.seconds / metric.count.max(1) as f64,
        counted: metric.count,
        told_slow: micros(&slow.told, 0.5),
        slow: SLOW.as_secs_f64() * 1e6,
    })
}

/// `consentry_added_seconds` of [`HOST`].
#[derive(Debug, Default)]
struct Metric {
    seconds: f64,
    count: u64,
}

impl Metric {
    fn read(admin: SocketAddr) -> Result<Self> {
        let mut socket = dial(admin)?;
        let mut text = String::new();
        socket.write_all(format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n").as_bytes())?;
        socket.read_to_string(&mut text)?;
        let value = |name: &str| {
            let mut lines = text.lines().filter(|line| line.starts_with(name) && line.contains(HOST));
            lines.next().and_then(|line| line.rsplit(' ').next())
        };
        // A site that was not asked yet has no line.
        let seconds = value("consentry_added_seconds_sum").unwrap_or("0").parse()?;
        Ok(Self { seconds, count: value("consentry_added_seconds_count").unwrap_or("0").parse()? })
    }

    fn plus(&self, other: &Self) -> Self {
        Self { seconds: self.seconds + other.seconds, count: self.count + other.count }
    }

    fn less(&self, other: &Self) -> Self {
        Self { seconds: self.seconds - other.seconds, count: self.count - other.count }
    }
}
