//! What a category is called and for what it is, in the visitor's language: in the policy's words, which we translate
//! where they are those that we would have chosen.

use super::texts::Texts;
use crate::policy::{Category, translated};

/// Its name for a reader of `language` (a BCP 47 tag), whose texts these are.
pub fn label<'a>(category: &'a Category, texts: &'a Texts, language: &str) -> &'a str {
    let own = translated(&category.label, &category.labels, language);
    // A translation of the policy's stands, whatever it says.
    if !std::ptr::eq(own, &*category.label) {
        return own;
    }
    ours(own, labels(Texts::of("en")), labels(texts))
}

/// The same of its purpose.
pub fn purpose<'a>(category: &'a Category, texts: &'a Texts, language: &str) -> &'a str {
    let own = translated(&category.purpose, &category.purposes, language);
    if !std::ptr::eq(own, &*category.purpose) {
        return own;
    }
    ours(own, purposes(Texts::of("en")), purposes(texts))
}

fn ours<'a>(own: &'a str, english: [&str; 4], theirs: [&'a str; 4]) -> &'a str {
    english.iter().position(|text| *text == own).map_or(own, |index| theirs[index])
}

fn labels(texts: &Texts) -> [&str; 4] {
    [&texts.category_necessary, &texts.category_functional, &texts.category_analytics, &texts.category_marketing]
}

fn purposes(texts: &Texts) -> [&str; 4] {
    [&texts.purpose_necessary, &texts.purpose_functional, &texts.purpose_analytics, &texts.purpose_marketing]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Translation;

    #[test]
    fn our_own_words_are_translated_and_the_policys_are_not() {
        let ours = Category {
            label: "Marketing".into(),
            purpose: Texts::of("en").purpose_marketing.as_ref().into(),
            ..Category::default()
        };
        for (language, expected) in
            [("en", "Marketing"), ("pl", "Marketingowe"), ("ar", &*Texts::of("ar").category_marketing)]
        {
            assert_eq!(label(&ours, Texts::of(language), language), expected);
            assert_eq!(purpose(&ours, Texts::of(language), language), Texts::of(language).purpose_marketing);
        }
        let own = Category { label: "Adverts".into(), purpose: "We live on them.".into(), ..Category::default() };
        assert_eq!(label(&own, Texts::of("de"), "de"), "Adverts");
        assert_eq!(purpose(&own, Texts::of("de"), "de"), "We live on them.");
        let french = Translation { language: "fr".into(), text: "Publicit\u{e9}".into() };
        let translated = Category { labels: vec![french], ..ours };
        assert_eq!(label(&translated, Texts::of("fr"), "fr-ca"), "Publicit\u{e9}");
        assert_eq!(label(&translated, Texts::of("de"), "de"), Texts::of("de").category_marketing);
    }
}
