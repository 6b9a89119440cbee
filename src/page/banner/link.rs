//! The way back to the preference centre from any page: a link in the site's footer or, where there is none, a small
//! button that lies over the end of the page.

use super::super::escape::{quote, text};

/// The link as it stands in a footer, with the footer's own looks.
pub fn in_footer(prefix: &str, return_to: &str, label: &str) -> String {
    format!(" <a class=\"consentry-settings\" href={}>{}</a> ", address(prefix, return_to), text(label))
}

/// The link as a small button at the end of a page. Without our style sheet it is a line of text.
pub fn at_end(prefix: &str, return_to: &str, label: &str) -> String {
    format!("<div id=\"consentry-settings\"><a href={}>{}</a></div>", address(prefix, return_to), text(label))
}

fn address(prefix: &str, return_to: &str) -> String {
    let back: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
    quote(&format!("{prefix}?return_to={back}"))
}
