//! The prefilter: reads markup that cannot matter past the parser, which takes several times as long.
//!
//! It knows text, comments and tags of HTML content as tokenizers do, passes what is plain, and stops at what is not:
//! the parser gets every tag whose end counts, and of the others the names of those that are open, so that elements end
//! for it where they would have. The prefilter goes on where the parser has said that it is back in HTML content; where
//! it cannot tell, the parser has the rest of the page. What leaves is the same with and without it.

mod class;
mod name;
mod open;
mod progress;
mod token;

use self::class::{Class, Classes};
use self::name::Name;
use self::open::Open;
pub(super) use self::progress::Progress;
use self::token::{Start, Token};
use super::Settings;
use super::elements::Kind;
use super::page::Place;

/// Bytes that are held at most while the token that they begin is not complete; what is longer is the parser's, whose
/// limit may be lower.
const HELD: usize = 4 << 10;

/// What the parser need not see of a page.
#[derive(Debug)]
pub(super) struct Prefilter {
    open: Open,
    classes: Classes,
    inside: Option<Inside>,
    /// The beginning of a token of which more must come.
    held: Vec<u8>,
    /// Bytes of it that are held at most.
    most: usize,
}

/// What the parser has begun to read, and tells the end of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// An element of this name, and whether it is among the open ones.
    Element { name: Box<[u8]>, counted: bool },
    /// A long start tag.
    Tag,
}

/// What is to be done with the bytes that come next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many pass.
    Pass(usize),
    /// So many are a start tag of this kind that may need to be edited.
    Judge(Kind, usize),
    /// The parser gets so many.
    Feed(usize, Then),
    /// The parser is told by these tags of elements that are open.
    Tell(Vec<u8>),
    /// There are none, or they begin a token of which more must come.
    More,
    /// They, and all that follow, are for the parser.
    Leave,
}

/// What the parser must have made of its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// HTML content goes on.
    Content,
    /// It does, unless the rewriter wants to know where this element ends.
    Begun(Inside),
    /// They began an element of text, or a long tag.
    Within(Inside),
    /// They may have ended the element.
    Ended,
    /// They may have ended the tag.
    Closed,
}

impl Prefilter {
    /// That of a document; `None` where the parser must read all of it.
    pub(super) fn of(settings: &Settings, place: &Place) -> Option<Self> {
        // In XML any tag may close itself, and any element may have a style that matters.
        if !place.filtered || place.xml || settings.policy.parts().styles {
            return None;
        }
        let asked_for = match &settings.insert.link {
            Some(link) => Some(link.within.name()?.as_bytes().into()),
            None => None,
        };
        Some(Self {
            open: Open::default(),
            classes: Classes::new(asked_for),
            inside: None,
            held: Vec::new(),
            most: HELD.min(settings.limits.memory / 2),
        })
    }

    /// What was held back: it comes before anything new.
    pub(super) fn held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Keeps the beginning of a token.
    pub(super) fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The parser is in an element, and will say when that ends.
    pub(super) fn enter(&mut self, element: Inside) {
        self.inside = Some(element);
    }

    /// The element has ended.
    pub(super) fn leave(&mut self) {
        if let Some(Inside::Element { name, counted: true }) = self.inside.take() {
            self.open.find(Name::of(&name)).into_iter().for_each(|at| self.open.end(at));
        }
    }

    /// What is to be done next. `all`: the parser must see everything, for something is looked for between the tags.
    pub(super) fn next(&mut self, bytes: &[u8], all: bool) -> Step {
        match &self.inside {
            Some(_) if bytes.is_empty() => Step::More,
            Some(Inside::Element { name, .. }) => inside(name, bytes, self.most),
            Some(Inside::Tag) => {
                Step::Feed(memchr::memchr(b'>', bytes).map_or(bytes.len(), |end| end + 1), Then::Closed)
            }
            None => match self.content(bytes, all) {
                // An image may be as long as it likes.
                Step::More if bytes.len() > self.most && token::begins(bytes).is_some_and(is_leaf) => {
                    Step::Feed(bytes.len(), Then::Within(Inside::Tag))
                }
                Step::More if bytes.len() > self.most => self.tell().unwrap_or(Step::Leave),
                Step::Leave => self.tell().unwrap_or(Step::Leave),
                step => step,
            },
        }
    }

