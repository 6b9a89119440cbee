//! The open elements, as the parser counts them.

use std::ops::Range;

/// More open elements than this are the parser's business alone.
const MOST: usize = 1024;

/// The stack of open elements that the parser would have had it seen every tag. Those that it was told of lie below
/// those that it was not.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Their names in lower case, one behind the other.
    names: Vec<u8>,
    /// Where each name begins.
    starts: Vec<usize>,
    /// How many of them the parser knows of.
    told: usize,
}

impl Open {
    /// An element of this name, in lower case, begins that the parser is not told of. `false`: there is no room for it.
    pub(super) fn push(&mut self, name: &[u8]) -> bool {
        let fits = self.starts.len() < MOST;
        if fits {
            self.starts.push(self.names.len());
            self.names.extend_from_slice(name);
        }
        fits
    }

    /// The same, where the parser is told of it and knows of all around it.
    pub(super) fn push_told(&mut self, name: &[u8]) -> bool {
        let fits = self.push(name);
        self.told = self.starts.len();
        fits
    }

    /// Which is the innermost element of this name, in lower case.
    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        let mut end = self.names.len();
        for (at, start) in self.starts.iter().enumerate().rev() {
            if &self.names[*start..end] == name {
                return Some(at);
            }
            end = *start;
        }
        None
    }

    /// Whether the parser knows of it.
    pub(super) fn is_told(&self, at: usize) -> bool {
        at < self.told
    }

    /// It ends, and all in it.
    pub(super) fn end(&mut self, at: usize) {
        self.names.truncate(self.starts[at]);
        self.starts.truncate(at);
        self.told = self.told.min(at);
    }

    /// Start tags of the elements that the parser does not know of, outermost first. From now on it does.
    pub(super) fn tell(&mut self) -> Vec<u8> {
        let mut tags = Vec::new();
        for at in self.told..self.starts.len() {
            tags.push(b'<');
            tags.extend_from_slice(&self.names[self.range(at)]);
            tags.push(b'>');
        }
        self.told = self.starts.len();
        tags
    }

    fn range(&self, at: usize) -> Range<usize> {
        self.starts[at]..self.starts.get(at + 1).copied().unwrap_or(self.names.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_is_told_of_what_it_has_not_seen() {
        let mut open = Open::default();
        assert!(open.push_told(b"body") && open.push(b"div") && open.push(b"p") && open.push(b"p"));
        assert_eq!((open.find(b"p"), open.find(b"span")), (Some(3), None));
        open.end(3);
        assert_eq!(open.tell(), b"<div><p>");
        assert_eq!(open.tell(), b"");
        assert!(open.push(b"b"));
        assert!(open.is_told(2) && !open.is_told(3));
        open.end(1);
        assert_eq!((open.find(b"p"), open.find(b"body"), open.is_told(0)), (None, Some(0), true));
        open.end(0);
        assert!(!open.is_told(0));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut open = Open::default();
        assert!((0..MOST).all(|_| open.push(b"i")));
        assert!(!open.push(b"b"));
        assert_eq!(open.find(b"b"), None);
    }
}
