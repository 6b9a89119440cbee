//! All languages say the same things.

use super::*;

#[test]
fn each_language_says_everything_with_the_same_placeholders() {
    let mut seen = 0;
    for (language, file) in LANGUAGES.iter().zip(FILES) {
        let texts: serde_json::Map<String, serde_json::Value> = serde_json::from_str(file).unwrap();
        let english: serde_json::Map<String, serde_json::Value> = serde_json::from_str(FILES[0]).unwrap();
        assert_eq!(texts["language"], *language);
        // Reading into `Texts` refuses a key too many and one too few.
        serde_json::from_str::<Texts>(file).unwrap_or_else(|error| panic!("{language}: {error}"));
        for key in KEYS {
            let (ours, theirs) = (texts[*key].as_str().unwrap(), english[*key].as_str().unwrap());
            assert!(!ours.trim().is_empty() || *key == "list_comma", "{language}.{key}");
            // A form for one or two may leave the number out, as Arabic does.
            assert_eq!(placeholders(ours), placeholders(theirs), "{language}.{key}");
            seen += 1;
        }
    }
    assert_eq!(seen, LANGUAGES.len() * KEYS.len());
}

#[test]
fn each_language_has_its_forms_of_numbers_and_its_months() {
    for language in LANGUAGES {
        let texts = Texts::of(language);
        for text in [
            &texts.years,
            &texts.month_count,
            &texts.weeks,
            &texts.days,
            &texts.hours,
            &texts.minutes,
            &texts.seconds,
            &texts.services,
        ] {
            assert_eq!(text.split('|').count(), plural::forms(language), "{language}: {text}");
        }
        assert_eq!(texts.months.split('|').count(), 12, "{language}");
    }
}

#[test]
fn languages_are_found_by_their_first_part() {
    for (tag, language) in [("de-AT", "de"), ("PT-br", "pt"), ("ar", "ar"), ("ja", "en"), ("", "en"), ("zh_DE", "en")] {
        assert_eq!(Texts::of(tag).language, language, "{tag}");
    }
    assert_eq!((Texts::of("ar").dir(), Texts::of("de").dir()), ("rtl", "ltr"));
}

#[test]
fn durations_dates_and_lists_read_well() {
    let en = Texts::of("en");
    for (seconds, text) in [
        (0, "until you close the browser"),
        (1, "1 second"),
        (90, "90 seconds"),
        (1_800, "30 minutes"),
        (129_600, "36 hours"),
        (86_400, "1 day"),
        (7_776_000, "90 days"),
        (31_536_000, "1 year"),
        (63_072_000, "2 years"),
    ] {
        assert_eq!(en.duration(seconds), text);
    }
    assert_eq!(en.date("2026-03-03"), "3 March 2026");
    assert_eq!(en.date("soon"), "soon");
    assert_eq!(en.list(&["a", "b", "c"]), "a, b and c");
    assert_eq!(en.list(&["a"]), "a");
}

#[test]
fn what_is_put_in_is_not_looked_at_again() {
    assert_eq!(fill("{a} of {b}, {c} {", &[("a", "{b}"), ("b", "2")]), "{b} of 2, {c} {");
}
