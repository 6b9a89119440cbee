//! Where the body begins in the bytes between the elements of the head (HTML §13.2.6.4.4 to §13.2.6.4.6).

/// Where in the markup between the elements of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Text,
    /// Behind `<`, `<!` or `<!-`, by how much of it.
    Declaration(u8),
    /// In a comment, and how many dashes of its end; 3 is `--!`.
    Comment(u8),
    /// Up to the next `>`.
    Bogus,
    Tag,
    /// Behind `=`.
    Value,
    Unquoted,
    Quoted(u8),
}

impl At {
    /// Where in this chunk the body begins. A tag's `<` and name are never parted: the parser holds them together.
    pub(super) fn find(&mut self, chunk: &[u8]) -> Option<usize> {
        for (index, byte) in chunk.iter().copied().enumerate() {
            *self = match (*self, byte) {
                (Self::Text, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ') => Self::Text,
                // A byte order mark: text cannot begin with these bytes in UTF-8, and elsewhere nobody minds.
                (Self::Text, 0xef | 0xbb | 0xbf) => Self::Text,
                (Self::Text, b'<') => match opened(&chunk[index + 1..]) {
                    Some(at) => at,
                    None => return Some(index),
                },
                (Self::Text, _) => return Some(index),
                (Self::Declaration(0), _) => Self::Declaration(1),
                (Self::Declaration(1), b'-') => Self::Declaration(2),
                // `<!-->` is a whole comment.
                (Self::Declaration(2), b'-') => Self::Comment(2),
                (Self::Declaration(_) | Self::Bogus | Self::Tag | Self::Value | Self::Unquoted, b'>') => Self::Text,
                (Self::Declaration(_), _) => Self::Bogus,
                (Self::Comment(2..), b'>') => Self::Text,
                (Self::Comment(2), b'!') => Self::Comment(3),
                (Self::Comment(dashes), b'-') => Self::Comment(if dashes == 3 { 1 } else { 2.min(dashes + 1) }),
                (Self::Comment(_), _) => Self::Comment(0),
                (Self::Tag, b'=') => Self::Value,
                (Self::Value, b'"' | b'\'') => Self::Quoted(byte),
                (Self::Value | Self::Unquoted, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ') => {
                    if *self == Self::Value {
                        Self::Value
                    } else {
                        Self::Tag
                    }
                }
                (Self::Value, _) => Self::Unquoted,
                (Self::Quoted(quote), _) if quote == byte => Self::Tag,
                (same, _) => same,
            };
        }
        None
    }
}

/// Reads what follows a `<`: where it leads, or `None` for a tag or text that belongs into the body.
fn opened(rest: &[u8]) -> Option<At> {
    let starts = |name: &[u8]| {
        rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && rest.get(name.len()).is_none_or(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))
    };
    match rest.first()? {
        b'!' => Some(At::Declaration(0)),
        b'?' | b'/' => Some(At::Bogus),
        _ if starts(b"html") => Some(At::Tag),
        _ => None,
    }
}
