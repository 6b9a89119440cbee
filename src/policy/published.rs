//! What a policy says for its readers and what decides nothing: translations, links, legal bases, what changed.

use super::model::PolicyParts;
use super::region::{Country, Region};

/// A text in another language than the policy's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// A language tag (BCP 47) in lower case, e.g. `fr` or `pt-br`.
    pub language: Box<str>,
    /// What the visitor reads.
    pub text: Box<str>,
}

/// Where visitors of one region are sent instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionalLink {
    /// Whom it is for.
    pub region: Region,
    /// An `http(s)` address.
    pub url: Box<str>,
}

/// One entry of the policy's history, for "what has changed".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The policy's version that brought it.
    pub version: u64,
    /// When, as `YYYY-MM-DD`.
    pub date: Option<Box<str>>,
    /// What is different, in a sentence or two.
    pub text: Box<str>,
    /// The same in other languages.
    pub texts: Vec<Translation>,
}

/// On what ground of Article 6 GDPR a service works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalBasis {
    /// The visitor agreed.
    Consent,
    /// The visitor asked for what cannot be done without it.
    Contract,
    /// A law asks for it.
    LegalObligation,
    /// To protect somebody's life.
    VitalInterests,
    /// For the public.
    PublicTask,
    /// The site's own interest outweighs.
    LegitimateInterests,
}

impl LegalBasis {
    /// Each with its word in the policy.
    pub const WORDS: [(&str, Self); 6] = [
        ("consent", Self::Consent),
        ("contract", Self::Contract),
        ("legal-obligation", Self::LegalObligation),
        ("vital-interests", Self::VitalInterests),
        ("public-task", Self::PublicTask),
        ("legitimate-interests", Self::LegitimateInterests),
    ];
}

impl PolicyParts {
    /// The languages in which any of its texts can be read, in lower case; its own first.
    pub fn languages(&self) -> Vec<&str> {
        let own = if self.language.is_empty() { "en" } else { &*self.language };
        let categories = self.categories.iter().flat_map(|c| [&c.labels, &c.purposes, &c.warnings]);
        let services = self.services.iter().map(|service| &service.purposes);
        let changes = self.changes.iter().map(|change| &change.texts);
        let mut languages = vec![own];
        for translation in categories.chain(services).chain(changes).flatten() {
            if !languages.contains(&&*translation.language) {
                languages.push(&translation.language);
            }
        }
        languages
    }
}

/// The text for a reader of `language` (a BCP 47 tag): the translation of that tag, else of what it begins with
/// (`de` for `de-at`), else the policy's own.
pub fn translated<'t>(own: &'t str, translations: &'t [Translation], language: &str) -> &'t str {
    let mut tag = language.to_ascii_lowercase();
    loop {
        if let Some(found) = translations.iter().find(|translation| *translation.language == *tag) {
            return &found.text;
        }
        let Some(end) = tag.rfind('-') else { return own };
        tag.truncate(end);
    }
}

/// The link for a visitor in `country`: the first whose region it lies in, else the one for everybody.
pub fn link_for<'l>(all: Option<&'l str>, regional: &'l [RegionalLink], country: Option<Country>) -> Option<&'l str> {
    let fits = |link: &&RegionalLink| country.is_some_and(|country| link.region.has(country));
    regional.iter().find(fits).map(|link| &*link.url).or(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_translation_counts() {
        let translations = [("de", "Notwendig"), ("pt-br", "Necessários"), ("de-ch", "Nötig")]
            .map(|(language, text)| Translation { language: language.into(), text: text.into() });
        for (language, text) in [
            ("de", "Notwendig"),
            ("DE-AT", "Notwendig"),
            ("de-CH-1996", "Nötig"),
            ("pt-BR", "Necessários"),
            ("pt", "Essential"),
            ("", "Essential"),
        ] {
            assert_eq!(translated("Essential", &translations, language), text, "{language}");
        }
    }

    #[test]
    fn languages_are_those_of_any_text() {
        use crate::policy::Category;
        let texts = |tags: &[&str]| -> Vec<Translation> {
            tags.iter().map(|tag| Translation { language: (*tag).into(), text: "".into() }).collect()
        };
        let category =
            Category { labels: texts(&["fr", "de"]), warnings: texts(&["fr", "pt-br"]), ..Category::default() };
        let mut parts = PolicyParts { categories: vec![category], ..PolicyParts::default() };
        assert_eq!(parts.languages(), ["en", "fr", "de", "pt-br"]);
        parts.language = "de".into();
        assert_eq!(parts.languages(), ["de", "fr", "pt-br"]);
    }

    #[test]
    fn links_go_by_region_and_fall_back() {
        let link = |region: &str, url: &str| RegionalLink { region: Region::parse(region).unwrap(), url: url.into() };
        let regional = [link("US", "us"), link("EU", "eu")];
        let at = |country: &str, all| link_for(all, &regional, Country::parse(country.as_bytes()));
        assert_eq!(at("US", None), Some("us"));
        assert_eq!(at("FR", None), Some("eu"));
        assert_eq!(at("JP", Some("all")), Some("all"));
        assert_eq!(at("XX", None), None);
    }
}
