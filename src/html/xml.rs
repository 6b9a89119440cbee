//! XHTML for a parser of HTML: what HTML would read otherwise is written otherwise, and back behind it.
//!
//! A tag that closes itself gets the end tag that HTML would wait for. In comments, CDATA sections and processing
//! instructions `<` and `>` are masked, for HTML has other ends for them. All of it is undone by [`Opener`].

use std::borrow::Cow;

use super::elements::{self, Form};
use super::references;

/// Instead of `<` and `>` where they are text. No XML holds these bytes, in whatever charset.
const LESS: u8 = 1;
const GREATER: u8 = 2;
/// Before an end tag that was never in the page.
const MADE: u8 = 3;

/// Makes it readable.
#[derive(Debug)]
pub(super) struct Closer {
    state: State,
    /// Of the tag being read.
    name: Vec<u8>,
    /// Open `svg` and `math` elements: in them HTML's parser minds the slash too.
    foreign: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Name,
    Tag {
        slash: bool,
    },
    Value(u8),
    /// In what a DOCTYPE itself declares.
    Subset,
    /// Until these bytes, of which so many have come.
    Until(&'static [u8], usize),
}

/// No element's name is longer, nor is what begins a CDATA section.
const LONGEST: usize = 64;

/// It cannot be read: names that are too long, bytes that are in no XML, and declarations, which may say anything of
/// what follows.
#[derive(Debug)]
pub(super) struct Unreadable;

impl Closer {
    pub(super) fn new() -> Self {
        Self { state: State::Text, name: Vec::new(), foreign: 0 }
    }

    /// Appends `bytes`, readable. How many of them, if not all are.
    pub(super) fn close(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), (usize, Unreadable)> {
        for (at, byte) in bytes.iter().enumerate() {
            out.push(match (self.state, byte) {
                (State::Until(..), b'<') => LESS,
                (State::Until(end, come), b'>') if come + 1 < end.len() => GREATER,
                (_, byte) => *byte,
            });
            match self.next(*byte, out) {
                Some(state) => self.state = state,
                None => {
                    out.pop();
                    return Err((at, Unreadable));
                }
            }
        }
        Ok(())
    }

    fn next(&mut self, byte: u8, out: &mut Vec<u8>) -> Option<State> {
        Some(match (self.state, byte) {
            (_, LESS | GREATER | MADE) => return None,
            (State::Text, b'<') => {
                self.name.clear();
                State::Name
            }
            (State::Text, _) => State::Text,
            (State::Name, b'>') => self.tag(false, out),
            (State::Name, b' ' | b'\t' | b'\n' | b'\r') => State::Tag { slash: false },
            (State::Name, b'/') if !self.name.is_empty() => State::Tag { slash: true },
            (State::Name, _) => {
                if self.name.len() == LONGEST {
                    return None;
                }
                self.name.push(byte);
                match self.name.as_slice() {
                    b"!--" => State::Until(b"-->", 0),
                    b"![CDATA[" => State::Until(b"]]>", 0),
                    b"?" => State::Until(b"?>", 0),
                    _ => State::Name,
                }
            }
            (State::Tag { slash }, b'>') => self.tag(slash, out),
            (State::Tag { .. }, b'"' | b'\'') => State::Value(byte),
            (State::Tag { .. }, b'[') if self.name == b"!DOCTYPE" => State::Subset,
            (State::Tag { .. }, _) => State::Tag { slash: byte == b'/' },
            (State::Subset, b' ' | b'\t' | b'\n' | b'\r') => State::Subset,
            (State::Subset, b']') => State::Tag { slash: false },
            (State::Subset, _) => return None,
            (State::Value(quote), byte) if byte == quote => State::Tag { slash: false },
            (State::Value(quote), _) => State::Value(quote),
            (State::Until(end, come), _) => match byte == end[come] {
                true if come + 1 == end.len() => State::Text,
                true => State::Until(end, come + 1),
                // `--->` ends a comment, `]]]>` a section.
                false if come == 2 && byte == end[0] => State::Until(end, 2),
                false => State::Until(end, usize::from(byte == end[0])),
            },
        })
    }

