//! Escapes in CSS.

/// The text with its escapes undone (CSS Syntax §4.3.7), those of line ends in strings among them.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = None;
        for _ in 0..6 {
            let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
            chars.next();
            code = Some(code.unwrap_or(0) * 16 + digit);
        }
        match code {
            Some(code) => {
                out.push(char::from_u32(code).filter(|c| *c != '\0').unwrap_or('\u{fffd}'));
                if chars.next_if(char::is_ascii_whitespace) == Some('\r') {
                    chars.next_if_eq(&'\n');
                }
            }
            None => match chars.next() {
                Some('\r') => _ = chars.next_if_eq(&'\n'),
                Some('\n' | '\u{c}') | None => {}
                Some(other) => out.push(other),
            },
        }
    }
    out
}
