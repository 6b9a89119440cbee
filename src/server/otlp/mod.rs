//! Exports spans to a collector of OpenTelemetry, by OTLP over HTTP with protobuf, on a thread of its own: no request
//! waits for it. Spans go in batches; those that nobody takes in time are dropped and counted.

mod collector;
mod message;

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use self::collector::{Collector, Error};
use crate::store;
use crate::telemetry::spans::{Export, Queue, Recorded, Tracer};
use crate::telemetry::{self, Brake, Dropped};

/// Requests whose spans may wait.
const ROOM: usize = 4096;
/// And go together.
const BATCH: usize = 256;
/// How long the first of a batch waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// For one try.
const PATIENCE: Duration = Duration::from_secs(10);
/// Until the second try; twice as long each time after that.
const PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer, whatever the collector asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Tries for one batch.
const TRIES: u32 = 5;
/// For all that waits, when the proxy ends.
const DRAIN: Duration = Duration::from_secs(5);

/// The thread. Dropping it sends what waits, as far as the collector takes it in time.
#[derive(Debug)]
pub(super) struct Exporter {
    queue: Queue,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    /// Starts to export.
    ///
    /// # Errors
    /// If thread or runtime cannot be had.
    pub(super) fn start(export: &Export) -> io::Result<Self> {
        let (queue, spans) = Queue::new(ROOM, export.sample);
        let stop = CancellationToken::new();
        let work = Work {
            spans,
            collector: Collector::new(export)?,
            held: 0,
            dropped: queue.dropped(),
            stop: stop.clone(),
            brake: Brake::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("otlp".into()).spawn(move || {
            runtime.block_on(work.run());
            // A name that is being looked up must not hold up the end of the process.
            runtime.shutdown_background();
        })?;
        Ok(Self { queue, stop, thread: Some(thread) })
    }

    /// For one worker.
    ///
    /// # Errors
    /// Without randomness spans of two workers would have the same ids.
    pub(super) fn tracer(&self) -> Result<Tracer, store::Error> {
        Ok(self.queue.tracer(u64::from_be_bytes(store::random()?)))
    }

    /// Spans that were lost.
    pub(super) fn dropped(&self) -> Dropped {
        self.queue.dropped()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.stop.cancel();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("The exporter of spans panicked: that is a bug.");
        }
    }
}

struct Work {
    spans: Receiver<Recorded>,
    collector: Collector,
    /// Spans that are being sent.
    held: u64,
    dropped: Dropped,
    stop: CancellationToken,
    brake: Brake,
}

impl Work {
    async fn run(mut self) {
        let stop = self.stop.clone();
        let late = async {
            stop.cancelled().await;
            sleep(DRAIN).await;
        };
        tokio::select! {
            () = self.work() => return,
            () = late => {}
        }
        let spans = self.held + std::iter::from_fn(|| self.spans.try_recv().ok()).map(|of| of.spans()).sum::<u64>();
        self.dropped.add(spans);
        tracing::warn!(spans, "The collector did not take all spans in time; the rest is dropped.");
    }

    /// Until all is sent that came before it was time to end.
    async fn work(&mut self) {
        loop {
            let batch = self.gather().await;
            if batch.is_empty() {
                return;
            }
            self.held = batch.iter().map(Recorded::spans).sum();
            self.export(&batch).await;
            self.held = 0;
        }
    }

    /// What comes together; nothing when nothing waits and it is time to end.
    async fn gather(&mut self) -> Vec<Recorded> {
        let mut batch = Vec::new();
        let mut end = None;
        while batch.len() < BATCH {
            let next = async {
                match end {
                    Some(end) => timeout_at(end, self.spans.recv()).await.ok().flatten(),
                    None => self.spans.recv().await,
                }
            };
            let next = tokio::select! {
                biased;
                next = next => next,
                () = self.stop.cancelled() => None,
            };
            let Some(next) = next else { break };
            batch.push(next);
            end.get_or_insert_with(|| Instant::now() + LINGER);
        }
        batch
    }

    async fn export(&mut self, batch: &[Recorded]) {
        let mut pause = PAUSE;
        for number in 1.. {
            let Err(error) = self.send(batch).await else { return };
            if !error.is_passing() || number == TRIES || self.stop.is_cancelled() {
                self.dropped.add(self.held);
                if let Some(suppressed) = self.brake.pass(telemetry::now()) {
                    let spans = self.held;
                    tracing::warn!(%error, spans, suppressed, "Spans could not be exported, and are dropped.");
                }
                return;
            }
            if let Some(suppressed) = self.brake.pass(telemetry::now()) {
                tracing::warn!(%error, suppressed, "Spans cannot be exported; they wait.");
            }
            let asked = if let Error::Busy(_, Some(asked)) = error { asked } else { Duration::ZERO };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = sleep(pause.max(asked).min(LONGEST_PAUSE)) => {}
            }
            pause *= 2;
        }
    }

    async fn send(&mut self, batch: &[Recorded]) -> Result<(), Error> {
        let spans = Bytes::from(message::Request::of(batch).encode_to_vec());
        let rejected = timeout(PATIENCE, self.collector.post(spans)).await.unwrap_or(Err(Error::Timeout))?;
        self.dropped.add(rejected);
        Ok(())
    }
}
