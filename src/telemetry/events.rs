//! The program's own log, on standard error: set up once, written by a thread of its own.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use super::sink::{Pipe, Sink, Target};

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// Lines that may wait. Warnings that requests bring about are few, by [`super::Brake`].
const ROOM: usize = 1024;
/// How long the end of the process waits for them.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread lives as long as the process: a subscriber cannot be taken back.
static SINK: OnceLock<Sink> = OnceLock::new();

/// Writes what waits when it is dropped.
#[derive(Debug)]
#[must_use = "what waits is written when this is dropped"]
pub struct Events(());

/// Sends log events to standard error, as text or one JSON object a line.
///
/// `RUST_LOG` is not read: the level comes from the configuration, so that what an operator sees is what the
/// file says.
pub fn start(level: LevelFilter, format: Format) -> Events {
    // hyper and rustls log each peer's misbehaviour; we log what the operator can act on.
    let filter = EnvFilter::new(format!("warn,consentry={level}"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // Colours are for people: in a file or a journal they are rubbish.
    let builder = builder.with_ansi(io::stderr().is_terminal());
    // A second call (several servers in one test process) keeps the first.
    let _ = match format {
        Format::Text => builder.with_target(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
    if let Ok(sink) = Sink::start("log", Target::Stderr, ROOM) {
        let _ = SINK.set(sink);
    }
    Events(())
}

/// Writes what waits; for ends of the process that drop nothing.
pub fn flush_events() {
    if let Some(sink) = SINK.get() {
        sink.pipe().flush(PATIENCE);
    }
}

/// Lines that were lost.
pub fn dropped_events() -> u64 {
    SINK.get().map_or(0, |sink| sink.pipe().dropped().count())
}

impl Drop for Events {
    fn drop(&mut self) {
        flush_events();
    }
}

fn writer() -> Line {
    Line(SINK.get().map(Sink::pipe))
}

/// Takes one event, which the formatter writes in one piece.
struct Line(Option<Pipe>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Some(pipe) => drop(pipe.send(String::from_utf8_lossy(bytes).into_owned())),
            // Without a thread a line costs whoever writes it the time.
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
