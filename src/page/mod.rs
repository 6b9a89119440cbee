//! What a visitor sees of us, as HTML text: pages that need no JavaScript and run under [`CSP`].
//!
//! Pure: they are told everything that they show, and know no request and no clock.

pub mod banner;
mod bounce;
pub mod bridge;
pub mod category;
mod date;
mod error;
pub mod escape;
pub mod forget;
pub mod free;
pub mod guard;
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
pub use path::{local_path, way_back};

/// The `Content-Security-Policy` under which all our pages work: no script, no inline style, no frame.
pub const CSP: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style sheet of all pages, served as `text/css` from `{prefix}style.css`.
pub const STYLE: &str = include_str!("assets/style.css");

/// The address of the preference centre for a visitor of the page `return_to`, in the language of this tag if one is named.
fn settings(prefix: &str, return_to: &str, named: Option<&str>) -> String {
    let back: String = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
    let language = named.map(|tag| format!("&language={tag}")).unwrap_or_default();
    format!("{prefix}?return_to={back}{language}")
}

/// The query of an address that leads on in this language, if it was named.
fn on(named: bool, language: &str) -> String {
    if named { format!("?language={language}") } else { String::new() }
}

/// For a form: in which language it was shown, if one is named.
fn language_field(named: Option<&str>) -> String {
    let field = |tag| format!("<input type=\"hidden\" name=\"language\" value={}/>", escape::quote(tag));
    named.map(field).unwrap_or_default()
}

/// Renders a template into text.
fn render(page: &impl askama::Template) -> String {
    page.render().expect("writing into a string does not fail")
}

/// Only what a link may safely lead to: escaping does not help against `javascript:`.
fn web_address(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")))
}