    /// Reads HTML content as far as it is plain.
    fn content(&mut self, bytes: &[u8], all: bool) -> Step {
        let mut at = 0;
        let next = loop {
            if !all {
                at += token::text(&bytes[at..]);
            }
            match token::read(&bytes[at..], &mut self.classes) {
                Some((token, length)) if !all && self.passes(&token) => at += length,
                next => break next,
            }
        };
        match next {
            _ if at > 0 => Step::Pass(at),
            Some((token, length)) => self.stop(&token, length, all),
            None => Step::More,
        }
    }

    /// Whether the token is plain; if so, it is done with.
    #[inline]
    fn passes(&mut self, token: &Token<'_>) -> bool {
        match token {
            Token::Text | Token::Comment => true,
            Token::End(name) => match self.open.find(*name) {
                Some(at) if self.open.is_told(at) => false,
                Some(at) => {
                    self.open.end(at);
                    true
                }
                None => self.classes.of(*name).0 != Class::Doubtful,
            },
            Token::Start(Start { name, class, has_content, matters }) => {
                let plain = match class {
                    Class::Plain => true,
                    Class::Judged(_) => !matters,
                    Class::Told | Class::Text | Class::Doubtful => false,
                };
                plain && (!has_content || self.open.push(*name))
            }
        }
    }

    /// What is to be done with a token that is not plain.
    fn stop(&mut self, token: &Token<'_>, length: usize, all: bool) -> Step {
        match token {
            Token::Text | Token::Comment => Step::Feed(length, Then::Content),
            Token::End(name) => match self.open.find(*name) {
                None if self.classes.of(*name).0 == Class::Doubtful => Step::Leave,
                found => {
                    found.into_iter().for_each(|at| self.open.end(at));
                    Step::Feed(length, Then::Content)
                }
            },
            Token::Start(start) => self.start(start, length, all),
        }
    }

    fn start(&mut self, start: &Start<'_>, length: usize, all: bool) -> Step {
        let Start { name, class, has_content, .. } = *start;
        let element = |counted| Inside::Element { name: name.to_bytes(), counted };
        match class {
            Class::Doubtful => Step::Leave,
            Class::Text => Step::Feed(length, Then::Within(element(false))),
            Class::Judged(kind) if !all => match !has_content || self.open.push(name) {
                true => Step::Judge(kind, length),
                false => Step::Leave,
            },
            Class::Plain | Class::Judged(_) | Class::Told if !has_content => Step::Feed(length, Then::Content),
            Class::Plain | Class::Judged(_) | Class::Told => match self.tell() {
                Some(tell) => tell,
                None if self.open.push_told(name) => Step::Feed(length, Then::Begun(element(true))),
                None => Step::Leave,
            },
        }
    }

    /// The parser must learn which elements are open, if it does not know.
    fn tell(&mut self) -> Option<Step> {
        let tags = self.open.tell();
        (!tags.is_empty()).then_some(Step::Tell(tags))
    }
}

/// Whether the parser stops at the tags of these elements, which have no content.
fn is_leaf(name: Name<'_>) -> bool {
    matches!(class::of(&name.to_bytes()), (Class::Judged(_), false))
}

/// Cuts what an element holds behind whatever may be its end tag: there the parser says whether it is.
fn inside(name: &[u8], bytes: &[u8], most: usize) -> Step {
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'<', &bytes[from..]) {
        let at = from + found;
        match ends(name, &bytes[at..]) {
            Some(Some(length)) => return Step::Feed(at + length, Then::Ended),
            Some(None) if at > 0 => return Step::Feed(at, Then::Ended),
            // Too long for one; if it is one, the next will do as well.
            Some(None) if bytes.len() > most => return Step::Feed(bytes.len(), Then::Ended),
            Some(None) => return Step::More,
            None => from = at + 1,
        }
    }
    Step::Feed(bytes.len(), Then::Ended)
}

/// Whether the bytes begin with an end tag of that name, up to its first `>`; `Some(None)` if it may become one.
fn ends(name: &[u8], bytes: &[u8]) -> Option<Option<usize>> {
    let tag = &bytes[..bytes.len().min(2 + name.len())];
    let (start, rest) = tag.split_at(tag.len().min(2));
    if !b"</".starts_with(start) || !name.get(..rest.len()).is_some_and(|part| part.eq_ignore_ascii_case(rest)) {
        return None;
    }
    match bytes.get(2 + name.len()) {
        None => Some(None),
        Some(b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>') => {
            Some(memchr::memchr(b'>', &bytes[2 + name.len()..]).map(|end| 2 + name.len() + end + 1))
        }
        Some(_) => None,
    }
}
