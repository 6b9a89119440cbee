//! Text for HTML that we write into pages of other people: ASCII alone, so that it is right in every charset.

use std::fmt::Write as _;

/// A double-quoted attribute value.
pub fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    escape_into(value, &mut quoted);
    quoted.push('"');
    quoted
}

/// Text of an element.
pub fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    escape_into(text, &mut escaped);
    escaped
}

fn escape_into(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            ' '..='~' | '\n' | '\t' => out.push(c),
            // A raw CR would be read as LF, and no reference stands for these: browsers read them as windows-1252.
            '\u{80}'..='\u{9f}' | '\0' => out.push_str("&#65533;"),
            _ => write!(out, "&#{};", u32::from(c)).expect("writing to a string does not fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_escaped_reads_the_same(text in "[^\u{0}\u{80}-\u{9f}]*") {
            let quoted = quote(&text);
            prop_assert!(quoted.is_ascii());
            prop_assert!(!quoted[1..quoted.len() - 1].contains(['"', '<', '>']));
            prop_assert_eq!(htmlize::unescape_attribute(&quoted[1..quoted.len() - 1]), text);
        }
    }
}
