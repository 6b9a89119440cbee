//! What the program uses and holds, sample by sample, and whether that is flat.

use std::fs;
use std::net::SocketAddr;

use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What memory may grow by between the second and the last quarter of a run: by so much, or by a tenth if that is more.
const GROWTH_KIB: u64 = 3 << 10;

/// Of one moment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sample {
    pub(super) second: u64,
    pub(super) rss_kib: u64,
    pub(super) threads: u64,
    pub(super) files: usize,
    pub(super) h1: u64,
    pub(super) h2: u64,
    pub(super) handshaking: u64,
    pub(super) requests: u64,
    pub(super) cpu_seconds: f64,
    pub(super) good: u64,
    pub(super) failed: u64,
}

impl Sample {
    pub(super) const HEAD: &str =
        "second |  RSS KiB | threads | files |  h1 |  h2 | none | requests |  CPU s |    good | failed";

    pub(super) async fn take(
        id: u32,
        admin: SocketAddr,
        second: u64,
        (good, failed): (u64, u64),
    ) -> Result<Self, String> {
        let status = fs::read_to_string(format!("/proc/{id}/status")).map_err(|error| error.to_string())?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
        };
        let metrics = metrics(admin).await?;
        let open =
            |protocol: &str| metrics.of(&format!("consentry_connections_open{{protocol=\"{protocol}\"}}")) as u64;
        Ok(Self {
            second,
            rss_kib: field("VmRSS:"),
            threads: field("Threads:"),
            files: files(id).len(),
            h1: open("http/1.1"),
            h2: open("h2"),
            handshaking: open("none"),
            requests: metrics.sum("consentry_requests_total{") as u64,
            cpu_seconds: metrics.of("process_cpu_seconds_total"),
            good,
            failed,
        })
    }

    pub(super) fn row(&self) -> String {
        let Self { second, rss_kib, threads, files, h1, h2, handshaking, requests, cpu_seconds, good, failed } = self;
        format!(
            "{second:6} | {rss_kib:8} | {threads:7} | {files:5} | {h1:3} | {h2:3} | {handshaking:4} | {requests:8} \
             | {cpu_seconds:6.1} | {good:7} | {failed:6}"
        )
    }
}

/// What the program has open, as Linux names it.
pub(super) fn files(id: u32) -> Vec<String> {
    let all = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    all.filter_map(|file| fs::read_link(file.path()).ok()).map(|file| file.display().to_string()).collect()
}

/// What `/metrics` says.
pub(super) struct Metrics(String);

pub(super) async fn metrics(admin: SocketAddr) -> Result<Metrics, String> {
    let asked = async {
        let mut stream = TcpStream::connect(admin).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        std::io::Result::Ok(Metrics(text))
    };
    asked.await.map_err(|error| format!("no metrics: {error}"))
}

impl Metrics {
    /// The sample of this name and these labels; 0 if there is none.
    pub(super) fn of(&self, name: &str) -> f64 {
        self.values(name).find_map(|(rest, value)| rest.is_empty().then_some(value)).unwrap_or_default()
    }

    /// Of all samples that begin so.
    pub(super) fn sum(&self, start: &str) -> f64 {
        self.values(start).map(|(_, value)| value).sum()
    }

    fn values<'m>(&'m self, start: &'m str) -> impl Iterator<Item = (&'m str, f64)> {
        let lines = self.0.lines().filter_map(move |line| line.strip_prefix(start)?.rsplit_once(' '));
        lines.filter_map(|(rest, value)| Some((rest, value.parse().ok()?)))
    }
}

/// What grew between the second quarter of a run and its last, if anything did.
pub(super) fn grew(samples: &[Sample]) -> Vec<String> {
    let quarter = samples.len() / 4;
    let (second, last) = (&samples[quarter..2 * quarter], &samples[3 * quarter..]);
    let of = |samples: &[Sample], what: fn(&Sample) -> u64| {
        let mut values: Vec<u64> = samples.iter().map(what).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    let grown = |name: &str, what: fn(&Sample) -> u64, by: u64| {
        let (before, after) = (of(second, what), of(last, what));
        (after > before + by.max(before / 10)).then(|| format!("{name} grew from {before} to {after}"))
    };
    let all = [
        grown("memory (KiB)", |sample| sample.rss_kib, GROWTH_KIB),
        grown("the number of threads", |sample| sample.threads, 0),
        grown("the number of files", |sample| sample.files as u64, 10),
    ];
    all.into_iter().flatten().collect()
}

#[test]
fn memory_that_grows_is_seen() {
    let sample = |second: u64, rss_kib: u64| Sample {
        second,
        rss_kib,
        threads: 8,
        files: 40,
        h1: 3,
        h2: 3,
        handshaking: 0,
        requests: second,
        cpu_seconds: 0.0,
        good: second,
        failed: 0,
    };
    let flat: Vec<_> = (0..40).map(|second| sample(second, 30_000 + second % 7 * 500)).collect();
    assert_eq!(grew(&flat), Vec::<String>::new());
    let leak: Vec<_> = (0..40).map(|second| sample(second, 30_000 + second * 300)).collect();
    assert_eq!(grew(&leak), ["memory (KiB) grew from 34500 to 40500"]);
}
