//! What lies around the present place of a document: templates, SVG and MathML, and where browsers ignore tags.

use super::elements::Kind;
use super::page::{Page, Start};

/// What lies around the present place, as far as the parser can know.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) templates: u32,
    /// The open `svg` and `math` elements (`true`), and those in them that hold HTML (`false`).
    pub(super) foreign: Vec<bool>,
    /// In `select`, or after `frameset`, browsers may ignore the tags of text elements, and so see markup in them.
    pub(super) select: bool,
    pub(super) frameset: bool,
}

impl Around {
    /// Whether tags are SVG's or MathML's here, unless they lead out.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign.last().is_some_and(|foreign| *foreign)
    }

    /// Whether nothing does that makes a tag mean something else.
    pub(super) fn is_clear(&self) -> bool {
        self.templates == 0 && self.foreign.is_empty() && !self.select && !self.frameset
    }

    /// Whether a browser may see markup where the parser sees text.
    pub(super) fn is_doubtful(&self) -> bool {
        self.select
            || self.frameset
            || self.foreign.windows(2).any(|two| two == [true, true])
            // Asked of HTML only: a stray end tag has led the parser out of SVG or MathML, and maybe nobody else.
            || self.is_foreign()
    }
}

impl Page {
    /// An element begins that others may lie in.
    pub(super) fn enter(&mut self, start: Start) {
        let counts = start.number > 0;
        match start.kind {
            Kind::Template if counts => self.around.templates += 1,
            Kind::Foreign if counts => self.around.foreign.push(true),
            Kind::Integration if counts && self.around.is_foreign() => self.around.foreign.push(false),
            // A second start tag ends the first element.
            Kind::Select => self.around.select = !self.around.select,
            Kind::Frameset => self.around.frameset = true,
            _ => {}
        }
    }

    /// An element ends that this was called for at its start.
    pub(super) fn leave(&mut self, kind: Kind) {
        match kind {
            Kind::Template => self.around.templates = self.around.templates.saturating_sub(1),
            Kind::Foreign => {
                self.around.foreign.pop();
            }
            Kind::Integration if !self.around.is_foreign() => {
                self.around.foreign.pop();
            }
            Kind::Select => self.around.select = false,
            _ => {}
        }
    }
}
