//! The published cookie policy, made from the policy that is enforced: as a page, as Markdown, as JSON.
//!
//! Who else may set what (the lists), how to change one's mind, what is honoured, and what has changed.

mod browsers;
mod markdown;
pub(super) mod rows;

use serde::Serialize;

use crate::policy::{Country, Law, Policy, Unclassified, translated};

use super::texts::{Texts, fill};
use browsers::{Browser, browsers};
pub use rows::{CategoryRow, CookieRow, Lifetime, LinkRow, PatternKind, ServiceRow};

/// What the policy itself does not know of its site.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// The cookie that holds the choice.
    pub choice_cookie: &'a str,
    /// The cookie that says that there is a session, where one is set.
    pub marker: Option<&'a str>,
    /// The cookie that remembers where the visitor was first asked, under `law: implied`.
    pub seen: Option<&'a str>,
    /// Since when the policy holds, where the policy itself does not say, as `YYYY-MM-DD`.
    pub effective: Option<&'a str>,
    /// A language tag (BCP 47): the policy's own texts are shown in it where they were translated.
    pub language: &'a str,
    /// Whether the visitor was shown something in that language, and the browser may ask for another.
    pub named: bool,
    /// All other texts.
    pub texts: &'a Texts,
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
    named: bool,
    #[serde(skip)]
    prefix: &'a str,
    #[serde(skip)]
    texts: &'a Texts,
    #[serde(skip)]
    browsers: [Browser<'a>; 6],
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
        let categories = rows::categories(policy, about.texts, about.language, about.country);
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
            choice_lifetime: Lifetime::of(
                parts.choice_term.unwrap_or_else(|| parts.choice_lifetime.into()),
                about.texts,
            ),
            choice_beats_signals: parts.choice_beats_signals,
            own: [(about.marker, &about.texts.marker_purpose), (about.seen, &about.texts.seen_purpose)]
                .into_iter()
                .filter_map(|(name, purpose)| Some(OwnRow { name: name?, purpose }))
                .collect(),
            gpc: labels(|category| category.gpc),
            dnt: labels(|category| category.dnt),
            strips_unlisted: parts.unclassified == Unclassified::Strip,
            categories,
            changes,
            named: about.named,
            prefix: about.prefix,
            texts: about.texts,
            browsers: browsers(about.texts),
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

    /// What names the language in addresses that lead on from here.
    fn on(&self) -> String {
        super::on(self.named, self.language)
    }

    /// The line under the heading.
    fn state(&self) -> String {
        let version = self.version.to_string();
        match self.effective {
            Some(date) => fill(&self.texts.last_update, &[("date", &self.texts.date(date)), ("version", &version)]),
            None => self.texts.put(&self.texts.version, "version", &version),
        }
    }

    fn law_words(&self) -> &str {
        match self.law {
            "opt-out" => &self.texts.law_opt_out,
            "implied" => &self.texts.law_implied,
            _ => &self.texts.law_opt_in,
        }
    }

    fn memory(&self) -> String {
        let values = [("duration", &*self.choice_lifetime.words), ("cookie", self.choice_cookie)];
        fill(&self.texts.change_memory, &values)
    }

    fn own_cookie(&self, row: &OwnRow<'_>) -> String {
        fill(&self.texts.own_cookie, &[("cookie", row.name), ("purpose", row.purpose)])
    }

    fn signal(&self, labels: &[&str]) -> String {
        if labels.is_empty() {
            return self.texts.signal_ignored.to_string();
        }
        let text = self.texts.put(&self.texts.signal_switches_off, "categories", &self.texts.list(labels));
        if self.choice_beats_signals { format!("{text} {}", self.texts.signal_choice_wins) } else { text }
    }
}

#[derive(askama::Template)]
#[template(path = "policy.md")]
struct Markdown<'a> {
    page: &'a PolicyPage<'a>,
}

#[cfg(test)]
mod tests;
