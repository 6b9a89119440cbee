//! What the parser has made of its bytes so far.

/// How far the parser has come.
#[derive(Debug, Default)]
pub(in crate::html) struct Progress {
    /// Whether anybody asks: else the ends of some elements need not be told.
    pub(in crate::html) wanted: bool,
    /// The parser reads tags that are not of the page.
    pub(in crate::html) telling: bool,
    /// Bytes that it was given and has not handed back.
    kept: isize,
    ends_next: bool,
    ended: bool,
    unwound: bool,
}

impl Progress {
    /// An element ended whose end is told, by an end tag of its own or that of an element around it. That tag is the
    /// next that is handed back.
    pub(in crate::html) fn end(&mut self, own: bool) {
        self.ends_next = true;
        self.unwound |= !own;
    }

    /// Bytes are handed back.
    pub(in crate::html) fn take(&mut self, length: usize) {
        self.kept -= length.cast_signed();
        self.ended = std::mem::take(&mut self.ends_next);
    }

    /// The parser gets so many bytes more.
    pub(in crate::html) fn feed(&mut self, length: usize) {
        self.kept += length.cast_signed();
        (self.ended, self.unwound) = (false, false);
    }

    /// Whether it has handed back all of its bytes, and so ended a token with the last of them.
    pub(in crate::html) fn is_whole(&self) -> bool {
        self.kept == 0
    }

    /// Whether the last that it handed back is an end tag at which such an element ended.
    pub(in crate::html) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether elements have ended by the end tags of others.
    pub(in crate::html) fn is_unwound(&self) -> bool {
        self.unwound
    }
}
