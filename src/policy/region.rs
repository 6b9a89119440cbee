//! Parts of the world in which other rules hold: a country, or the countries of the GDPR.
//!
//! Countries are those of ISO 3166-1, as a CDN in front tells them (`CF-IPCountry`).

use std::fmt;

use super::model::{Law, PolicyParts};

/// The member states of the European Union.
const EU: [&[u8; 2]; 27] = [
    b"AT", b"BE", b"BG", b"CY", b"CZ", b"DE", b"DK", b"EE", b"ES", b"FI", b"FR", b"GR", b"HR", b"HU", b"IE", b"IT",
    b"LT", b"LU", b"LV", b"MT", b"NL", b"PL", b"PT", b"RO", b"SE", b"SI", b"SK",
];

/// Who has the GDPR without being a member.
const EEA: [&[u8; 2]; 3] = [b"IS", b"LI", b"NO"];

/// Where a visitor is: two capital letters of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country([u8; 2]);

/// For whom a rule or a link of the policy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// One country, e.g. `US`.
    Country(Country),
    /// `EU`: the European Union.
    Eu,
    /// `EEA`: the Union, Iceland, Liechtenstein and Norway.
    Eea,
}

impl Country {
    /// Reads two letters of any case; `None` for anything else, and for the `XX` of those who do not know and the
    /// `T1` of Tor, where a visitor could be anywhere.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let code = <[u8; 2]>::try_from(text).ok()?.map(|b| b.to_ascii_uppercase());
        (code.iter().all(u8::is_ascii_uppercase) && code != *b"XX").then_some(Self(code))
    }
}

impl Region {
    /// Reads a country, `EU` or `EEA`.
    pub fn parse(text: &str) -> Result<Self, RegionError> {
        match text {
            "EU" => Ok(Self::Eu),
            "EEA" => Ok(Self::Eea),
            // The code of the United Kingdom is what people write; `UK` is not one.
            _ if text.bytes().all(|b| b.is_ascii_uppercase()) && text != "UK" => {
                Country::parse(text.as_bytes()).map(Self::Country).ok_or_else(|| RegionError(text.to_owned()))
            }
            _ => Err(RegionError(text.to_owned())),
        }
    }

    /// Whether the country lies in it.
    pub fn has(self, country: Country) -> bool {
        match self {
            Self::Country(own) => own == country,
            Self::Eu => EU.contains(&&country.0),
            Self::Eea => EU.contains(&&country.0) || EEA.contains(&&country.0),
        }
    }
}

impl PolicyParts {
    /// What holds without a choice for a visitor in this country; the strictest of all where nobody knows it.
    pub fn law_in(&self, country: Option<Country>) -> Law {
        let Some(country) = country else {
            let all = self.laws.iter().map(|(_, law)| *law).chain([self.law]);
            return all.max_by_key(|law| law.strictness()).unwrap_or_default();
        };
        self.laws.iter().find(|(region, _)| region.has(country)).map_or(self.law, |(_, law)| *law)
    }
}

impl Law {
    fn strictness(self) -> u8 {
        match self {
            Self::OptOut => 0,
            Self::Implied => 1,
            Self::OptIn => 2,
        }
    }
}

/// A word that names no part of the world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no region; write a country as in `US` or `GB`, `EU`, or `EEA`")]
pub struct RegionError(String);

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{}", char::from(*b)))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(country) => country.fmt(f),
            Self::Eu => f.write_str("EU"),
            Self::Eea => f.write_str("EEA"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_lie_in_their_regions() {
        for (country, eu, eea) in [("DE", true, true), ("no", false, true), ("GB", false, false), ("US", false, false)]
        {
            let country = Country::parse(country.as_bytes()).unwrap();
            assert_eq!((Region::Eu.has(country), Region::Eea.has(country)), (eu, eea), "{country}");
            assert!(Region::parse(&country.to_string()).unwrap().has(country));
        }
    }

    #[test]
    fn law_goes_by_region_and_is_the_strictest_where_nobody_knows() {
        let region = |text| Region::parse(text).unwrap();
        let laws = vec![(region("DE"), Law::OptIn), (region("EU"), Law::Implied)];
        let parts = PolicyParts { law: Law::OptOut, laws, ..PolicyParts::default() };
        let law_in = |text: &str| parts.law_in(Country::parse(text.as_bytes()));
        assert_eq!(["DE", "FR", "US", "T1"].map(law_in), [Law::OptIn, Law::Implied, Law::OptOut, Law::OptIn]);
    }

    #[test]
    fn what_is_no_country_and_what_no_region() {
        for text in ["", "X", "XX", "T1", "USA", "1A", "D\u{c9}"] {
            assert_eq!(Country::parse(text.as_bytes()), None, "{text}");
        }
        for text in ["", "de", "UK", "USA", "Europe", "XX", "US-CA"] {
            assert!(Region::parse(text).is_err(), "{text}");
        }
        assert_eq!(["EU", "EEA", "CA"].map(|text| Region::parse(text).unwrap().to_string()), ["EU", "EEA", "CA"]);
    }
}
