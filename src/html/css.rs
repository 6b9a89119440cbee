//! Finds the URLs that CSS makes a browser fetch, as the tokens of CSS Syntax §4.3 have them.
//!
//! It knows comments, strings, escapes, `url()`, `image-set()` and `@import`, and nothing of rules and properties.

use super::escapes::unescape;

/// What the tokens so far say of those to come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Behind `@import` or `url(`: a string is a URL.
    string_is_url: bool,
    /// Behind `@namespace`, whose URL is only a name.
    in_namespace: bool,
    /// How many parentheses are open, and which of them is the outermost `image-set(`; 0 if none is.
    depth: u32,
    set_at: u32,
    skip: Option<Skip>,
}

/// What may be long, and is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skip {
    Comment,
    /// A `data:` URL that ends with this byte.
    Data(u8),
}

/// What a piece of CSS is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A URL that is fetched stands here, without quotes and with its escapes.
    Url(std::ops::Range<usize>),
    Other,
}

/// Reads CSS in any ASCII-compatible encoding, token by token.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    /// Where the next token begins.
    pub(super) at: usize,
    /// Nothing follows the text.
    pub(super) whole: bool,
    pub(super) state: State,
}

impl Reader<'_> {
    /// The next token; `None` where the text ends, or may go on within the token: then `at` and `state` are as before it.
    pub(super) fn next(&mut self) -> Option<Token> {
        let before = (self.at, self.state);
        let token = self.token();
        if token.is_none() {
            (self.at, self.state) = before;
        }
        token
    }

    fn token(&mut self) -> Option<Token> {
        if let Some(skip) = self.state.skip {
            return self.skip(skip);
        }
        let byte = *self.text.get(self.at)?;
        match byte {
            _ if is_space(byte) => self.at += 1,
            b'/' if self.follows(1)? == Some(b'*') => {
                self.at += 2;
                self.state.skip = Some(Skip::Comment);
            }
            b'"' | b'\'' => return self.string(byte),
            b'@' => {
                self.at += 1;
                let name = self.name()?;
                self.state.string_is_url = name == "import";
                self.state.in_namespace = name == "namespace";
            }
            b'#' | b'0'..=b'9' => {
                self.at += 1;
                self.name()?;
                self.state.string_is_url = false;
            }
            _ if self.starts_name(byte)? => {
                let name = self.name()?;
                self.state.string_is_url = false;
                if self.follows(0)? == Some(b'(') {
                    self.at += 1;
                    return self.function(&name);
                }
            }
            _ => {
                self.at += 1;
                self.punctuation(byte);
            }
        }
        Some(Token::Other)
    }

    fn punctuation(&mut self, byte: u8) {
        let state = &mut self.state;
        state.string_is_url = false;
        match byte {
            b'(' => state.depth = state.depth.saturating_add(1),
            b')' => {
                state.depth = state.depth.saturating_sub(1);
                if state.depth < state.set_at {
                    state.set_at = 0;
                }
            }
            b';' => state.in_namespace = false,
            b'{' | b'}' => *state = State::default(),
            _ => {}
        }
    }

    fn function(&mut self, name: &str) -> Option<Token> {
        self.state.depth = self.state.depth.saturating_add(1);
        if matches!(name, "image-set" | "-webkit-image-set") && self.state.set_at == 0 {
            self.state.set_at = self.state.depth;
        }
        if !matches!(name, "url" | "src") {
            return Some(Token::Other);
        }
        let start = self.at + self.text[self.at..].iter().take_while(|byte| is_space(**byte)).count();
        match self.text.get(start) {
            Some(b'"' | b'\'') => {
                self.at = start;
                self.state.string_is_url = true;
                Some(Token::Other)
            }
            None if !self.whole => None,
            _ if name == "src" => Some(Token::Other),
            _ => self.unquoted(start),
        }
    }

    /// The rest of `url(` without quotes: up to its parenthesis, which ends the token too.
    fn unquoted(&mut self, start: usize) -> Option<Token> {
        if self.is_data(start)? {
            (self.at, self.state.skip) = (start, Some(Skip::Data(b')')));
            return Some(Token::Other);
        }
        self.at = start;
        let end = loop {
            match self.text.get(self.at) {
                None if self.whole => break Some(self.at),
                None => return None,
                Some(b')') => break Some(self.at),
                Some(b'\\') => self.escape()?,
                Some(byte) if is_space(*byte) => {
                    let end = self.at;
                    self.at += self.text[self.at..].iter().take_while(|byte| is_space(**byte)).count();
                    match self.text.get(self.at) {
                        None if !self.whole => return None,
                        None | Some(b')') => break Some(end),
                        Some(_) => break None,
                    }
                }
                // Then it is no URL, up to its parenthesis.
                Some(b'"' | b'\'' | b'(' | 0..=8 | 0xb | 0xe..=0x1f | 0x7f) => break None,
                Some(_) => self.at += 1,
            }
        };
        let Some(end) = end else {
            self.state.skip = Some(Skip::Data(b')'));
            return Some(Token::Other);
        };
        Some(if self.state.in_namespace { Token::Other } else { Token::Url(start..end) })
    }

    fn string(&mut self, quote: u8) -> Option<Token> {
        let start = self.at + 1;
        let is_url = (self.state.string_is_url || self.state.set_at > 0) && !self.state.in_namespace;
        self.state.string_is_url = false;
        if is_url && self.is_data(start)? {
            (self.at, self.state.skip) = (start, Some(Skip::Data(quote)));
            return Some(Token::Other);
        }
        self.at = start;
        loop {
            match self.text.get(self.at) {
                None if self.whole => break,
                None => return None,
                Some(byte) if *byte == quote => break,
                // A string with a line end in it is none.
                Some(b'\n' | b'\r' | 0xc) => return Some(Token::Other),
                Some(b'\\') => self.escape()?,
                Some(_) => self.at += 1,
            }
        }
        let end = self.at;
        self.at = (end + 1).min(self.text.len());
        Some(if is_url { Token::Url(start..end) } else { Token::Other })
    }

    fn skip(&mut self, skip: Skip) -> Option<Token> {
        let start = self.at;
        while let Some(byte) = self.text.get(self.at) {
            match (skip, *byte) {
                (Skip::Comment, b'*') => match self.text.get(self.at + 1) {
                    Some(b'/') => return self.skipped(2),
                    None => break,
                    Some(_) => self.at += 1,
                },
                (Skip::Data(_), b'\\') if self.at + 1 < self.text.len() => self.at += 2,
                (Skip::Data(_), b'\\') => break,
                (Skip::Data(end), byte) if byte == end => return self.skipped(usize::from(end != b')')),
                (Skip::Data(b'"' | b'\''), b'\n' | b'\r' | 0xc) => return self.skipped(0),
                _ => self.at += 1,
            }
        }
        (self.at > start).then_some(Token::Other)
    }

    fn skipped(&mut self, more: usize) -> Option<Token> {
        self.at += more;
        self.state.skip = None;
        Some(Token::Other)
    }

    /// Whether a `data:` URL begins here: nobody is contacted.
    fn is_data(&self, at: usize) -> Option<bool> {
        let rest = &self.text[at..];
        let seen = &rest[..rest.len().min(5)];
        if !b"data:"[..seen.len()].eq_ignore_ascii_case(seen) {
            return Some(false);
        }
        if seen.len() < 5 && !self.whole { None } else { Some(seen.len() == 5) }
    }

    /// What stands so many bytes on; the outer `None` if it has not come.
    fn follows(&self, on: usize) -> Option<Option<u8>> {
        match self.text.get(self.at + on) {
            None if !self.whole => None,
            byte => Some(byte.copied()),
        }
    }

    fn starts_name(&self, byte: u8) -> Option<bool> {
        if byte != b'\\' {
            return Some(is_name(byte));
        }
        Some(self.follows(1)?.is_some_and(|next| !matches!(next, b'\n' | b'\r' | 0xc)))
    }

    /// A name in lower case, escapes undone. One that matters is ASCII.
    fn name(&mut self) -> Option<String> {
        let start = self.at;
        while let Some(byte) = self.follows(0)? {
            match byte {
                b'\\' if self.starts_name(byte)? => self.escape()?,
                byte if is_name(byte) => self.at += 1,
                _ => break,
            }
        }
        let mut name = unescape(&String::from_utf8_lossy(&self.text[start..self.at]));
        name.make_ascii_lowercase();
        Some(name)
    }

    /// Steps over an escape.
    fn escape(&mut self) -> Option<()> {
        let rest = &self.text[self.at + 1..];
        let digits = rest.iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits == rest.len() && digits < 6 && !self.whole {
            return None;
        }
        let mut length = 1 + digits.max(usize::from(!rest.is_empty()));
        match rest.get(digits) {
            None if !self.whole => return None,
            Some(byte) if digits > 0 && is_space(*byte) => length += 1,
            _ => {}
        }
        // CR LF is one line end.
        if self.text.get(self.at + length - 1) == Some(&b'\r') {
            match self.text.get(self.at + length) {
                None if !self.whole => return None,
                Some(b'\n') => length += 1,
                _ => {}
            }
        }
        self.at += length;
        Some(())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xc)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || byte >= 0x80
}
