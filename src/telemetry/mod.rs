//! Log set-up, the access line, counters, the clock, the bounded table of findings.

mod access;
mod brake;
pub mod choices;
mod clock;
pub mod counters;
pub mod drift;
mod events;
pub mod findings;
pub mod paste;
pub mod pool;
mod sink;
pub mod spans;

pub use access::{Access, AccessLog, AccessWriter, Field, Shape, Style};
pub use brake::Brake;
pub use clock::now;
pub use events::{Events, Format, dropped_events, flush_events, start};
pub use sink::Dropped;
