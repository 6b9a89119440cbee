//! HTTP/1.1 as far as a client needs it that trusts its server: heads, lengths, chunks.

use std::collections::VecDeque;

use super::{Ask, Connection, Progress, Protocol, Target};
use crate::Result;

/// One connection's place in the answer that it is reading.
pub(super) struct Talk {
    request: Vec<u8>,
    head: Vec<u8>,
    state: State,
    /// The bodies themselves, for those who look at them.
    body: Option<Vec<u8>>,
}

enum State {
    Head,
    /// So many bytes to the end.
    Length(usize),
    /// In the line that gives the next chunk's size.
    Size(Vec<u8>),
    /// In a chunk and the line end behind it.
    Chunk(usize),
    /// Behind the last chunk, with so many bytes of the end seen.
    End(VecDeque<u8>),
}

impl Talk {
    pub(super) fn new(ask: Ask<'_>) -> Self {
        let codings = ask.codings.map(|codings| format!("Accept-Encoding: {codings}\r\n")).unwrap_or_default();
        let (path, host) = (ask.path, ask.host);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\n{codings}\r\n");
        Self { request: request.into_bytes(), head: Vec::new(), state: State::Head, body: None }
    }

    pub(super) fn ask(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    pub(super) fn last_head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<Progress> {
        let mut progress = Progress::default();
        while !bytes.is_empty() {
            let (used, ended) = self.step(bytes, &mut progress)?;
            bytes = &bytes[used..];
            if ended {
                progress.answers += 1;
                self.state = State::Head;
            }
        }
        Ok(progress)
    }

    /// Takes some of the bytes; says how many, and whether the answer ends with them.
    fn step(&mut self, bytes: &[u8], progress: &mut Progress) -> Result<(usize, bool)> {
        match &mut self.state {
            State::Head => {
                // A finished head stays until the next begins, for those who look at it.
                if self.head.ends_with(b"\r\n\r\n") {
                    self.head.clear();
                }
                let before = self.head.len();
                self.head.extend_from_slice(bytes);
                let from = before.saturating_sub(3);
                let Some(end) = self.head[from..].windows(4).position(|w| w == b"\r\n\r\n") else {
                    return Ok((bytes.len(), false));
                };
                let end = from + end + 4;
                self.head.truncate(end);
                self.state = body_of(&self.head)?;
                Ok((end - before, matches!(self.state, State::Length(0))))
            }
            State::Length(left) => {
                let now = bytes.len().min(*left);
                keep(&mut self.body, &bytes[..now]);
                progress.bytes += now;
                *left -= now;
                Ok((now, *left == 0))
            }
            State::Size(line) => {
                let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
                    line.extend_from_slice(bytes);
                    return Ok((bytes.len(), false));
                };
                line.extend_from_slice(&bytes[..end]);
                let digits = String::from_utf8_lossy(line);
                let size = usize::from_str_radix(digits.trim().split(';').next().unwrap_or_default(), 16)?;
                self.state = if size == 0 { State::End(VecDeque::from(*b"\r\n")) } else { State::Chunk(size + 2) };
                Ok((end + 1, false))
            }
            State::Chunk(left) => {
                let now = bytes.len().min(*left);
                let data = now.min(left.saturating_sub(2));
                keep(&mut self.body, &bytes[..data]);
                progress.bytes += data;
                *left -= now;
                if *left == 0 {
                    self.state = State::Size(Vec::new());
                }
                Ok((now, false))
            }
            // An empty line, behind the size of the last chunk or behind trailers.
            State::End(last) => {
                for (used, byte) in bytes.iter().enumerate() {
                    last.push_back(*byte);
                    if last.len() > 4 {
                        last.pop_front();
                    }
                    if last.iter().eq(b"\r\n\r\n") {
                        return Ok((used + 1, true));
                    }
                }
                Ok((bytes.len(), false))
            }
        }
    }
}

fn keep(body: &mut Option<Vec<u8>>, bytes: &[u8]) {
    if let Some(body) = body {
        body.extend_from_slice(bytes);
    }
}

/// How the body behind a head ends.
fn body_of(head: &[u8]) -> Result<State> {
    let text = String::from_utf8_lossy(head);
    if !text.starts_with("HTTP/1.1 200") {
        return Err(format!("not a 200: {}", text.lines().next().unwrap_or_default()).into());
    }
    if let Some(length) = field(&text, "content-length") {
        return Ok(State::Length(length.parse()?));
    }
    Ok(State::Size(Vec::new()))
}

/// The value of the first header field of a name.
fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// An answer, whole.
pub(crate) struct Reply {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    /// All `Set-Cookie` lines.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value.trim()).collect()
    }
}

/// Fetches once, to look at what comes.
pub(crate) fn fetch(target: &Target, ask: Ask<'_>) -> Result<Reply> {
    let mut connection = Connection::open(target, Protocol::H1, ask)?;
    let super::Talk::H1(talk) = &mut connection.talk else { unreachable!("HTTP/1.1 was asked for") };
    talk.body = Some(Vec::new());
    connection.once()?;
    let super::Talk::H1(talk) = connection.talk else { unreachable!("it still is") };
    Ok(Reply { head: String::from_utf8_lossy(&talk.head).into_owned(), body: talk.body.unwrap_or_default() })
}
