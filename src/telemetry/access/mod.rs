//! One access line a request. Each worker formats into a buffer of its own; a thread writes the buffers, so that a slow
//! disk or terminal holds no request. Lines that find the queue full are dropped and counted.

mod fields;
mod line;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use http::{HeaderValue, Method, StatusCode, Version};
use tokio::time::Duration;

use super::brake::Brake;
use super::sink::{Dropped, Pipe, Sink, Target};
use super::{Format, now};
use crate::filter::trace::Context;
pub use fields::Field;

/// What is written, how and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Style {
    /// How a line looks.
    pub shape: Shape,
    /// What it tells, in this order; empty: the usual.
    pub fields: Vec<Field>,
    /// `None` for standard output.
    pub file: Option<PathBuf>,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// For people; with chosen fields `name=value`.
    #[default]
    Text,
    /// One object a line.
    Json,
    /// As Apache and nginx write it, with further fields as `name=value` behind.
    Combined,
}

impl From<Format> for Shape {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

/// What an access line can tell. No cookie.
#[derive(Debug)]
pub struct Access<'a> {
    /// Who asked.
    pub client: IpAddr,
    /// Who connected.
    pub peer: IpAddr,
    /// The request's method.
    pub method: &'a Method,
    /// Without the query.
    pub path: &'a str,
    /// The query, whether or not it is written.
    pub query: Option<&'a str>,
    /// The authority that was asked for.
    pub host: &'a str,
    /// The name of the site; empty for none.
    pub site: &'a str,
    /// The protocol towards the client.
    pub version: Version,
    /// `None` if the client went before it was settled.
    pub status: Option<StatusCode>,
    /// Bytes of the body that went out.
    pub sent: u64,
    /// From the request's head to the response's last byte.
    pub total: Duration,
    /// How long the origin took to answer.
    pub origin: Duration,
    /// How much we added to the time to the response's head.
    pub added: Duration,
    /// The body broke off.
    pub aborted: bool,
    /// What the request is called.
    pub request_id: Option<&'a str>,
    /// From a `traceparent` that is valid.
    pub parent: Option<Context>,
    /// Our span, where there are any.
    pub span: Option<Context>,
    /// As it came.
    pub referer: Option<&'a HeaderValue>,
    /// As it came.
    pub user_agent: Option<&'a HeaderValue>,
}

/// A worker's buffer of lines.
#[derive(Debug)]
pub struct AccessLog {
    lines: Mutex<String>,
    pipe: Option<Pipe>,
    style: Style,
    brake: Brake,
}

/// The thread that writes.
#[derive(Debug)]
pub struct AccessWriter {
    sink: Option<Sink>,
    style: Style,
}

/// A full buffer goes to the writer at once, a part-filled one when the worker flushes.
const BUFFER: usize = 32 * 1024;
/// Buffers that may wait.
const ROOM: usize = 64;

impl AccessWriter {
    /// Starts the writing thread; `None` logs nothing.
    ///
    /// # Errors
    /// If the file cannot be opened or no thread can be started.
    pub fn start(style: Option<&Style>) -> std::io::Result<Self> {
        let Some(style) = style else { return Ok(Self { sink: None, style: Style::default() }) };
        let target = style.file.clone().map_or(Target::Stdout, Target::File);
        Ok(Self { sink: Some(Sink::start("access-log", target, ROOM)?), style: style.clone() })
    }

    /// A buffer for one worker.
    pub fn log(&self) -> AccessLog {
        let pipe = self.sink.as_ref().map(Sink::pipe);
        AccessLog { lines: Mutex::default(), pipe, style: self.style.clone(), brake: Brake::default() }
    }

    /// Lines that found no room or could not be written.
    pub fn dropped(&self) -> Dropped {
        self.sink.as_ref().map(|sink| sink.pipe().dropped()).unwrap_or_default()
    }

    /// The file was moved away: the next line begins a new one.
    pub fn reopen(&self) {
        if let Some(sink) = &self.sink {
            sink.pipe().reopen();
        }
    }
}

impl AccessLog {
    /// Whether anything is written.
    pub fn is_on(&self) -> bool {
        self.pipe.is_some()
    }

    /// Whether a line tells this.
    pub fn tells(&self, field: Field) -> bool {
        self.is_on()
            && (self.style.fields.contains(&field)
                || (self.style.shape == Shape::Combined && matches!(field, Field::Referer | Field::UserAgent)))
    }

    /// Adds a line.
    pub fn line(&self, access: &Access<'_>) {
        if self.pipe.is_none() {
            return;
        }
        let mut lines = self.lines.lock().expect("no panic under the lock");
        // Writing into a string does not fail.
        let _ = line::write(&mut lines, &self.style, access, now());
        if lines.len() >= BUFFER {
            self.send(&mut lines);
        }
    }

    /// Hands what has gathered to the writer.
    pub fn flush(&self) {
        let mut lines = self.lines.lock().expect("no panic under the lock");
        if !lines.is_empty() {
            self.send(&mut lines);
        }
    }

    fn send(&self, lines: &mut String) {
        let Some(pipe) = &self.pipe else { return };
        if !pipe.send(std::mem::take(lines))
            && let Some(suppressed) = self.brake.pass(now())
        {
            let lines = pipe.dropped().count();
            tracing::warn!(lines, suppressed, "Access lines are dropped: nobody takes them fast enough.");
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}
