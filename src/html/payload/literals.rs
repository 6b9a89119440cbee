//! Literals, and what may stand beside them: anything that calls nobody but frameworks and makers of other literals.

use super::names::{LONGEST, MAKERS, comment, is_framework, is_name, path, spaces};

/// Where among the literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Data {
    /// How many brackets are open.
    depth: u32,
    /// The quote of the string that is open.
    quote: Option<u8>,
    /// They are what a function returns that is called where it stands, as Nuxt 2 and devalue write them.
    function: bool,
    /// The last byte that is no white space.
    last: u8,
}

impl Data {
    /// Behind an equals sign.
    pub(super) fn new() -> Self {
        Self { last: b'=', ..Self::default() }
    }

    /// Reads literals: how many bytes of them there are, and whether they go on behind the text. What may yet turn out
    /// to be code is not among them.
    pub(super) fn read(&mut self, text: &[u8], whole: bool) -> (usize, bool) {
        // Behind here nothing is begun of which the rest might be needed.
        let enough = if whole { text.len() } else { text.len() - LONGEST.min(text.len() / 2) };
        let mut at = 0;
        while at < text.len() {
            if let Some(quote) = self.quote {
                let Some(found) = memchr::memchr3(quote, b'\\', b'\n', &text[at..]) else { return (text.len(), true) };
                match text[at + found] {
                    b'\\' if at + found + 1 >= text.len() => return (at + found, !whole),
                    b'\\' => at += found + 2,
                    // No string goes beyond its line.
                    b'\n' => return (at + found, false),
                    _ => {
                        at += found + 1;
                        self.quote = None;
                        self.last = quote;
                    }
                }
                continue;
            }
            if at >= enough {
                return (at, true);
            }
            match self.token(text, at) {
                Some(end) => at = end,
                None => return (at, false),
            }
        }
        (at, true)
    }

    /// Where the token ends that stands here; `None` if it is none of a literal.
    fn token(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let byte = text[at];
        let end = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Some(at + 1),
            b'"' | b'\'' => {
                self.quote = Some(byte);
                return Some(at + 1);
            }
            b'/' => return comment(text, at),
            b'{' | b'[' => {
                self.depth += 1;
                at + 1
            }
            b'}' | b']' | b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.function &= self.depth > 0;
                at + 1
            }
            b',' | b':' | b'-' | b'+' | b'!' | b'?' | b'|' | b'&' | b'.' => at + 1,
            b';' if self.depth == 0 || self.function => at + 1,
            b'(' => self.bracket(text, at)?,
            // A function of nothing but literals calls nobody.
            b'=' if text.get(at + 1) == Some(&b'>') => at + 2,
            byte if is_name(byte) => return self.name(text, at),
            _ => return None,
        };
        self.last = text[end - 1];
        Some(end)
    }

    /// A bracket that calls nothing, or only what makes literals.
    fn bracket(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let rest = &text[at + 1..];
        let calls = is_name(self.last) || b")]}\"'.".contains(&self.last);
        self.depth += 1;
        if rest.starts_with(b"$R=>") {
            return (!calls).then_some(at + 5);
        }
        // What seroval and devalue write behind their functions.
        let is_argument = (self.last == b')' && rest.starts_with(b"$R[")) || (self.last == b'}' && self.function);
        let groups = !calls
            && (matches!(rest.get(spaces(rest, 0))?, b'{' | b'[' | b'"' | b'\'' | b')')
                || rest.starts_with(b"function"));
        (groups || is_argument).then_some(at + 1)
    }

    /// A name, and what stands behind it: of what it may be told to do something, only frameworks and makers of literals.
    fn name(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let (begins, last) = (matches!(self.last, b'=' | b'('), self.last);
        let (name, end) = path(text, at)?;
        let next = spaces(text, end);
        let ours = is_framework(name);
        self.last = text[end - 1];
        match text.get(next) {
            Some(b'(') if name == b"function" && begins => {
                self.function = true;
                let parameters = memchr::memchr(b')', &text[next..])?;
                let are_names =
                    text[next + 1..next + parameters].iter().all(|byte| is_name(*byte) || b", \n".contains(byte));
                self.last = b')';
                are_names.then_some(next + parameters + 1)
            }
            Some(b'(') => {
                // A member of what came before is somebody else's.
                let makes = last != b'.' && MAKERS.split(' ').any(|maker| maker.as_bytes() == name);
                self.depth += 1;
                self.last = b'(';
                (ours || makes).then_some(next + 1)
            }
            Some(b'=') if !matches!(text.get(next + 1), Some(b'=' | b'>')) => {
                self.last = b'=';
                (ours || (self.function && last != b'.')).then_some(next + 1)
            }
            Some(b'`') | None => None,
            _ => Some(end),
        }
    }
}
