//! Whether the answer of an HTTP/2 stream is held up by its client, who grants no window (RFC 9113 §5.2).
//!
//! hyper asks a body for more only when the client can take more, so a body that was handed out and is not asked again
//! waits for the client. The body is polled within the task of its stream, and tells it by a cell of the thread: hyper
//! leaves no other way from one to the other.

use std::cell::Cell;

/// What a stream knows of its answer between two polls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// It has something to send and is not asked for it.
    pub waits: bool,
    /// Something happened during the last poll.
    pub moved: bool,
}

thread_local! {
    static NOW: Cell<Held> = const { Cell::new(Held { waits: false, moved: false }) };
}

impl Held {
    /// Polls a stream, and notes what becomes of its answer.
    pub fn during<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        NOW.set(Self { waits: self.waits, moved: false });
        let result = poll();
        *self = NOW.get();
        result
    }
}

/// The body has something to send.
pub(super) fn handed() {
    NOW.set(Held { waits: true, moved: true });
}

/// The body is asked for more.
pub(super) fn asked() {
    NOW.set(Held { waits: false, moved: true });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_from_when_it_is_handed_out_until_it_is_asked_for_more() {
        let (mut one, mut other) = (Held::default(), Held::default());
        one.during(handed);
        assert_eq!(one, Held { waits: true, moved: true });
        other.during(asked);
        assert!(!other.waits);
        one.during(|| ());
        assert_eq!(one, Held { waits: true, moved: false }, "another stream changes nothing");
        one.during(asked);
        assert_eq!(one, Held { waits: false, moved: true });
    }
}
