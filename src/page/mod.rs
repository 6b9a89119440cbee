//! What a visitor sees of us, as HTML text: pages that need no JavaScript and run under [`CSP`].
//!
//! Pure: they are told everything that they show, and know no request and no clock.

pub mod banner;
mod bounce;
pub mod bridge;
mod date;
mod error;
pub mod escape;
pub mod forget;
pub mod free;
mod path;
pub mod placeholder;
pub mod policy;
pub mod preferences;
pub mod receipt;
pub mod texts;
pub mod theme;
pub mod withdrawn;

pub use bounce::bounce;
pub use date::day;
pub use error::error;
pub use path::local_path;

/// The `Content-Security-Policy` under which all our pages work: no script, no inline style, no frame.
pub const CSP: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style sheet of all pages, served as `text/css` from `{prefix}style.css`.
pub const STYLE: &str = include_str!("assets/style.css");

/// Renders a template into text.
fn render(page: &impl askama::Template) -> String {
    page.render().expect("writing into a string does not fail")
}

/// Only what a link may safely lead to: escaping does not help against `javascript:`.
fn web_address(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")))
}
