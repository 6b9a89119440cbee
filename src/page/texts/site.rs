//! A site's own words in the place of ours.

use std::borrow::Cow;
use std::sync::Arc;

use super::{KEYS, LANGUAGES, Texts, placeholders};

/// The texts of a site: ours, and what it says otherwise. Languages that it adds begin as English.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteTexts {
    own: Vec<Arc<Texts>>,
}

/// Why a text was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such key.
    #[error("there is no text `{0}`")]
    Unknown(String),
    /// A name in braces that nothing is put in for.
    #[error("nothing is put in for `{{{0}}}`")]
    Placeholder(String),
}

impl SiteTexts {
    /// Says something in other words, in the language of this tag (lower case).
    pub fn replace(&mut self, language: &str, key: &str, text: &str) -> Result<(), Refused> {
        let ours = Texts::of(language);
        let known = |slot: &str| placeholders(slot).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let allowed = known(Texts::clone(ours).slot(key).ok_or_else(|| Refused::Unknown(key.to_owned()))?);
        if let Some(name) = placeholders(text).into_iter().find(|name| !allowed.iter().any(|known| known == name)) {
            return Err(Refused::Placeholder(name.to_owned()));
        }
        let texts = match self.own.iter().position(|texts| texts.language == language) {
            Some(index) => &mut self.own[index],
            None => {
                self.own.push(Arc::new(Texts { language: Cow::from(language.to_owned()), ..Texts::clone(ours) }));
                self.own.last_mut().expect("just pushed")
            }
        };
        if let Some(slot) = Arc::make_mut(texts).slot(key) {
            *slot = Cow::from(text.to_owned());
        }
        Ok(())
    }

    /// The texts for a language tag (BCP 47): the site's for it or for what it begins with, else ours.
    pub fn of(&self, language: &str) -> &Arc<Texts> {
        let mut head = language;
        loop {
            if let Some(texts) = self.own.iter().find(|texts| texts.language.eq_ignore_ascii_case(head)) {
                return texts;
            }
            let Some(end) = head.rfind('-') else { return Texts::of(language) };
            head = &head[..end];
        }
    }

    /// The languages that the site can speak: its own first.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|texts| &*texts.language).chain(LANGUAGES)
    }

    /// What a key is probably meant to be.
    pub fn keys() -> &'static [&'static str] {
        KEYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_speaks_in_its_own_words() {
        let mut site = SiteTexts::default();
        site.replace("de", "accept_all", "Passt").unwrap();
        site.replace("pt-br", "save", "Salvar").unwrap();
        site.replace("sv", "accept_all", "Godkänn alla").unwrap();
        assert_eq!(site.of("de-AT").accept_all, "Passt");
        assert_eq!(site.of("de").reject_all, Texts::of("de").reject_all);
        assert_eq!((&*site.of("pt-BR").save, &*site.of("pt").save), ("Salvar", &*Texts::of("pt").save));
        assert_eq!((&*site.of("sv").accept_all, &*site.of("sv").save), ("Godkänn alla", &*Texts::of("en").save));
        assert_eq!(site.of("xx").language, "en");
        assert_eq!(site.replace("de", "acept_all", "x"), Err(Refused::Unknown("acept_all".into())));
        assert_eq!(site.replace("de", "allow", "{name} erlauben"), Err(Refused::Placeholder("name".into())));
        assert!(site.languages().any(|language| language == "sv"));
    }
}
