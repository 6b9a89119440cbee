//! The script of the page: takes the banner's choice without leaving the page, tells others of it, and speaks Google's
//! Consent Mode v2. What it knows of the site comes with it; what it knows of the visitor stands in its tag.

use serde_json::json;

use super::super::escape::quote;
use super::version;
use crate::policy::{Category, CategoryId, Grant, Policy, ServiceId, vendor_word};

/// The path of the script below the prefix.
pub const PATH: &str = "consent.js";

const SCRIPT: &str = include_str!("../assets/consent.js");

/// The seven consent types of Google's Consent Mode v2, each with the word of the catalogue whose categories grant it.
pub const TYPES: [(&str, &str); 7] = [
    ("ad_storage", "marketing"),
    ("ad_user_data", "marketing"),
    ("ad_personalization", "marketing"),
    ("analytics_storage", "analytics"),
    ("functionality_storage", "functional"),
    ("personalization_storage", "functional"),
    ("security_storage", "necessary"),
];

/// What the script knows of a site.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Its policy.
    pub policy: &'a Policy,
    /// Tell Google's tags what is granted.
    pub consent_mode: bool,
    /// Other categories than [`TYPES`] would name.
    pub types: &'a [(Box<str>, Vec<Box<str>>)],
    /// What a choice frees is in the page already, so that it need not be loaded again.
    pub frees: bool,
    /// The page is the same for everybody: the script asks what holds, and brings the banner.
    pub shared: bool,
}

/// The script for a site.
pub fn script(about: &About<'_>) -> String {
    let parts = about.policy.parts();
    let keys = |wanted: &dyn Fn(&Category) -> bool| -> Vec<&str> {
        parts.categories.iter().filter(|category| wanted(category)).map(|category| &*category.id).collect()
    };
    let services: serde_json::Map<_, _> = parts
        .services
        .iter()
        .map(|service| (service.id.to_string(), about.policy.category(service.category).id.to_string().into()))
        .collect();
    let types: serde_json::Map<_, _> = TYPES
        .iter()
        .map(|(kind, word)| {
            let own = about.types.iter().find(|(name, _)| **name == **kind);
            let takes = |category: &Category| {
                &*category.id == *word || category.catalogue.iter().any(|taken| **taken == **word)
            };
            let keys = match own {
                Some((_, keys)) => keys.iter().map(|key| &**key).collect(),
                None => keys(&takes),
            };
            ((*kind).to_owned(), json!(keys))
        })
        .collect();
    let site = json!({
        "categories": keys(&|_| true),
        "required": keys(&|category| category.required),
        "services": services,
        "types": about.consent_mode.then_some(types),
        "frees": about.frees,
        "shared": about.shared,
    });
    // In a script of its own nothing ends it early, and JSON is JavaScript.
    format!("{}({site});\n", SCRIPT.trim_end().trim_end_matches(';'))
}

/// Its address below the prefix, with a mark by which a cached one is known to be this one.
pub fn path(script: &str) -> String {
    format!("{PATH}?{:08x}", version(script))
}

/// How the script stands in a page.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// Its address.
    pub src: &'a str,
    /// Where the page's policy wants one.
    pub nonce: Option<&'a str>,
    /// What the visitor may use and whether that is by choice; `None` where the page is the same for everybody.
    pub visitor: Option<(&'a str, bool)>,
    /// Whether it must run before all others.
    pub first: bool,
    /// Whether it may fetch.
    pub fetch: bool,
    /// Whether the page answers a form, which must not be sent again.
    pub posted: bool,
}

impl Tag<'_> {
    /// The tag as HTML.
    pub fn render(&self) -> String {
        let mut html = format!("<script src={}", quote(self.src));
        if let Some(nonce) = self.nonce {
            html.push_str(&format!(" nonce={}", quote(nonce)));
        }
        if let Some((granted, chosen)) = self.visitor {
            html.push_str(&format!(" data-granted={}", quote(granted)));
            html.push_str(if chosen { " data-chosen=\"\"" } else { "" });
        }
        html.push_str(if self.fetch { " data-fetch=\"\"" } else { "" });
        html.push_str(if self.posted { " data-posted=\"\"" } else { "" });
        // What nothing waits for need not hold up the page.
        html.push_str(if self.first { "></script>" } else { " async=\"\"></script>" });
        html
    }
}

/// A grant as words: categories, and `+` or `-` with each service that has an answer of its own, or vendor that has none.
pub fn granted(policy: &Policy, grant: &Grant) -> String {
    let parts = policy.parts();
    let categories = (0..).map(CategoryId).zip(&parts.categories).filter(|(id, _)| grant.has_category(*id));
    let mut words: Vec<String> = categories.map(|(_, category)| category.id.to_string()).collect();
    for (id, service) in (0..).map(ServiceId).zip(&parts.services) {
        if let Some(allowed) = grant.answer(id) {
            words.push(format!("{}{}", if allowed { '+' } else { '-' }, service.id));
        }
    }
    words.extend(grant.refused_vendors().iter().map(|vendor| format!("-{}", vendor_word(*vendor))));
    words.join(" ")
}
