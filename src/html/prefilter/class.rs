//! What must be done with an element, by the name of its tag.

use super::name::Name;
use crate::html::elements::{self, Kind};

/// Who looks at a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nobody: the page has it as it came.
    Plain,
    /// The rewriter at once: its content, if it has any, is markup like any other.
    Judged(Kind),
    /// The parser, which tells of its end.
    Told,
    /// The parser, up to its end: its content is text.
    Text,
    /// The parser, for this tag and for all that follow: what it means depends on more than is known here.
    Doubtful,
}

/// The classes of the names on one page.
#[derive(Debug)]
pub(super) struct Classes {
    /// The name of elements that the parser must see whatever they are, in lower case.
    asked_for: Option<Box<[u8]>>,
    /// Those that were met, each where its name says: a page has few, and has them again and again.
    met: Box<[(u64, Class, bool); MET]>,
}

const MET: usize = 128;

impl Classes {
    pub(super) fn new(asked_for: Option<Box<[u8]>>) -> Self {
        // No name is 0.
        Self { asked_for, met: Box::new([(0, Class::Plain, true); MET]) }
    }

    /// The class of the elements of this name, and whether they can have content; as [`of`], but for what is asked for.
    #[inline]
    pub(super) fn of(&mut self, name: Name<'_>) -> (Class, bool) {
        let Name::Short(packed) = name else { return self.find(name) };
        // The golden ratio spreads names evenly (Knuth, TAOCP 6.4).
        let place = packed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - MET.ilog2());
        let (known, class, has_content) = self.met[place as usize];
        if known == packed {
            return (class, has_content);
        }
        let (class, has_content) = self.find(name);
        self.met[place as usize] = (packed, class, has_content);
        (class, has_content)
    }

    fn find(&self, name: Name<'_>) -> (Class, bool) {
        let name = name.to_bytes();
        match of(&name) {
            (Class::Plain | Class::Judged(_), has_content) if self.asked_for.as_ref() == Some(&name) => {
                (Class::Told, has_content)
            }
            found => found,
        }
    }
}

/// The class of the elements of this name, in lower case, and whether they can have content; both as in HTML content.
pub(super) fn of(name: &[u8]) -> (Class, bool) {
    match name {
        // The language of the one counts; before the other's end a link may stand.
        b"html" | b"body" => return (Class::Told, true),
        // The parser reads the charset in it.
        b"meta" => return (Class::Told, false),
        _ => {}
    }
    let class = match elements::kind_of(name) {
        None | Some(Kind::Other | Kind::Inert) => Class::Plain,
        Some(
            kind @ (Kind::Anchor
            | Kind::Link
            | Kind::Meta
            | Kind::Base
            | Kind::Head
            | Kind::Input
            | Kind::Backed
            | Kind::Loader
            | Kind::FramesetFrame),
        ) => Class::Judged(kind),
        Some(Kind::Media | Kind::Template | Kind::Select | Kind::Frameset | Kind::Foreign) => Class::Told,
        Some(Kind::Script | Kind::NoScript | Kind::Frame | Kind::Text | Kind::Style) => Class::Text,
        // Outside of SVG and MathML they are rare.
        Some(Kind::Integration) => Class::Doubtful,
    };
    (class, !is_void(name))
}

/// Whether the parser takes the element for one without content and end tag.
fn is_void(name: &[u8]) -> bool {
    matches!(
        name,
        b"area"
            | b"base"
            | b"basefont"
            | b"bgsound"
            | b"br"
            | b"col"
            | b"embed"
            | b"hr"
            | b"img"
            | b"input"
            | b"keygen"
            | b"link"
            | b"meta"
            | b"param"
            | b"source"
            | b"track"
            | b"wbr"
    )
}

/// Whether an element of this kind may matter for having an attribute of this name.
pub(super) fn matters(kind: Kind, attribute: &[u8]) -> bool {
    match kind {
        Kind::Anchor => attribute.eq_ignore_ascii_case(b"ping") || attribute.eq_ignore_ascii_case(b"attributionsrc"),
        Kind::Backed => attribute.eq_ignore_ascii_case(b"background"),
        _ => true,
    }
}
