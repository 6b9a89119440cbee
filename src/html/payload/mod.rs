//! What frameworks hydrate a page from: literals that their scripts assign to names of theirs, or hand to functions of
//! those. They are never edited, for frameworks count them or fail without them, and as they call nobody no signature is
//! looked for in them. Whatever is not plainly such a literal is code.

mod function;
mod literals;
mod names;

use self::literals::Data;
use self::names::{comment, is_framework, is_name, members, path, spaces};

/// What the bytes that come next are, and how many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Data(usize),
    Code(usize),
}

/// Tells payload from code in the text of a script, in one pass and in pieces.
#[derive(Debug)]
pub(super) struct Payload {
    state: State,
    /// `SvelteKit` passes its data amid code.
    sveltekit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Data(Data),
    Code,
}

impl Payload {
    pub(super) fn new() -> Self {
        Self { state: State::Start, sveltekit: false }
    }

    /// For a text that is no script: all of it is to be judged.
    pub(super) fn none() -> Self {
        Self { state: State::Code, sveltekit: false }
    }

    /// Whether it is amid literals that may go on.
    pub(super) fn is_data(&self) -> bool {
        matches!(self.state, State::Data(_))
    }

    /// What `text` begins with; it goes on from where the last part ended. `whole` says that it is the rest of the script.
    pub(super) fn next(&mut self, text: &[u8], whole: bool) -> Part {
        match self.state {
            State::Start => match start(text) {
                Some((length, name)) => {
                    self.sveltekit = name.starts_with(b"__sveltekit_");
                    self.state = State::Data(Data::new(text[length - 1] == b'('));
                    Part::Code(length)
                }
                None => self.code(text),
            },
            State::Data(mut data) => {
                let (length, goes_on) = data.read(text, whole);
                // No text is looked through to its end again and again for what these lack.
                self.sveltekit &= !text[length..].starts_with(b"(function") && !text[length..].starts_with(b"/");
                if length == 0 {
                    return self.code(text);
                }
                self.state = if goes_on { State::Data(data) } else { State::Code };
                Part::Data(length)
            }
            State::Code => self.code(text),
        }
    }

    fn code(&mut self, text: &[u8]) -> Part {
        self.state = State::Code;
        let data = if self.sveltekit { sveltekit_data(text) } else { None };
        if data.is_some() {
            self.state = State::Data(Data::new(false));
        }
        Part::Code(data.unwrap_or(text.len()))
    }
}

/// Where the data of `data: […]` and `const data = […]` begins, if no string may have begun before it on its line.
fn sveltekit_data(text: &[u8]) -> Option<usize> {
    let (mut seen, mut quotes) = (0, [false; 3]);
    memchr::memmem::find_iter(text, b"data").find_map(|found| {
        for byte in &text[seen..found] {
            match byte {
                b'\n' => quotes = [false; 3],
                b'"' => quotes[0] ^= true,
                b'\'' => quotes[1] ^= true,
                b'`' => quotes[2] ^= true,
                _ => {}
            }
        }
        seen = found;
        let is_name = found > 0 && is_name(text[found - 1]);
        let mut at = spaces(text, found + 4);
        at = spaces(text, at + usize::from(matches!(text.get(at)?, b':' | b'=')));
        (matches!(text.get(at)?, b'[' | b'{') && !is_name && quotes == [false; 3]).then_some(at)
    })
}

/// Where the first literal of a payload begins, and the framework's name before it.
fn start(text: &[u8]) -> Option<(usize, &[u8])> {
    let (mut at, mut in_brackets) = (0, false);
    loop {
        at = spaces(text, at);
        match text.get(at)? {
            b';' | b'{' => at += 1,
            b'/' => at = comment(text, at)?,
            b'(' if !in_brackets => (at, in_brackets) = (at + 1, true),
            _ => break,
        }
    }
    for word in ["var", "let", "const"] {
        if text[at..].starts_with(word.as_bytes()) && text.get(at + word.len())?.is_ascii_whitespace() {
            at = spaces(text, at + word.len());
        }
    }
    let is_apollo = text[at..].starts_with(APOLLO);
    let (name, mut end) = if is_apollo { (APOLLO, at + APOLLO.len()) } else { path(text, at)? };
    if in_brackets {
        end = queue(text, end)?;
    }
    let at = spaces(text, end);
    let starts = match text.get(at..at + 2)? {
        [b'(', _] => at + 1,
        [b'=', next] if !b"=>".contains(next) => at + 1,
        _ => return None,
    };
    (is_apollo || is_framework(name)).then_some((starts, name))
}

const APOLLO: &[u8] = b"window[Symbol.for(\"ApolloSSRDataTransport\")]";

/// What follows a name in `(name=name||[]).push`, up to its end.
fn queue(text: &[u8], at: usize) -> Option<usize> {
    let at = spaces(text, at);
    let at = match text.get(at..at + 3)? {
        b"??=" | b"||=" => at + 3,
        [b'=', ..] => {
            let (_, end) = path(text, spaces(text, at + 1))?;
            let or = spaces(text, end);
            text.get(or..)?.starts_with(b"||").then_some(or + 2)?
        }
        _ => return None,
    };
    let at = spaces(text, at);
    let closes = spaces(text, text.get(at..)?.starts_with(b"[]").then_some(at + 2)?);
    (text.get(closes) == Some(&b')')).then(|| members(text, closes + 1))
}
