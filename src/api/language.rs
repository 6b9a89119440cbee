//! In which language a visitor is spoken to.

use http::HeaderMap;

use crate::config::Site;
use crate::filter::accept_language;
use crate::page::texts::Texts;

/// The tag of the best language that the visitor asks for, of those that the policy or we can speak; else the site's.
pub fn of<'a>(site: &'a Site, headers: &HeaderMap) -> &'a str {
    accept_language::best(headers, &site.offered).unwrap_or(&site.language)
}

/// The language that a page of ours was asked for by name, or that a form was shown in.
pub(super) fn named<'a>(site: &'a Site, fields: &[u8]) -> Option<&'a str> {
    let (_, tag) = url::form_urlencoded::parse(fields).find(|(name, _)| name == "language")?;
    accept_language::of_tag(&tag, &site.offered)
}

/// The texts in that language.
pub fn texts<'a>(site: &'a Site, headers: &HeaderMap) -> &'a Texts {
    site.texts.of(of(site, headers))
}

/// The texts where no site is known: by what the visitor asks for alone.
pub fn texts_without_site(headers: &HeaderMap) -> &'static Texts {
    Texts::of(accept_language::best(headers, &crate::page::texts::LANGUAGES).unwrap_or("en"))
}
