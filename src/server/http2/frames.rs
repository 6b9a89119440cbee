//! Follows the frames of an HTTP/2 client as their bytes pass, and sees a flood of those that cost it little and us
//! much (CVE-2019-9511 to 9518, CVE-2023-44487): h2 bounds what it keeps of them, not how many it answers.
//!
//! What is bounded by h2 is left to it: streams, header lists and their CONTINUATION, small DATA, and streams that the
//! client makes us reset (CVE-2025-8671).

use tokio::time::{Duration, Instant};

/// What a connection may cost at once.
const MOST: u32 = 2000;

/// It may cost this much more with each tick.
const REFILL: u32 = 20;
const TICK: Duration = Duration::from_millis(100);

/// And this little for each KiB that we send: clients answer it with windows.
const SENT: u32 = 1;

/// A stream that is given up costs a connection to the origin.
const RESET: u32 = 8;

const SETTINGS: u32 = 4;

/// Types and flags (RFC 9113 §6).
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// The connection preface (RFC 9113 §3.4).
const PREFACE: usize = 24;

/// The account of one connection.
#[derive(Debug)]
pub(in crate::server) struct Frames {
    /// Of the preface or of a payload: bytes that are to pass.
    skip: usize,
    head: [u8; 9],
    /// Bytes of the head that have come.
    at: usize,
    left: u32,
    /// It has cost more than it may; nothing passes from the next frame on.
    is_flood: bool,
    /// A header block goes on in CONTINUATION.
    is_open: bool,
    filled: Instant,
    /// Bytes sent that were not counted yet.
    sent: usize,
    /// The last stream that the client has opened.
    pub(in crate::server) last_stream: u32,
}

impl Frames {
    pub(in crate::server) fn new() -> Self {
        Self {
            skip: PREFACE,
            head: [0; 9],
            at: 0,
            left: MOST,
            is_flood: false,
            is_open: false,
            filled: Instant::now(),
            sent: 0,
            last_stream: 0,
        }
    }

    /// Takes the next bytes; how many of them may pass. Fewer than all: they are a flood, and end with a whole frame.
    pub(in crate::server) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() {
            let passed = self.skip.min(rest.len());
            (self.skip, rest) = (self.skip - passed, &rest[passed..]);
            if self.skip == 0 && self.at == 0 && self.is_flood {
                break;
            }
            let taken = rest.len().min(self.head.len() - self.at);
            self.head[self.at..self.at + taken].copy_from_slice(&rest[..taken]);
            (self.at, rest) = (self.at + taken, &rest[taken..]);
            if self.at == self.head.len() {
                self.at = 0;
                let [a, b, c, kind, flags, stream @ ..] = self.head;
                self.skip = u32::from_be_bytes([0, a, b, c]) as usize;
                if matches!(kind, HEADERS | CONTINUATION) {
                    self.is_open = flags & END_HEADERS == 0;
                }
                if kind == HEADERS {
                    self.last_stream = self.last_stream.max(u32::from_be_bytes(stream) & 0x7fff_ffff);
                }
                self.is_flood |= !self.pay(cost(kind, flags, self.skip));
            }
        }
        bytes.len() - rest.len()
    }

    /// Whether nothing is awaited: every frame has come whole, and every header block.
    pub(in crate::server) fn is_between(&self) -> bool {
        self.skip == 0 && self.at == 0 && !self.is_open
    }

    /// We have sent so much.
    pub(in crate::server) fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        self.left = (self.left + (self.sent / 1024) as u32 * SENT).min(MOST);
        self.sent %= 1024;
    }

    fn pay(&mut self, cost: u32) -> bool {
        if cost > self.left {
            let ticks = self.filled.elapsed().as_millis() / TICK.as_millis();
            self.filled += TICK * u32::try_from(ticks).unwrap_or(u32::MAX);
            let refill = u32::try_from(ticks).unwrap_or(u32::MAX).saturating_mul(REFILL);
            self.left = self.left.saturating_add(refill).min(MOST);
        }
        let paid = self.left.checked_sub(cost);
        self.left = paid.unwrap_or(0);
        paid.is_some()
    }
}

