//! What is asked for, and what must come back: the workloads, as the origin answers them and as a visitor who has
//! agreed to nothing may see them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::page::{REAL, page};

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Workload {
    /// Names it in results, and on the command line for `--only`.
    pub(crate) id: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    pub(crate) path: &'static str,
    /// `Accept-Encoding`, where one is sent.
    pub(crate) codings: Option<&'static str>,
    /// What a proxy has to do with it.
    pub(crate) task: Task,
    /// Also measured over HTTP/2.
    pub(crate) h2: bool,
}

/// What a proxy has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Pass the answer on.
    Pass,
    /// Drop two cookies, harden one, keep one.
    Cookies,
    /// Look for twelve trackers in a page, and remove them.
    Page,
    /// The same, in a page that holds none.
    CleanPage,
}

const fn workload(id: &'static str, title: &'static str, path: &'static str, task: Task) -> Workload {
    Workload { id, title, path, codings: None, task, h2: false }
}

/// Those of which CPU time per request is told.
pub(crate) const REQUESTS: [Workload; 7] = [
    Workload { h2: true, ..workload("w1", "W1: 1 KiB, four cookies, all may stay", "/w1", Task::Pass) },
    Workload { h2: true, ..workload("w2", "W2: 1 KiB, two cookies dropped, one hardened", "/w2", Task::Cookies) },
    Workload {
        h2: true,
        ..workload("w3", "W3: page of 114 KiB, 12 trackers among 60 tags", "/w3/trackers", Task::Page)
    },
    workload("w3-clean", "W3: the page, 60 tags, no tracker", "/w3/clean", Task::CleanPage),
    Workload {
        codings: Some("gzip"),
        ..workload("w3-gzip", "W3: 12 trackers, gzip in, gzip out", "/w3/trackers", Task::Page)
    },
    Workload {
        codings: Some("gzip"),
        ..workload("w3-clean-gzip", "W3: no tracker, gzip in, gzip out", "/w3/clean", Task::CleanPage)
    },
    Workload {
        codings: Some("gzip, deflate, br, zstd"),
        ..workload("w3-any", "W3: 12 trackers, gzip in, out what a browser takes", "/w3/trackers", Task::Page)
    },
];

/// A long download, of which CPU time per GiB is told.
pub(crate) const BULK: Workload = workload("bulk", "Download of 64 MiB", "/bulk", Task::Pass);

/// Bytes of [`BULK`].
pub(crate) const BULK_BYTES: usize = 64 << 20;

/// `Set-Cookie` lines that a visitor who has agreed to nothing may have as they are.
const KEPT: [&str; 4] = [
    "basket=0123456789abcdef; Path=/; Secure; HttpOnly; SameSite=Strict",
    "cart=3f9a; Path=/; Max-Age=604800",
    "lang=de; Path=/; Max-Age=31536000",
    "theme=dark; Path=/",
];

/// Two that go, one to be hardened, one that stays.
const MIXED: [&str; 4] = [
    "PHPSESSID=0123456789abcdef; path=/",
    "_ga=GA1.1.123456789.1700000000; Path=/; Max-Age=63072000",
    "_fbp=fb.1.1700000000.123456789; Path=/; Max-Age=7776000",
    "lang=de; Path=/; Max-Age=31536000",
];

/// One answer of the origin, as it goes over the wire.
pub(crate) struct Answer {
    pub(crate) head: Vec<u8>,
    /// Sent `times` over.
    pub(crate) body: Vec<u8>,
    pub(crate) times: usize,
}

/// All answers of the origin, by path; pages also gzipped, for those who take it.
pub(crate) struct Answers {
    small: [Answer; 2],
    pages: [[Answer; 2]; 2],
    bulk: Answer,
    missing: Answer,
}

impl Answers {
    pub(crate) fn new() -> Self {
        let small = |cookies: &[&str]| {
            let lines: String = cookies.iter().map(|line| format!("Set-Cookie: {line}\r\n")).collect();
            answer("200 OK", &format!("Content-Type: application/octet-stream\r\n{lines}"), vec![b'x'; 1024], 1)
        };
        let pages = |trackers| {
            let page = page(60, trackers, &REAL);
            let gzipped = gzip(&page);
            let kind = "Content-Type: text/html; charset=utf-8\r\nVary: Accept-Encoding\r\n";
            let coded = format!("{kind}Content-Encoding: gzip\r\n");
            [answer("200 OK", kind, page, 1), answer("200 OK", &coded, gzipped, 1)]
        };
        let kind = "Content-Type: application/octet-stream\r\n";
        let piece = 1 << 20;
        Self {
            small: [small(&KEPT), small(&MIXED)],
            pages: [pages(12), pages(0)],
            bulk: answer("200 OK", kind, vec![b'x'; piece], BULK_BYTES / piece),
            missing: answer("404 Not Found", kind, Vec::new(), 1),
        }
    }

    /// The answer to a request head.
    pub(crate) fn to(&self, head: &[u8]) -> &Answer {
        let path = head.split(|b| *b == b' ').nth(1).unwrap_or_default();
        match path {
            b"/w1" => &self.small[0],
            b"/w2" => &self.small[1],
            b"/w3/trackers" => &self.pages[0][usize::from(takes_gzip(head))],
            b"/w3/clean" => &self.pages[1][usize::from(takes_gzip(head))],
            b"/bulk" => &self.bulk,
            _ => &self.missing,
        }
    }
}

/// Whether the line `Accept-Encoding` names gzip; the heads are our own and the proxies', and none says `gzip;q=0`.
fn takes_gzip(head: &[u8]) -> bool {
    let line = head
        .split(|b| *b == b'\n')
        .find(|line| line.get(..16).is_some_and(|name| name.eq_ignore_ascii_case(b"accept-encoding:")));
    line.is_some_and(|line| line.windows(4).any(|word| word == b"gzip"))
}

fn answer(status: &str, lines: &str, body: Vec<u8>, times: usize) -> Answer {
    let length = body.len() * times;
    let head = format!("HTTP/1.1 {status}\r\nServer: bench\r\n{lines}Content-Length: {length}\r\n\r\n");
    Answer { head: head.into_bytes(), body, times }
}

fn gzip(page: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(page).and_then(|()| encoder.finish()).expect("memory takes what is written")
}
