//! Literals, and what may stand beside them: calls of nobody but frameworks and makers of other literals. Operands and
//! operators take turns, so that no statement passes for one; two that meet are judged.

use super::function;
use super::names::{LONGEST, comment, is_framework, is_maker, is_name, name_end, path, spaces};

/// Where among the literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Data {
    /// How many brackets are open.
    depth: u32,
    /// The quote of the string that is open.
    quote: Option<u8>,
    /// A value has ended: an operator follows, or the end.
    operand: bool,
    /// They are of a function that is called where it stands: there are no names in it but its own.
    function: bool,
    /// What the last token was: its last byte, [`NAME`] or [`NUMBER`].
    last: u8,
}

const NAME: u8 = b'a';
const NUMBER: u8 = b'0';

/// How far a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    To(usize),
    /// Up to here; what comes next can't be told without more of the text.
    More(usize),
    /// Up to here; what comes next is none of a literal.
    Code(usize),
}

impl Data {
    /// Behind the equals sign or, `in_call`, the bracket that they are handed over with.
    pub(super) fn new(in_call: bool) -> Self {
        Self { last: if in_call { b'(' } else { b'=' }, depth: in_call.into(), ..Self::default() }
    }

    /// Reads literals: how many bytes of them there are, and whether they go on behind the text. What may yet turn out
    /// to be code is not among them.
    pub(super) fn read(&mut self, text: &[u8], whole: bool) -> (usize, bool) {
        // Behind here nothing is begun of which the rest might be needed.
        let enough = if whole { text.len() } else { text.len() - LONGEST.min(text.len() / 2) };
        let mut at = 0;
        while at < if self.quote.is_some() { text.len() } else { enough } {
            match self.step(text, at, None) {
                Step::To(end) => at = end,
                Step::More(end) => return (end, !whole),
                Step::Code(end) => return (end, false),
            }
        }
        (at, true)
    }

    /// Where the bracket closes that opens here, if there are but literals in it and, in a function of these
    /// `parameters`, what may be done with those.
    pub(super) fn enclosed(text: &[u8], mut at: usize, parameters: Option<&[u8]>) -> Option<usize> {
        let mut data = Self { function: true, ..Self::new(false) };
        loop {
            match data.step(text, at, parameters) {
                Step::To(end) if data.depth == 0 => return Some(end),
                Step::To(end) if end < text.len() => at = end,
                _ => return None,
            }
        }
    }

    fn step(&mut self, text: &[u8], at: usize, parameters: Option<&[u8]>) -> Step {
        match self.quote {
            Some(quote) => self.string(text, at, quote),
            None => self.token(text, at, parameters).map_or(Step::Code(at), Step::To),
        }
    }

    /// The rest of a string, up to an escape's end.
    fn string(&mut self, text: &[u8], at: usize, quote: u8) -> Step {
        // No string goes beyond its line but a template, and what that computes is code.
        let stop = if quote == b'`' { b'$' } else { b'\n' };
        let Some(found) = memchr::memchr3(quote, b'\\', stop, &text[at..]) else { return Step::To(text.len()) };
        let at = at + found;
        match (text[at], text.get(at + 1)) {
            (b'\\' | b'$', None) => Step::More(at),
            (b'\\', _) => Step::To(at + 2),
            (b'\n', _) | (b'$', Some(b'{')) if stop == text[at] => Step::Code(at),
            (byte, _) if byte == quote => {
                (self.quote, self.operand, self.last) = (None, true, quote);
                Step::To(at + 1)
            }
            _ => Step::To(at + 1),
        }
    }

