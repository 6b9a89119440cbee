//! One access line a request. Each worker formats into a buffer of its own; a thread writes the buffers to
//! standard output, so that a slow disk or terminal holds no request. Lines that find the queue full are
//! dropped and counted.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use http::{Method, StatusCode, Version};
use tokio::time::Duration;

use super::now;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What an access line tells. No cookie, no query string.
#[derive(Debug)]
pub struct Access<'a> {
    /// Who asked.
    pub client: IpAddr,
    /// The request's method.
    pub method: &'a Method,
    /// Without the query.
    pub path: &'a str,
    /// The authority that was asked for.
    pub host: &'a str,
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
    /// The body broke off.
    pub aborted: bool,
}

/// A worker's buffer of lines.
#[derive(Debug)]
pub struct AccessLog {
    lines: Mutex<String>,
    queue: Option<SyncSender<String>>,
    format: Format,
}

/// The thread that writes, and the way to it.
#[derive(Debug)]
pub struct AccessWriter {
    queue: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
    format: Format,
}

/// A full buffer goes to the writer at once, a part-filled one when the worker flushes.
const BUFFER: usize = 32 * 1024;

impl AccessWriter {
    /// Starts the writing thread; `format: None` logs nothing.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(format: Option<Format>) -> std::io::Result<Self> {
        let Some(format) = format else {
            return Ok(Self { queue: None, thread: None, format: Format::Text });
        };
        let (queue, lines) = sync_channel(64);
        let thread = std::thread::Builder::new().name("access-log".into()).spawn(move || write(&lines))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), format })
    }

    /// A buffer for one worker.
    pub fn log(&self) -> AccessLog {
        AccessLog { lines: Mutex::default(), queue: self.queue.clone(), format: self.format }
    }
}

impl Drop for AccessWriter {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(queue: &Receiver<String>) {
    let mut out = std::io::stdout();
    for lines in queue {
        // Standard output is gone: nobody reads, and nothing can be done about it.
        if out.write_all(lines.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

impl AccessLog {
    /// Adds a line.
    pub fn line(&self, access: &Access<'_>) {
        if self.queue.is_none() {
            return;
        }
        let mut lines = self.lines.lock().expect("no panic under the lock");
        let _ = match self.format {
            Format::Text => text(&mut lines, access),
            Format::Json => json(&mut lines, access),
        };
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
        let Some(queue) = &self.queue else { return };
        match queue.try_send(std::mem::take(lines)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(lost)) => {
                let lines = lost.lines().count();
                tracing::warn!(lines, "Access lines were dropped: standard output is too slow.");
            }
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}

fn text(out: &mut String, a: &Access<'_>) -> std::fmt::Result {
    let status = a.status.map_or(0, |s| s.as_u16());
    write!(out, "{} {} {} {}", now().0, a.client, a.method, a.host)?;
    escaped(out, a.path)?;
    let (total, origin) = (a.total.as_micros(), a.origin.as_micros());
    writeln!(
        out,
        " {:?} {status} {}B total={total}us origin={origin}us{}",
        a.version,
        a.sent,
        if a.aborted { " aborted" } else { "" }
    )
}

fn json(out: &mut String, a: &Access<'_>) -> std::fmt::Result {
    write!(out, "{{\"time\":{},\"client\":\"{}\",\"method\":\"{}\",\"host\":\"", now().0, a.client, a.method)?;
    escaped(out, a.host)?;
    out.push_str("\",\"path\":\"");
    escaped(out, a.path)?;
    writeln!(
        out,
        "\",\"version\":\"{:?}\",\"status\":{},\"sent\":{},\"total_us\":{},\"origin_us\":{},\"aborted\":{}}}",
        a.version,
        a.status.map_or(0, |s| s.as_u16()),
        a.sent,
        a.total.as_micros(),
        a.origin.as_micros(),
        a.aborted
    )
}

/// Quotes, backslashes and bytes that are not printable ASCII leave as `%XX`: no line breaks out of its line.
fn escaped(out: &mut String, text: &str) -> std::fmt::Result {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..=b' ' | 0x7f.. => write!(out, "%{byte:02X}")?,
            _ => out.push(char::from(byte)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access<'a>(path: &'a str, method: &'a Method) -> Access<'a> {
        Access {
            client: IpAddr::from([192, 0, 2, 1]),
            method,
            path,
            host: "shop.example",
            version: Version::HTTP_2,
            status: Some(StatusCode::OK),
            sent: 5,
            total: Duration::from_micros(70),
            origin: Duration::from_micros(50),
            aborted: false,
        }
    }

    #[test]
    fn json_lines_are_json_whatever_the_path() {
        let mut out = String::new();
        json(&mut out, &access("/a\"b\\c\u{e9}", &Method::GET)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(value["path"], "/a%22b%5Cc%C3%A9");
        assert_eq!(value["status"], 200);
        assert_eq!(value["origin_us"], 50);
    }

    #[test]
    fn a_text_line_is_one_line() {
        let mut out = String::new();
        text(&mut out, &access("/a\nb", &Method::GET)).unwrap();
        assert_eq!(out.lines().count(), 1);
        assert!(out.contains("GET shop.example/a%0Ab HTTP/2.0 200 5B total=70us origin=50us"), "{out}");
    }
}
