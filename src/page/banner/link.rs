//! The way back to the preference centre from any page: a link in the site's footer or, where there is none, a small
//! button that lies over the end of the page.

use super::super::escape::{quote, text};
use super::super::settings;

/// The way back, from one page.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// Where our own pages live, e.g. `/_consent/`.
    pub prefix: &'a str,
    /// Path and query of the page, to come back to.
    pub return_to: &'a str,
    /// The tag of the language, where the browser asks for another than the page has.
    pub named: Option<&'a str>,
    /// What the link says.
    pub label: &'a str,
}

impl Way<'_> {
    /// As it stands in a footer, with the footer's own looks.
    pub fn in_footer(&self) -> String {
        format!(" <a class=\"consentry-settings\" href={}>{}</a> ", self.address(), text(self.label))
    }

    /// As a small button at the end of a page. Without our style sheet it is a line of text.
    pub fn at_end(&self) -> String {
        // A landmark of its own: it stands in none of the page's.
        format!(
            "<div id=\"consentry-settings\" role=\"navigation\" aria-label={}><a href={}>{}</a></div>",
            quote(self.label),
            self.address(),
            text(self.label)
        )
    }

    fn address(&self) -> String {
        quote(&settings(self.prefix, self.return_to, self.named))
    }
}