    /// A tag ends here.
    fn tag(&mut self, closes_itself: bool, out: &mut Vec<u8>) -> State {
        let is_foreign = |name: &[u8]| matches!(name, b"svg" | b"math");
        match self.name.strip_prefix(b"/") {
            Some(name) if is_foreign(name) => self.foreign = self.foreign.saturating_sub(1),
            None if !closes_itself && is_foreign(&self.name) => self.foreign += 1,
            None if closes_itself && matters(&self.name) && (self.foreign == 0 || !is_foreign(&self.name)) => {
                out.extend_from_slice(&[MADE, b'<', b'/']);
                out.extend_from_slice(&self.name);
                out.push(b'>');
            }
            _ => {}
        }
        State::Text
    }
}

fn matters(name: &[u8]) -> bool {
    elements::kind(local(name)).is_some_and(|kind| kind.form() != Form::Leaf)
}

/// A name without the prefix of its namespace, which may be any.
pub(super) fn local(name: &[u8]) -> &[u8] {
    memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

/// Undoes what a [`Closer`] did.
#[derive(Debug, Default)]
pub(super) struct Opener {
    /// Amid an end tag that was never in the page.
    made: bool,
}

impl Opener {
    pub(super) fn open(&mut self, text: &mut Vec<u8>) {
        text.retain_mut(|byte| {
            let made = self.made || *byte == MADE;
            self.made = made && *byte != b'>';
            match *byte {
                LESS => *byte = b'<',
                GREATER => *byte = b'>',
                _ => {}
            }
            !made
        });
    }
}

/// The text of an element as scripts of the page see it: without tags and comments, and with its references decoded.
pub(super) fn text(markup: &str) -> String {
    const SECTION: &str = "<![CDATA[";
    let (mut text, mut rest) = (String::with_capacity(markup.len()), markup);
    loop {
        let at = rest.find('<').unwrap_or(rest.len());
        text.push_str(&references::decode(&rest[..at]));
        rest = &rest[at..];
        if let Some(section) = rest.strip_prefix(SECTION) {
            let (inner, behind) = section.split_once("]]>").unwrap_or((section, ""));
            text.push_str(&unmask(inner));
            rest = behind;
        } else if rest.is_empty() {
            return text;
        } else {
            rest = rest.split_once('>').map_or("", |(_, behind)| behind);
        }
    }
}

fn unmask(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| matches!(byte, LESS | GREATER)) {
        text.replace(char::from(LESS), "<").replace(char::from(GREATER), ">").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tags_that_close_themselves_get_an_end() {
        for (xml, wanted) in [
            ("<script src='a/>b' />x", "<script src='a/>b' />*</script>x"),
            ("<script/><title/>", "<script/>*</script><title/>*</title>"),
            ("<script src='/'></script><br/><p/>", "<script src='/'></script><br/><p/>"),
            ("<h:script/><s:svg/><h:p/>", "<h:script/>*</h:script><s:svg/>*</s:svg><h:p/>"),
            ("<svg><script/><svg/></svg><svg/>", "<svg><script/>*</script><svg/></svg><svg/>*</svg>"),
            ("<!-- <script/> ---><script/>", "<!-- (script/) ---><script/>*</script>"),
            ("<!--><script>--!><a/>--><a/>", "<!--)(script)--!)(a/)--><a/>"),
            ("<![CDATA[<script/>]]]><a/>", "<![CDATA[(script/)]]]><a/>"),
            ("<?x <script/>?><!DOCTYPE html [ ]>", "<?x (script/)?><!DOCTYPE html [ ]>"),
        ] {
            for size in [1, 3, 100] {
                let (mut closer, mut out) = (Closer::new(), Vec::new());
                for piece in xml.as_bytes().chunks(size) {
                    closer.close(piece, &mut out).unwrap();
                }
                let shown = String::from_utf8(out.clone()).unwrap();
                assert_eq!(shown.replace('\x01', "(").replace('\x02', ")").replace('\x03', "*"), wanted);
                let mut opener = Opener::default();
                let back = out.chunks(size).flat_map(|piece| {
                    let mut piece = piece.to_vec();
                    opener.open(&mut piece);
                    piece
                });
                assert_eq!(back.collect::<Vec<_>>(), xml.as_bytes());
            }
        }
        for xml in ["<!DOCTYPE html [<!ENTITY x 'y'>]>", "a\x01", &format!("<{}", "a".repeat(65))] {
            assert!(Closer::new().close(xml.as_bytes(), &mut Vec::new()).is_err(), "{xml}");
        }
    }

    #[test]
    fn text_is_what_scripts_of_the_page_see() {
        for (markup, wanted) in [
            ("fb&#113;(&quot;init&quot;)", "fbq(\"init\")"),
            ("a<![CDATA[b&amp;\x01c\x02]]>&lt;", "ab&amp;<c><"),
            ("a<!-- b -->c<?d?>e<f g='h'>i</f>", "acei"),
            ("a<![CDATA[b", "ab"),
            ("a<b", "a"),
        ] {
            assert_eq!(text(markup), wanted);
        }
    }
}
