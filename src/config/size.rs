//! Numbers of bytes: `64 KiB`, `8 MiB`, `1 MB`, or a plain number.

/// Why a size is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("`{0}` is no size; write a number and a unit, e.g. `64 KiB` or `8 MiB`")]
    Form(String),
    #[error("`{0}` is too large")]
    TooLarge(String),
}

/// Reads a number of bytes. `k`, `m`, `g` alone count in 1024s, as nginx has them; `KB` is 1000.
pub(super) fn parse(text: &str) -> Result<u64, Error> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Error::Form(text.to_owned()));
    }
    let number: u64 = number.parse().map_err(|_| Error::TooLarge(text.to_owned()))?;
    let factor = match &*unit.trim().to_ascii_lowercase() {
        "" | "b" | "byte" | "bytes" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(Error::Form(text.to_owned())),
    };
    number.checked_mul(factor).ok_or_else(|| Error::TooLarge(text.to_owned()))
}

/// In the largest binary unit that needs no fraction.
pub(super) fn show(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        _ if bytes.is_multiple_of(1 << 30) => format!("{} GiB", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("1024", 1024),
            ("64 KiB", 65_536),
            ("64k", 65_536),
            ("8MiB", 8 << 20),
            ("1 GiB", 1 << 30),
            ("5 MB", 5_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "KiB", "-1", "1.5 MiB", "1 KiB KiB", "1 parsec"] {
            assert!(matches!(parse(text), Err(Error::Form(_))), "{text}");
        }
        for text in ["99999999999999999999", "18446744073709551615 GiB"] {
            assert!(matches!(parse(text), Err(Error::TooLarge(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes: u64) {
            prop_assert_eq!(parse(&show(bytes)), Ok(bytes));
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