    /// Where the token ends that stands here; `None` if it is none of a literal.
    fn token(&mut self, text: &[u8], at: usize, parameters: Option<&[u8]>) -> Option<usize> {
        let (byte, next) = (text[at], text.get(at + 1).copied().unwrap_or_default());
        let (end, operand) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Some(at + 1),
            b'/' if matches!(next, b'/' | b'*') => return comment(text, at),
            // Beside numbers it is no regular expression.
            b'/' if self.operand && self.last == NUMBER && next.is_ascii_digit() => (at + 1, false),
            b'"' | b'\'' | b'`' if !self.operand => {
                self.quote = Some(byte);
                return Some(at + 1);
            }
            b'{' | b'[' if !self.operand => {
                self.depth += 1;
                (at + 1, false)
            }
            b'}' | b']' | b')' => {
                self.depth = self.depth.checked_sub(1)?;
                (at + 1, true)
            }
            b'|' | b'&' | b'?' if self.operand && next == byte => (at + 2, false),
            b'!' if !self.operand => (at + 1, false),
            b':' if self.operand && self.depth > 0 => (at + 1, false),
            b',' | b'-' | b'+' => (at + 1, false),
            b';' if self.depth == u32::from(parameters.is_some()) => (at + 1, false),
            b'(' => return self.bracket(text, at),
            b'.' if self.operand && self.last == b')' => return self.bytes(text, at),
            b'.' | b'0'..=b'9' if !self.operand && (byte != b'.' || next.is_ascii_digit()) => {
                let is_number = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
                let length = text[at..].iter().take_while(|byte| is_number(byte)).count();
                (self.operand, self.last) = (true, NUMBER);
                return Some(at + length);
            }
            byte if is_name(byte) => return self.name(text, at, parameters),
            _ => return None,
        };
        (self.operand, self.last) = (operand, text[end - 1]);
        Some(end)
    }

    /// A bracket that calls nothing, or only what makes literals.
    fn bracket(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let rest = &text[at + 1..];
        if self.operand {
            // What seroval writes behind its functions.
            (self.last == b')' && rest.starts_with(b"$R[")).then_some(())?;
            return Some(self.opens(at + 1));
        }
        if rest.starts_with(b"$R=>") {
            return Some(self.opens(at + 5));
        }
        if rest.starts_with(b"function") {
            (!self.function).then_some(())?;
            (self.operand, self.last) = (true, b'}');
            return function::end(text, at + 1);
        }
        // A function of nothing but literals calls nobody.
        let closes = spaces(text, at + 1);
        let arrow = spaces(text, closes + 1);
        if text[closes..].starts_with(b")") && text[arrow..].starts_with(b"=>") {
            self.last = b'>';
            return Some(arrow + 2);
        }
        Some(self.opens(at + 1))
    }

    fn opens(&mut self, end: usize) -> usize {
        self.depth += 1;
        (self.operand, self.last) = (false, b'(');
        end
    }

    /// What devalue writes behind a typed array.
    fn bytes(&mut self, text: &[u8], at: usize) -> Option<usize> {
        let end = name_end(text, at + 1);
        match (&text[at + 1..end], text.get(end)?) {
            (b"buffer", b'(' | b'`') => None,
            (b"buffer", _) => {
                self.last = NAME;
                Some(end)
            }
            (b"subarray", b'(') => Some(self.opens(end + 1)),
            _ => None,
        }
    }

    /// A name, and what stands behind it. Only those are told to do something that are frameworks' or make literals, and
    /// no others are known but parameters: whatever else had a name here might be called by it later.
    fn name(&mut self, text: &[u8], at: usize, parameters: Option<&[u8]>) -> Option<usize> {
        let end = name_end(text, at);
        let word = &text[at..end];
        let next = spaces(text, end);
        if self.depth > 0 && matches!(self.last, b'{' | b',') && text.get(next) == Some(&b':') {
            (self.operand, self.last) = (true, NAME);
            return word.is_ascii().then_some(end);
        }
        // Where brackets are open no statement ends at a line's end.
        if self.operand && self.depth > 0 {
            return None;
        }
        let begins = self.operand || matches!(self.last, b';' | b'{');
        match word {
            b"true" | b"false" | b"null" | b"undefined" | b"NaN" | b"Infinity" if !self.operand => {
                (self.operand, self.last) = (true, NAME);
                return Some(end);
            }
            b"void" if !self.operand => {
                self.last = b'!';
                return Some(end);
            }
            b"return" if self.depth == 1 && begins && parameters.is_some() => {
                self.last = b'=';
                return Some(end);
            }
            b"var" | b"let" | b"const" if self.depth == 0 && begins => {
                (next > end && is_framework(path(text, next)?.0)).then_some(())?;
                (self.operand, self.last) = (false, b';');
                return Some(end);
            }
            b"new" if !self.operand => {
                let (name, end) = path(text, next)?;
                let opens = spaces(text, end);
                (next > at + 3 && text.get(opens) == Some(&b'(') && is_maker(name)).then_some(())?;
                return Some(self.opens(opens + 1));
            }
            _ => {}
        }
        let parameter = parameters.and_then(|known| function::member(known, text, at));
        let (name, end, is_parameter) = match parameter {
            Some(end) => (&text[at..end], end, true),
            None => path(text, at).map(|(name, end)| (name, end, false))?,
        };
        let is_ours = !self.function && is_framework(name);
        let next = spaces(text, end);
        match text.get(next)? {
            b'(' if is_ours || (!is_parameter && !self.operand && is_maker(name)) => Some(self.opens(next + 1)),
            b'=' if !matches!(text.get(next + 1)?, b'=' | b'>') => {
                let sets_member = is_parameter && name.len() > word.len() && self.depth == 1 && begins;
                (is_ours || sets_member).then_some(())?;
                (self.operand, self.last) = (false, b'=');
                Some(next + 1)
            }
            b'(' | b'=' | b'`' => None,
            _ if is_ours || is_parameter => {
                (self.operand, self.last) = (true, NAME);
                Some(end)
            }
            _ => None,
        }
    }
}
