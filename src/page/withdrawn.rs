//! The page after a withdrawal: it is done, and here is the way back. Its script deletes what the browser stores.

use super::local_path;
use super::texts::Texts;

/// As for all our pages, and the one script.
pub const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; \
                       frame-ancestors 'none'";

/// The page, in the language of the texts: a tag, and whether addresses that lead on name it. `return_to` may be anything;
/// a foreign address becomes `/`.
pub fn page(site: &str, prefix: &str, return_to: &str, (language, named): (&str, bool), texts: &Texts) -> String {
    super::render(&Withdrawn { site, prefix, return_to: local_path(return_to), language, named, texts })
}

impl Withdrawn<'_> {
    fn on(&self) -> String {
        super::on(self.named, self.language)
    }
}

#[derive(askama::Template)]
#[template(path = "withdrawn.html")]
struct Withdrawn<'a> {
    site: &'a str,
    prefix: &'a str,
    return_to: &'a str,
    language: &'a str,
    named: bool,
    texts: &'a Texts,
}
