//! Comma-separated lists (RFC 9110 §5.6.1): elements as slices of the line, quoted strings kept whole.

/// The elements of a list without the white space round them; empty ones are skipped (§5.6.1.2).
pub(super) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(line, b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Splits at a separator that is not inside a quoted string. The pieces and the separators are the whole line.
pub(super) fn split(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = match end_of_piece(text, separator) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(piece)
    })
}

fn end_of_piece(text: &[u8], separator: u8) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    text.iter().position(|&byte| {
        if escaped {
            escaped = false;
        } else if quoted && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            quoted = !quoted;
        }
        !quoted && byte == separator
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quoted_strings_stay_whole() {
        for (line, expected) in [
            ("", &[] as &[&str]),
            (" , ,", &[]),
            ("a, b ,c", &["a", "b", "c"]),
            (r#"a="x, y", b"#, &[r#"a="x, y""#, "b"]),
            (r#"a="\", y", b"#, &[r#"a="\", y""#, "b"]),
            (r#"a="unclosed, b"#, &[r#"a="unclosed, b"#]),
            ("a\\, b", &["a\\", "b"]),
        ] {
            let found: Vec<_> = elements(line.as_bytes()).map(|e| std::str::from_utf8(e).unwrap()).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn pieces_and_separators_are_the_whole_line(line in r#"[a",;\\ ]{0,20}"#) {
            let pieces: Vec<_> = split(line.as_bytes(), b',').collect();
            prop_assert_eq!(pieces.join(&b','), line.as_bytes());
        }
    }
}