/// What a frame costs that is not the point of the connection.
fn cost(kind: u8, flags: u8, length: usize) -> u32 {
    const ACK: u8 = 1;
    match kind {
        // DATA with something in it, and HEADERS, are paid for by what they ask for.
        0 if length > 0 || flags & 1 != 0 => 0,
        1 => 0,
        3 => RESET,
        4 if flags & ACK == 0 => SETTINGS,
        // Answers to ours.
        4 | 6 if flags & ACK != 0 => 0,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let mut bytes = (length as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags, 0, 0, 0, 1]);
        bytes.resize(bytes.len() + length, 7);
        bytes
    }

    fn flooded_by(frame: &[u8], times: usize) -> bool {
        let mut frames = Frames::new();
        let mut stream = vec![b'x'; PREFACE];
        (0..times).for_each(|_| stream.extend(frame));
        stream.chunks(1000).any(|chunk| frames.take(chunk) < chunk.len())
    }

    #[test]
    fn what_costs_us_is_a_flood_at_some_time_and_requests_never_are() {
        for (name, bytes, most) in [
            ("PING", frame(6, 0, 8), 2000),
            ("PING that answers", frame(6, 1, 8), usize::MAX),
            ("SETTINGS", frame(4, 0, 0), 500),
            ("SETTINGS that answers", frame(4, 1, 0), usize::MAX),
            ("RST_STREAM", frame(3, 0, 4), 250),
            ("PRIORITY", frame(2, 0, 5), 2000),
            ("WINDOW_UPDATE", frame(8, 0, 4), 2000),
            ("unknown", frame(77, 0, 3), 2000),
            ("empty DATA", frame(0, 0, 0), 2000),
            ("the end of DATA", frame(0, 1, 0), usize::MAX),
            ("DATA", frame(0, 0, 1), usize::MAX),
            ("HEADERS", frame(1, 5, 30), usize::MAX),
        ] {
            assert!(!flooded_by(&bytes, most.min(5000)), "{name}");
            assert_eq!(flooded_by(&bytes, most.min(5000) * 2), most != usize::MAX, "{name}");
        }
    }

    #[test]
    fn frames_are_followed_at_every_cut() {
        let stream = [vec![b'P'; PREFACE], frame(0, 0, 20), frame(3, 0, 4), frame(1, 4, 300), frame(3, 0, 4)].concat();
        for cut in 0..=stream.len() {
            let mut frames = Frames::new();
            let (one, two) = stream.split_at(cut);
            assert_eq!((frames.take(one), frames.take(two)), (one.len(), two.len()));
            assert_eq!((frames.left, frames.last_stream), (MOST - 2 * RESET, 1), "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_or_a_header_block_that_has_not_come_whole_is_awaited() {
        let mut frames = Frames::new();
        for (bytes, between) in [
            (vec![b'P'; PREFACE - 1], false),
            (vec![b'P'], true),
            (frame(4, 0, 6), true),
            (frame(1, 0, 30), false),
            (frame(9, 0, 30), false),
            (frame(9, 4, 30), true),
            (frame(1, 5, 30)[..20].to_vec(), false),
            (frame(1, 5, 30)[20..].to_vec(), true),
            (frame(6, 0, 8)[..5].to_vec(), false),
        ] {
            frames.take(&bytes);
            assert_eq!(frames.is_between(), between, "{bytes:?}");
        }
    }

    #[test]
    fn what_passes_of_a_flood_ends_with_a_whole_frame() {
        let flood = frame(3, 0, 4).repeat(300);
        for first in [1, 9, 13, 1000] {
            let mut frames = Frames::new();
            frames.take(&[b'P'; PREFACE]);
            let mut passed = 0;
            for chunk in flood.chunks(first) {
                let some = frames.take(chunk);
                passed += some;
                if some < chunk.len() {
                    break;
                }
            }
            assert_eq!(passed, 251 * 13, "in chunks of {first}");
        }
    }

    #[test]
    fn who_reads_what_we_send_may_open_windows_for_it() {
        let mut frames = Frames::new();
        frames.take(&[b'P'; PREFACE]);
        for _ in 0..100_000 {
            assert_eq!(frames.take(&frame(8, 0, 4)), 13);
            frames.sent(1024);
        }
    }
}
