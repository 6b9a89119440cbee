//! Values of YAML that we write ourselves, out of text that others chose.

/// As one value or key of YAML, on one line: in double quotes unless it is plain. What a terminal could take for more
/// than text is escaped.
pub(super) fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':');
    let tame = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c.is_ascii_digit())
        && !text.ends_with(':')
        && text.chars().all(plain)
        && !is_other_than_text(text);
    if tame { text.to_owned() } else { quoted(text) }
}

/// In double quotes, in ASCII and alphanumerics only (YAML 1.2 §5.7).
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Words and numbers that a reader takes for another type.
fn is_other_than_text(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    // An address of IPv4 has more points than any number.
    let number = text.starts_with(|c: char| c.is_ascii_digit()) && text.matches('.').count() < 2;
    number || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_text_goes_without_quotes() {
        for text in ["shop.example", "http://127.0.0.1:8080", "_ga", "127.0.0.1", "certs/a.pem"] {
            assert_eq!(scalar(text), text);
        }
        for (text, expected) in [
            ("*.a", "\"*.a\""),
            ("no", "\"no\""),
            ("1.5", "\"1.5\""),
            ("x: y\n- z", "\"x: y\\u000a- z\""),
            ("a\\\"", "\"a\\\\\\\"\""),
            ("\u{9b}2J\u{202e}\u{1f600}", "\"\\u009b2J\\u202e\\U0001f600\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }

    proptest! {
        #[test]
        fn yaml_reads_what_was_meant(text in "\\PC{0,20}|[ -~\n\t\u{85}\u{2028}]{0,20}|(?s).{0,9}|[0-9xeE._+:-]{1,5}") {
            let map: std::collections::BTreeMap<String, String> =
                serde_yaml::from_str(&format!("{}: {} # {}\n", scalar(&text), scalar(&text), quoted(&text))).unwrap();
            prop_assert_eq!(map.get(&text), Some(&text));
        }
    }
}
