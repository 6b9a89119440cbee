//! The published cookie policy, made from the policy that is enforced: as a page, as Markdown, as JSON.
//!
//! Who else may set what (the lists), how to change one's mind, what is honoured, and what has changed.

mod browsers;
mod markdown;
mod rows;

use serde::Serialize;

use crate::policy::{Country, Law, Policy, Unclassified, translated};

use super::duration;
use browsers::{BROWSERS, Browser};
pub use rows::{CategoryRow, CookieRow, Lifetime, LinkRow, PatternKind, ServiceRow};

/// What the policy itself does not know of its site.
#[derive(Debug, Clone, Default)]
pub struct About<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// The cookie that holds the choice.
    pub choice_cookie: &'a str,
    /// Further cookies of our own, and what each is for.
    pub own: Vec<(&'a str, &'a str)>,
    /// Since when the policy holds, where the policy itself does not say, as `YYYY-MM-DD`.
    pub effective: Option<&'a str>,
    /// A language tag (BCP 47): the site's own texts are shown in it where they were translated.
    pub language: &'a str,
    /// Where the reader is: links of other regions are left out. `None` shows those of all.
    pub country: Option<Country>,
}

/// The policy as its readers see it. Serialised, it is the JSON form.
#[derive(Debug, Clone, Serialize, askama::Template)]
#[template(path = "policy.html")]
pub struct PolicyPage<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// The language of the site's own texts.
    pub language: &'a str,
    /// The operator's own number.
    pub version: u64,
    /// Since when it holds, as `YYYY-MM-DD`.
    pub effective: Option<&'a str>,
    /// Hosts to which a visitor's consent applies; empty: the site alone.
    pub domains: Vec<&'a str>,
    /// What holds before a choice: `opt-in`, `opt-out` or `implied`.
    pub law: &'static str,
    /// Where one changes one's mind: a path of the site.
    pub settings: &'a str,
    /// The cookie that holds the choice.
    pub choice_cookie: &'a str,
    /// How long a choice is remembered, accepted or refused.
    pub choice_lifetime: Lifetime,
    /// An explicit choice beats the browser's signals.
    pub choice_beats_signals: bool,
    /// Further cookies of our own.
    pub own: Vec<OwnRow<'a>>,
    /// Labels of the categories that `Sec-GPC: 1` switches off.
    pub gpc: Vec<&'a str>,
    /// Labels of the categories that `DNT: 1` switches off.
    pub dnt: Vec<&'a str>,
    /// What is not listed is kept out.
    pub strips_unlisted: bool,
    /// In the order of the policy.
    pub categories: Vec<CategoryRow<'a>>,
    /// What is different from earlier versions, the newest first.
    pub changes: Vec<ChangeRow<'a>>,
    #[serde(skip)]
    prefix: &'a str,
    #[serde(skip)]
    browsers: &'static [Browser],
}

/// A cookie of ours.
#[derive(Debug, Clone, Serialize)]
pub struct OwnRow<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is for.
    pub purpose: &'a str,
}

/// One entry of the history.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeRow<'a> {
    /// The version that brought it.
    pub version: u64,
    /// When, as `YYYY-MM-DD`.
    pub date: Option<&'a str>,
    /// What is different.
    pub text: &'a str,
}

impl<'a> PolicyPage<'a> {
    /// Lays a policy out for its readers.
    pub fn new(policy: &'a Policy, about: About<'a>) -> Self {
        let parts = policy.parts();
        let categories = rows::categories(policy, about.language, about.country);
        let labels = |which: fn(&CategoryRow<'_>) -> bool| {
            categories.iter().filter(|category| !category.required && which(category)).map(|c| c.label).collect()
        };
        let mut changes: Vec<_> = parts
            .changes
            .iter()
            .map(|change| ChangeRow {
                version: change.version,
                date: change.date.as_deref(),
                text: translated(&change.text, &change.texts, about.language),
            })
            .collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.version));
        Self {
            site: about.site,
            language: about.language,
            version: parts.version,
            effective: parts.effective.as_deref().or(about.effective),
            domains: parts.domains.iter().map(|domain| &**domain).collect(),
            law: match parts.law_in(about.country) {
                Law::OptIn => "opt-in",
                Law::OptOut => "opt-out",
                Law::Implied => "implied",
            },
            settings: about.prefix,
            choice_cookie: about.choice_cookie,
            choice_lifetime: Lifetime::of(parts.choice_lifetime),
            choice_beats_signals: parts.choice_beats_signals,
            own: about.own.into_iter().map(|(name, purpose)| OwnRow { name, purpose }).collect(),
            gpc: labels(|category| category.gpc),
            dnt: labels(|category| category.dnt),
            strips_unlisted: parts.unclassified == Unclassified::Strip,
            categories,
            changes,
            prefix: about.prefix,
            browsers: BROWSERS,
        }
    }

    /// As a page of ours.
    pub fn html(&self) -> String {
        super::render(self)
    }

    /// As CommonMark with tables, for sites that publish the policy themselves.
    pub fn markdown(&self) -> String {
        super::render(&Markdown { page: self })
    }

    /// As JSON, indented.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data is always JSON")
    }

    /// `2026-01-31` as `31 January 2026`.
    fn last_update(&self) -> Option<String> {
        self.effective.map(day)
    }
}

#[derive(askama::Template)]
#[template(path = "policy.md")]
struct Markdown<'a> {
    page: &'a PolicyPage<'a>,
}

fn day(date: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    match (year, month, day) {
        (Some(year), Some(month), Some(day)) => format!("{} {month} {year}", day.trim_start_matches('0')),
        _ => date.to_owned(),
    }
}

fn law_words(law: &str) -> &'static str {
    match law {
        "opt-out" => "You can object to everything that is not marked as always on.",
        "implied" => {
            "Only what is marked as always on is stored on the first page that you open. If you go on to a second page without a choice, we take it that you agree."
        }
        _ => "Only what is marked as always on is stored before you have agreed.",
    }
}

/// `A`, `A and B`, `A, B and C`.
fn and(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests;
