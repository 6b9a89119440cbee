//! The open elements, as the parser counts them.

use super::name::Name;

/// More open elements than this are the parser's business alone.
const MOST: usize = 1024;

/// The stack of open elements that the parser would have had it seen every tag. Those that it was told of lie below
/// those that it was not.
#[derive(Debug, Default)]
pub(super) struct Open {
    elements: Vec<Element>,
    /// The names of those that have long ones, one behind the other.
    long: Vec<u8>,
    /// How many of them the parser knows of.
    told: usize,
}

/// The name of an open element, or where its long name begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Short(u64),
    Long(usize),
}

impl Open {
    /// An element of this name begins that the parser is not told of. `false`: there is no room for it.
    #[inline]
    pub(super) fn push(&mut self, name: Name<'_>) -> bool {
        let fits = self.elements.len() < MOST;
        if fits {
            self.elements.push(match name {
                Name::Short(packed) => Element::Short(packed),
                Name::Long(name) => {
                    let start = self.long.len();
                    self.long.extend_from_slice(name);
                    Element::Long(start)
                }
            });
        }
        fits
    }

    /// The same, where the parser is told of it and knows of all around it.
    pub(super) fn push_told(&mut self, name: Name<'_>) -> bool {
        let fits = self.push(name);
        self.told = self.elements.len();
        fits
    }

    /// Which is the innermost element of this name.
    #[inline]
    pub(super) fn find(&self, name: Name<'_>) -> Option<usize> {
        let name = match name {
            Name::Short(packed) => {
                return self.elements.iter().rposition(|element| *element == Element::Short(packed));
            }
            Name::Long(name) => name,
        };
        let mut end = self.long.len();
        for (at, element) in self.elements.iter().enumerate().rev() {
            if let Element::Long(start) = *element {
                if self.long[start..end].eq_ignore_ascii_case(name) {
                    return Some(at);
                }
                end = start;
            }
        }
        None
    }

    /// Whether the parser knows of it.
    pub(super) fn is_told(&self, at: usize) -> bool {
        at < self.told
    }

    /// It ends, and all in it.
    #[inline]
    pub(super) fn end(&mut self, at: usize) {
        while self.elements.len() > at {
            if let Some(Element::Long(start)) = self.elements.pop() {
                self.long.truncate(start);
            }
        }
        self.told = self.told.min(at);
    }

    /// Start tags of the elements that the parser does not know of, outermost first. From now on it does.
    pub(super) fn tell(&mut self) -> Vec<u8> {
        let mut tags = Vec::new();
        let mut end = self.long.len();
        // From the innermost, for a long name ends where the next begins.
        for element in self.elements[self.told..].iter().rev() {
            tags.push(b'>');
            match *element {
                Element::Short(packed) => tags.extend(Name::Short(packed).to_bytes().iter().rev()),
                Element::Long(start) => {
                    tags.extend(self.long[start..end].iter().rev());
                    end = start;
                }
            }
            tags.push(b'<');
        }
        tags.reverse();
        self.told = self.elements.len();
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_is_told_of_what_it_has_not_seen() {
        let mut open = Open::default();
        assert!(
            open.push_told(Name::of(b"body"))
                && open.push(Name::of(b"div"))
                && open.push(Name::of(b"p"))
                && open.push(Name::of(b"p"))
        );
        assert_eq!((open.find(Name::of(b"p")), open.find(Name::of(b"span"))), (Some(3), None));
        open.end(3);
        assert_eq!(open.tell(), b"<div><p>");
        assert_eq!(open.tell(), b"");
        assert!(open.push(Name::of(b"b")));
        assert!(open.is_told(2) && !open.is_told(3));
        open.end(1);
        assert_eq!((open.find(Name::of(b"p")), open.find(Name::of(b"body")), open.is_told(0)), (None, Some(0), true));
        open.end(0);
        assert!(!open.is_told(0));
    }

    #[test]
    fn long_names_are_kept_as_well() {
        let mut open = Open::default();
        for name in ["x-calendar", "div", "blockquote", "X-CALENDAR", "p"] {
            assert!(open.push(Name::of(name.as_bytes())));
        }
        assert_eq!(open.find(Name::of(b"X-Calendar")), Some(3));
        open.end(3);
        assert_eq!((open.find(Name::of(b"x-calendar")), open.find(Name::of(b"blockquote"))), (Some(0), Some(2)));
        assert_eq!(open.find(Name::of(b"x-calenda")), None);
        assert_eq!(open.tell(), b"<x-calendar><div><blockquote>");
        open.end(2);
        assert!(open.push(Name::of(b"figcaption")));
        assert_eq!(open.tell(), b"<figcaption>");
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut open = Open::default();
        assert!((0..MOST).all(|_| open.push(Name::of(b"i"))));
        assert!(!open.push(Name::of(b"b")));
        assert_eq!(open.find(Name::of(b"b")), None);
    }
}
