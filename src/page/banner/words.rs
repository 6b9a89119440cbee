//! What the banner says, in one language.

/// The words of the banner. `{site}`, `{categories}` and `{items}` are filled in.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// Their language (BCP 47).
    pub language: &'a str,
    /// `ltr` or `rtl`.
    pub dir: &'a str,
    /// Above all else, and the name of the region.
    pub banner_title: &'a str,
    /// Where no choice stands; names the `{categories}`.
    pub banner_text: &'a str,
    /// As `banner_title`, where something is new.
    pub banner_title_new: &'a str,
    /// Where a choice stands that does not cover all; names the `{items}`.
    pub banner_text_new: &'a str,
    /// Where the browser's signal is honoured.
    pub banner_signal: &'a str,
    /// A button.
    pub accept_all: &'a str,
    /// A button.
    pub reject_all: &'a str,
    /// Leads to the preference centre.
    pub choose: &'a str,
    /// Leads to the cookie policy.
    pub learn_more: &'a str,
    /// Leads to the preference centre, from any page.
    pub cookie_settings: &'a str,
    /// `{list} and {last}`.
    pub list_and: &'a str,
    /// Between all but the last.
    pub list_comma: &'a str,
}

/// English.
pub const ENGLISH: Words<'static> = Words {
    language: "en",
    dir: "ltr",
    banner_title: "Cookies on {site}",
    banner_text: "Beside what the site needs to work, we would like to use cookies and similar techniques for: \
                  {categories}. You decide, and you can change your mind at any time.",
    banner_title_new: "Something new on {site}",
    banner_text_new: "Our cookie policy also names: {items}. Your earlier choice stands for everything else.",
    banner_signal: "Your browser asks not to be tracked. We honour that.",
    accept_all: "Accept all",
    reject_all: "Reject all",
    choose: "Choose",
    learn_more: "Cookie policy",
    cookie_settings: "Cookie settings",
    list_and: "{list} and {last}",
    list_comma: ", ",
};

/// The text with each `{name}` replaced. What was put in is not looked at again.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let value = after
            .split_once('}')
            .and_then(|(name, rest)| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, rest)));
        rest = match value {
            Some((value, after)) => {
                filled.push_str(value);
                after
            }
            None => {
                filled.push('{');
                after
            }
        };
    }
    filled + rest
}

/// `A`, `A and B`, `A, B and C`.
pub fn list(words: &Words<'_>, items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => fill(words.list_and, &[("list", &most.join(words.list_comma)), ("last", last)]),
    }
}
