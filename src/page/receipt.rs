//! The page at `{prefix}receipt`: what we can prove of a visitor's choices, shown to the visitor. JavaScript only once it was deleted.

use super::category;
use super::texts::Texts;
use crate::consent::ConsentId;
use crate::policy::Policy;
use crate::receipt::{Method, Receipt, stamp};

/// Everything that the page shows.
#[derive(Debug, Clone, askama::Template)]
#[template(path = "receipt.html")]
pub struct ReceiptPage<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// The visitor's own name in the records, if there is one.
    pub consent: Option<String>,
    /// It was deleted just now.
    pub deleted: bool,
    /// Deleting leaves a refusal behind.
    pub refuses: bool,
    /// The newest first.
    pub rows: Vec<ReceiptRow<'a>>,
    texts: &'a Texts,
    language: &'a str,
    named: bool,
}

/// What does not depend on the visitor.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// As it is now.
    pub policy: &'a Policy,
    /// A language tag (BCP 47): the policy's own names are shown in it where they were translated.
    pub language: &'a str,
    /// Whether the visitor was shown something in that language, and the browser may ask for another.
    pub named: bool,
    /// All other texts.
    pub texts: &'a Texts,
}

/// What the request says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// Whose records these are.
    pub consent: Option<ConsentId>,
    /// They were deleted just now: a script deletes what is stored.
    pub deleted: bool,
    /// Deleting leaves a refusal behind, for without a choice the law would grant something.
    pub refuses: bool,
}

/// One choice as its visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow<'a> {
    /// When, for machines.
    pub stamp: String,
    /// When, for people.
    pub time: String,
    /// What the visitor did.
    pub method: &'a str,
    /// The names of what was granted.
    pub granted: Vec<&'a str>,
    /// The names of what was refused.
    pub refused: Vec<&'a str>,
    /// The version of the policy.
    pub version: u64,
    /// The receipt's own name.
    pub id: String,
    /// The truncated address, where it is kept.
    pub ip: Option<&'a str>,
    /// The browser, where it is kept.
    pub user_agent: Option<&'a str>,
}

impl<'a> ReceiptPage<'a> {
    /// Lays a visitor's receipts, oldest first, out as rows. Names come from the policy as it is now.
    pub fn new(about: About<'a>, receipts: &'a [Receipt], shown: Shown) -> Self {
        let rows = receipts.iter().rev().map(|receipt| ReceiptRow::new(about, receipt)).collect();
        let About { site, prefix, texts, language, named, .. } = about;
        let consent = shown.consent.map(|id| id.to_string());
        Self { site, prefix, consent, deleted: shown.deleted, refuses: shown.refuses, rows, texts, language, named }
    }

    /// What names the language in addresses that lead on from here.
    fn on(&self) -> String {
        super::on(self.named, self.language)
    }

    /// The page as HTML.
    pub fn render(&self) -> String {
        super::render(self)
    }
}

impl<'a> ReceiptRow<'a> {
    fn new(about: About<'a>, receipt: &'a Receipt) -> Self {
        let stamp = stamp(receipt.time);
        let names = |list: &'a [Box<str>]| list.iter().map(|name| label(about, name)).collect();
        Self {
            // RFC 3339 has these columns.
            time: format!("{}, {} UTC", about.texts.day(receipt.time), stamp.get(11..16).unwrap_or_default()),
            stamp,
            method: words(about.texts, receipt.method),
            granted: names(&receipt.granted),
            refused: names(&receipt.refused),
            version: receipt.policy.version,
            id: receipt.id.to_string(),
            ip: receipt.ip.as_deref(),
            user_agent: receipt.user_agent.as_deref(),
        }
    }
}

/// What a category or service is called; its key, if the policy has it no longer.
fn label<'a>(about: About<'a>, name: &'a str) -> &'a str {
    let About { policy, texts, language, .. } = about;
    let known = match name.split_once(':') {
        Some(("category", key)) => {
            policy.category_named(key).map(|id| category::label(policy.category(id), texts, language))
        }
        Some(("service", key)) => policy.service_named(key).map(|id| &*policy.service(id).label),
        _ => None,
    };
    known.unwrap_or_else(|| name.split_once(':').map_or(name, |(_, key)| key))
}

fn words(texts: &Texts, method: Method) -> &str {
    match method {
        Method::AcceptAll => &texts.how_accept_all,
        Method::RejectAll => &texts.how_reject_all,
        Method::Custom => &texts.how_custom,
        Method::Withdraw => &texts.how_withdraw,
        Method::Signal => &texts.how_signal,
        Method::Implied => &texts.how_implied,
    }
}
