//! The page at `{prefix}receipt`: what we can prove of a visitor's choices, shown to the visitor. No JavaScript.

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
    /// The newest first.
    pub rows: Vec<ReceiptRow<'a>>,
}

/// What the request says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// Whose records these are.
    pub consent: Option<ConsentId>,
    /// They were deleted just now.
    pub deleted: bool,
}

/// One choice as its visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow<'a> {
    /// When, for machines.
    pub stamp: String,
    /// When, for people.
    pub time: String,
    /// What the visitor did.
    pub method: &'static str,
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
    pub fn new(site: &'a str, prefix: &'a str, policy: &'a Policy, receipts: &'a [Receipt], shown: Shown) -> Self {
        let rows = receipts.iter().rev().map(|receipt| ReceiptRow::new(policy, receipt)).collect();
        Self { site, prefix, consent: shown.consent.map(|id| id.to_string()), deleted: shown.deleted, rows }
    }

    /// The page as HTML.
    pub fn render(&self) -> String {
        super::render(self)
    }
}

impl<'a> ReceiptRow<'a> {
    fn new(policy: &'a Policy, receipt: &'a Receipt) -> Self {
        let stamp = stamp(receipt.time);
        let names = |list: &'a [Box<str>]| list.iter().map(|name| label(policy, name)).collect();
        Self {
            // RFC 3339 has these columns.
            time: format!("{} {} UTC", super::day(receipt.time), stamp.get(11..16).unwrap_or_default()),
            stamp,
            method: words(receipt.method),
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
fn label<'a>(policy: &'a Policy, name: &'a str) -> &'a str {
    let known = match name.split_once(':') {
        Some(("category", key)) => policy.category_named(key).map(|id| &*policy.category(id).label),
        Some(("service", key)) => policy.service_named(key).map(|id| &*policy.service(id).label),
        _ => None,
    };
    known.unwrap_or_else(|| name.split_once(':').map_or(name, |(_, key)| key))
}

fn words(method: Method) -> &'static str {
    match method {
        Method::AcceptAll => "You accepted all",
        Method::RejectAll => "You rejected all",
        Method::Custom => "You chose one by one",
        Method::Withdraw => "You withdrew your consent",
        Method::Signal => "Your browser asked not to be tracked",
        Method::Implied => "You went on to another page",
    }
}
