//! XHTML for a parser of HTML: a tag that closes itself gets the end tag that HTML would wait for.
//!
//! Only elements whose end the rewriter waits for. Their made end tags are dropped again as they come by
//! (`Next::Made`). What lies in comments, CDATA sections and processing instructions is left alone.

use super::elements::{self, Form, Kind};

/// Adds the end tags.
#[derive(Debug)]
pub(super) struct Closer {
    state: State,
    /// Of the tag being read: what tells what it is, no more of it.
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
    /// Until these bytes, of which so many have come.
    Until(&'static [u8], usize),
}

/// No element's name that matters is longer, nor is what begins a CDATA section.
const LONGEST: usize = 16;

impl Closer {
    pub(super) fn new() -> Self {
        Self { state: State::Text, name: Vec::new(), foreign: 0 }
    }

    /// Appends `bytes` and the end tags that are missing in them.
    pub(super) fn close(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            out.push(*byte);
            self.state = self.next(*byte, out);
        }
    }

    fn next(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        match (self.state, byte) {
            (State::Text, b'<') => {
                self.name.clear();
                State::Name
            }
            (State::Text, _) => State::Text,
            (State::Name, b'>') => self.tag(false, out),
            (State::Name, b' ' | b'\t' | b'\n' | b'\r') => State::Tag { slash: false },
            (State::Name, b'/') if !self.name.is_empty() => State::Tag { slash: true },
            (State::Name, _) => {
                if self.name.len() < LONGEST {
                    self.name.push(byte);
                }
                match self.name.as_slice() {
                    b"!--" => State::Until(b"-->", 0),
                    b"![CDATA[" => State::Until(b"]]>", 0),
                    b"?" => State::Until(b"?>", 0),
                    _ => State::Name,
                }
            }
            (State::Tag { slash }, b'>') => self.tag(slash, out),
            (State::Tag { .. }, b'"' | b'\'') => State::Value(byte),
            (State::Tag { .. }, _) => State::Tag { slash: byte == b'/' },
            (State::Value(quote), byte) if byte == quote => State::Tag { slash: false },
            (State::Value(quote), _) => State::Value(quote),
            (State::Until(end, come), _) => match byte == end[come] {
                true if come + 1 == end.len() => State::Text,
                true => State::Until(end, come + 1),
                // `--->` ends a comment, `]]]>` a section.
                false if come == 2 && byte == end[0] => State::Until(end, 2),
                false => State::Until(end, usize::from(byte == end[0])),
            },
        }
    }

    /// A tag ends here.
    fn tag(&mut self, closes_itself: bool, out: &mut Vec<u8>) -> State {
        let is_foreign = |name: &[u8]| matches!(name, b"svg" | b"math");
        match self.name.strip_prefix(b"/") {
            Some(name) if is_foreign(name) => self.foreign = self.foreign.saturating_sub(1),
            None if !closes_itself && is_foreign(&self.name) => self.foreign += 1,
            None if closes_itself && self.foreign == 0 && matters(&self.name) => {
                out.extend_from_slice(b"</");
                out.extend_from_slice(&self.name);
                out.push(b'>');
            }
            _ => {}
        }
        State::Text
    }
}

fn matters(name: &[u8]) -> bool {
    elements::kind(name).is_some_and(|kind| kind != Kind::Foreign && kind.form() != Form::Leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tags_that_close_themselves_get_an_end() {
        for (xml, wanted) in [
            ("<script src='a/>b' />x", "<script src='a/>b' /></script>x"),
            ("<script/><title/>", "<script/></script><title/></title>"),
            ("<script src='/'></script><br/><p/>", "<script src='/'></script><br/><p/>"),
            ("<svg><script/></svg><script/>", "<svg><script/></svg><script/></script>"),
            ("<!-- <script/> ---><script/>", "<!-- <script/> ---><script/></script>"),
            ("<![CDATA[<script/>]]]><a/>", "<![CDATA[<script/>]]]><a/>"),
            ("<?x <script/>?><!DOCTYPE html>", "<?x <script/>?><!DOCTYPE html>"),
        ] {
            for size in [1, 3, 100] {
                let (mut closer, mut out) = (Closer::new(), Vec::new());
                xml.as_bytes().chunks(size).for_each(|piece| closer.close(piece, &mut out));
                assert_eq!(String::from_utf8(out).unwrap(), wanted);
            }
        }
    }
}
