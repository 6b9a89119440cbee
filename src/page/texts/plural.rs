//! Which form of a text goes with a number: the cardinal rules of CLDR for whole numbers.

/// The index of the form, in the order in which CLDR names the categories that the language has.
pub(super) fn form(language: &str, n: u64) -> usize {
    match language.split('-').next().unwrap_or_default() {
        // one (0 too), other
        "fr" | "pt" => usize::from(n > 1),
        // one, few, many
        "pl" => match (n, n % 10, n % 100) {
            (1, ..) => 0,
            (_, 2..=4, tens) if !(12..=14).contains(&tens) => 1,
            _ => 2,
        },
        // zero, one, two, few, many, other
        "ar" => match (n, n % 100) {
            (0..=2, _) => usize::try_from(n).unwrap_or(0),
            (_, 3..=10) => 3,
            (_, 11..) => 4,
            _ => 5,
        },
        _ => usize::from(n != 1),
    }
}

/// How many forms a language has.
#[cfg(test)]
pub(super) fn forms(language: &str) -> usize {
    match language {
        "pl" => 3,
        "ar" => 6,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_those_of_cldr() {
        for (language, n, index) in [
            ("en", 0, 1),
            ("en", 1, 0),
            ("de", 2, 1),
            ("fr", 0, 0),
            ("fr", 1, 0),
            ("fr", 2, 1),
            ("pl", 1, 0),
            ("pl", 2, 1),
            ("pl", 5, 2),
            ("pl", 12, 2),
            ("pl", 21, 2),
            ("pl", 22, 1),
            ("pl", 112, 2),
            ("ar", 0, 0),
            ("ar", 1, 1),
            ("ar", 2, 2),
            ("ar", 7, 3),
            ("ar", 30, 4),
            ("ar", 100, 5),
            ("ar", 180, 4),
            ("ar", 203, 3),
            ("sv", 1, 0),
        ] {
            assert_eq!(form(language, n), index, "{language} {n}");
        }
    }
}
