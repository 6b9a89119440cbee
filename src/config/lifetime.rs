//! Lifetimes of cookies in the words of published policies: an amount of time, `session`, or no end that anybody knows.

use super::amounts::{Amounts, Unread};
use super::duration::Error as DurationError;
use crate::page::texts::{LANGUAGES, Texts};
use crate::policy::Term;

/// Why a lifetime is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("`{0}` is no lifetime")]
    Form(String),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error("`{0}` is not in whole seconds")]
    Fraction(String),
}

/// What to write instead of what is no lifetime.
pub(super) const FORM: &str = "write a number and a unit, e.g. `30 minutes`, `13 months` or `1 year`; `session` for what \
     ends with the browser; `undefined` for what has no end, or none that is known";

/// For what ends with the browser, besides what our pages say.
const SESSION: &[&str] = &[
    "session",
    "session cookie",
    "session only",
    "browser session",
    "end of session",
    "end of the session",
    "until the end of the session",
    "until the browser is closed",
    "when you close your browser",
    "when the browser is closed",
    "sitzung",
    "sitzungsende",
    "ende der sitzung",
    "sitzungscookie",
    "session-cookie",
    "cookie de session",
    "fin de session",
    "sesión",
    "sesion",
    "cookie de sesión",
    "sessione",
    "cookie di sessione",
    "sessie",
    "sessiecookie",
    "sesja",
    "sesyjny",
    "sessão",
    "sessao",
    "cookie de sessão",
];

/// For what has no end, or none that the policy tells, besides what our pages say.
const UNDEFINED: &[&str] = &[
    "undefined",
    "persistent",
    "permanent",
    "permanently",
    "unlimited",
    "indefinite",
    "indefinitely",
    "infinite",
    "forever",
    "never",
    "never expires",
    "does not expire",
    "no expiry",
    "no expiration",
    "no expiration date",
    "no limit",
    "until cleared",
    "until removed",
    "unknown",
    "not specified",
    "unspecified",
    "varies",
    "n/a",
    "dauerhaft",
    "unbegrenzt",
    "unbefristet",
    "persistant",
    "illimité",
    "permanente",
    "persistente",
    "ilimitado",
    "illimitato",
    "permanentny",
    "trwały",
    "onbeperkt",
];

/// What stands before the most that a cookie lives.
const MOST: &[&str] = &["less than", "<=", "<", "≤", "up to", "at most", "maximum", "max.", "max"];

/// Reads a lifetime: of 0 seconds for `session`, `None` for `undefined`.
pub(super) fn parse(text: &str) -> Result<Option<Term>, Error> {
    // As it came: `M` is not `m`.
    let amount = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = amount.to_lowercase();
    let said = |known: &[&str], ours: fn(&Texts) -> [&str; 2]| {
        known.contains(&&*words)
            || LANGUAGES.iter().flat_map(|tag| ours(Texts::of(tag))).any(|text| text.to_lowercase() == words)
    };
    if said(SESSION, |texts| [&texts.until_closed, &texts.until_closed]) {
        return Ok(Some(Term::from(0)));
    }
    if said(UNDEFINED, |texts| [&texts.until_deleted, &texts.not_stated]) {
        return Ok(None);
    }
    let begins = |most: &&str| amount.get(..most.len()).is_some_and(|start| start.eq_ignore_ascii_case(most));
    let most = MOST.iter().find(|most| begins(most)).map_or(0, |most| most.len());
    let amounts = Amounts::read(&amount[most..]).map_err(|why| match why {
        Unread::Form => Error::Form(text.to_owned()),
        why => DurationError::new(text, why).into(),
    })?;
    amounts.term().map(Some).ok_or_else(|| Error::Fraction(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u64 = 86_400;

    #[test]
    fn lifetimes() {
        for (text, seconds) in [
            ("session", 0),
            ("Session", 0),
            ("Session cookie", 0),
            ("Sitzung", 0),
            ("bis der Browser geschlossen wird", 0),
            ("90 s", 90),
            ("15 minutes", 900),
            ("12 hours", 43_200),
            ("7 days", 7 * DAY),
            ("1 year", 365 * DAY),
            ("2 Years", 730 * DAY),
            ("540 days", 540 * DAY),
            ("2 weeks", 14 * DAY),
            ("52 weeks", 364 * DAY),
            ("5m", 300),
            ("1d", DAY),
            ("1000 ms", 1),
            // Months as long as they can be; twelve are a year.
            ("1 month", 31 * DAY),
            ("6 months", 184 * DAY),
            ("12 months", 365 * DAY),
            ("13 months", 396 * DAY),
            ("18 months", 549 * DAY),
            ("24 months", 730 * DAY),
            ("1.5 years", 549 * DAY),
            ("0,5 Jahre", 184 * DAY),
            ("1.5 hours", 5_400),
            ("2 years 3 months", 822 * DAY),
            ("1 year, 1 month and 4 days", 400 * DAY),
            ("1 Jahr und 1 Monat", 396 * DAY),
            ("1 año y 1 mes", 396 * DAY),
            // As policies write them.
            ("1 yr", 365 * DAY),
            ("2 yrs.", 730 * DAY),
            ("1 year(s)", 365 * DAY),
            ("30-day", 30 * DAY),
            ("3 mo", 92 * DAY),
            ("1 wk", 7 * DAY),
            ("8 hrs", 8 * 3_600),
            ("10 mins", 600),
            ("30 secs", 30),
            ("one year", 365 * DAY),
            ("an hour", 3_600),
            ("less than a minute", 60),
            ("< 1 day", DAY),
            ("up to 2 years", 730 * DAY),
            ("maximum 1 year", 365 * DAY),
            ("Max. 2 YEARS", 730 * DAY),
            ("0.125 Tage", 10_800),
            ("1.5 years and 2 months", 610 * DAY),
            // In the languages of our pages.
            ("12 Monate", 365 * DAY),
            ("1 an", 365 * DAY),
            ("13 mois", 396 * DAY),
            ("2 años", 730 * DAY),
            ("1 giorno", DAY),
            ("2 jaar", 730 * DAY),
            ("30 dni", 30 * DAY),
            ("5 lat", 5 * 365 * DAY),
            ("1 mês", 31 * DAY),
        ] {
            assert_eq!(parse(text).map(|term| term.map(|term| term.seconds)), Ok(Some(seconds)), "{text}");
        }
    }

    #[test]
    fn what_has_no_end_is_undefined() {
        for text in [
            "undefined",
            "persistent",
            "Permanent",
            "unlimited",
            "until deleted",
            "never",
            "No  expiry",
            "unbegrenzt",
            "bis zur Löschung",
        ] {
            assert_eq!(parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_is_no_lifetime() {
        for text in ["", "functional", "-1 s", "year", "less than", "< ", "6 - 12 months", "1 fortnight"] {
            assert!(matches!(parse(text), Err(Error::Form(_))), "{text}");
        }
        assert!(matches!(parse("30"), Err(Error::Duration(DurationError::Unit(_)))));
        for text in
            ["30 j", "2 J.", "14 t", "13 M", "max. 6M", "1 y 6 m", "1.095 Tage", "1,095 jours", "Up to 1.000 days"]
        {
            let read = parse(text);
            assert!(matches!(read, Err(Error::Duration(DurationError::Ambiguous(..)))), "{text}: {read:?}");
        }
        assert!(matches!(parse("5 ms"), Err(Error::Fraction(_))));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
