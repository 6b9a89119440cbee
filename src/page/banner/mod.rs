//! The banner: asks for a choice at the foot of a page of the site, and works there without a script.
//!
//! It stands in other people's markup and under other people's style sheets. So it is ASCII, every attribute quoted and
//! every tag closed; its own style sheet takes back whatever the site says of it; and it asks for no more than the
//! page's `Content-Security-Policy` lets it have.

pub mod link;
pub mod script;

use super::escape::{quote, text};
use super::texts::{Texts, fill};
use crate::fnv;

/// Its style sheet, served from `{prefix}banner.css`, and the small button's of [`link`].
pub const STYLE: &str = include_str!("../assets/banner.css");

/// The path of the style sheet below the prefix, with a mark by which a cached one is known to be this one.
pub fn style_path() -> String {
    format!("banner.css?{:08x}", version(STYLE))
}

/// A short hash of an asset: it is in its address, so that browsers may keep it for good.
fn version(asset: &str) -> u32 {
    let hash = fnv::add(fnv::START, asset.bytes());
    (hash ^ (hash >> 32)) as u32
}

/// What the banner asks, and where.
#[derive(Debug, Clone, Copy)]
pub struct Banner<'a> {
    /// The site's name, as visitors know it.
    pub site: &'a str,
    /// What it says.
    pub words: &'a Texts,
    /// The tag of that language, where the browser asks for another: what is sent from here names it.
    pub named: Option<&'a str>,
    /// What is asked for.
    pub asked: Asked<'a>,
    /// The browser sends a signal that the policy honours.
    pub signal: bool,
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// The site's cookie policy.
    pub policy: &'a str,
    /// Path and query of the page, to come back to.
    pub return_to: &'a str,
    /// What the page's policy lets the banner do.
    pub may: May,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Everything; these are the labels of the categories.
    Everything(&'a [&'a str]),
    /// What no earlier choice has answered, by its labels, and the site's words on what has changed.
    New(&'a [&'a str], &'a [&'a str]),
}

/// What a page's `Content-Security-Policy` allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct May {
    /// A form may be sent to us. Else a link leads to the preference centre.
    pub form: bool,
    /// Our style sheet applies. Else the banner lies over the page as browsers show a dialogue.
    pub style: bool,
    /// A script may fetch from us. Else the form is sent as if there was none.
    pub fetch: bool,
}

impl Banner<'_> {
    /// The banner as HTML.
    pub fn render(&self) -> String {
        let Self { site, words, named, prefix, return_to, may, .. } = *self;
        let (title, said) = match self.asked {
            Asked::Everything(labels) => {
                (&words.banner_title, fill(&words.banner_text, &[("site", site), ("categories", &words.list(labels))]))
            }
            Asked::New(labels, changes) => {
                let said = fill(&words.banner_text_new, &[("site", site), ("items", &words.list(labels))]);
                let said = changes.iter().fold(said, |said, change| format!("{said} {change}"));
                (&words.banner_title_new, said)
            }
        };
        let title = fill(title, &[("site", site)]);
        let mut html = format!(
            "<section id=\"consentry\" role=\"region\" aria-label={} lang={} dir={} data-nosnippet=\"\">",
            quote(&title),
            quote(&words.language),
            quote(words.dir()),
        );
        // Without a style sheet, browsers take a dialogue out of the flow: nothing of the page moves.
        let (open, close) = if may.style {
            ("<div class=\"consentry-box\">".to_owned(), "</div>")
        } else {
            (format!("<dialog open=\"\" aria-label={}>", quote(&title)), "</dialog>")
        };
        html.push_str(&open);
        let signal = if self.signal { format!(" {}", text(&words.banner_signal)) } else { String::new() };
        html.push_str(&format!(
            "<div class=\"consentry-text\"><p><strong>{}</strong></p><p>{}{signal} <a href={}>{}</a></p></div>",
            text(&title),
            text(&said),
            quote(self.policy),
            text(&words.learn_more),
        ));
        let choose = format!(
            "<a class=\"consentry-button\" href={}>{}</a>",
            quote(&super::settings(prefix, return_to, named)),
            text(&words.choose)
        );
        if may.form {
            let (accept, reject) = match self.asked {
                Asked::Everything(_) => ("accept-all", "reject-all"),
                Asked::New(..) => ("accept-new", "reject-new"),
            };
            html.push_str(&format!(
                "<form class=\"consentry-buttons\" method=\"post\" action={}{}>\
                 <input type=\"hidden\" name=\"return_to\" value={}/>{}\
                 <button class=\"consentry-button\" name=\"decision\" value=\"{accept}\">{}</button>\
                 <button class=\"consentry-button\" name=\"decision\" value=\"{reject}\">{}</button>{choose}</form>",
                quote(&format!("{prefix}choice")),
                if may.fetch { " data-fetch=\"\"" } else { "" },
                quote(return_to),
                super::language_field(named),
                text(&words.accept_all),
                text(&words.reject_all),
            ));
        } else {
            html.push_str(&format!("<div class=\"consentry-buttons\">{choose}</div>"));
        }
        html.push_str(close);
        // While it is still arriving it would grow under the visitor's eyes: it shows when this is there.
        html.push_str("<i class=\"consentry-end\"></i></section>");
        html
    }
}

#[cfg(test)]
mod tests;
