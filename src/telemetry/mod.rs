//! Log set-up, the access line, the clock, the bounded table of findings.

mod access;
mod clock;
pub mod counters;
pub mod drift;
pub mod findings;
pub mod paste;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

pub use access::{Access, AccessLog, AccessWriter, Format};
pub use clock::now;

/// Sends log events to standard error, as text or one JSON object a line.
///
/// `RUST_LOG` is not read: the level comes from the configuration, so that what an operator sees is what the
/// file says.
pub fn start(level: tracing::level_filters::LevelFilter, format: Format) {
    // hyper and rustls log each peer's misbehaviour; we log what the operator can act on.
    let filter = EnvFilter::new(format!("warn,consentry={level}"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people: in a file or a journal they are rubbish.
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    // A second call (several servers in one test process) keeps the first.
    let _ = match format {
        Format::Text => builder.with_target(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
}
