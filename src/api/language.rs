//! In which language a visitor is spoken to.

use http::HeaderMap;

use crate::config::Site;
use crate::filter::accept_language;
use crate::page::texts::Texts;

/// The tag of the best language that the visitor asks for, of those that the policy or we can speak; else the site's.
pub fn of<'a>(site: &'a Site, headers: &HeaderMap) -> &'a str {
    let ours = site.policy.parts().languages().into_iter().chain(site.texts.languages());
    let offered: Vec<&str> = std::iter::once(&*site.language).chain(ours).collect();
    let best = accept_language::best(headers, &offered).unwrap_or(&site.language);
    // Who reads Portuguese reads what the policy says in Brazil's; our own texts are found by `pt-br` as well.
    let nearer = |tag: &&str| tag.strip_prefix(best).is_some_and(|rest| rest.starts_with('-'));
    let theirs = site.policy.parts().languages();
    if theirs.contains(&best) { best } else { theirs.into_iter().find(nearer).unwrap_or(best) }
}

/// The texts in that language.
pub fn texts<'a>(site: &'a Site, headers: &HeaderMap) -> &'a Texts {
    site.texts.of(of(site, headers))
}

/// The texts where no site is known: by what the visitor asks for alone.
pub fn texts_without_site(headers: &HeaderMap) -> &'static Texts {
    Texts::of(accept_language::best(headers, &crate::page::texts::LANGUAGES).unwrap_or("en"))
}
