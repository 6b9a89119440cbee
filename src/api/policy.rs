//! `GET policy`: the published cookie policy of a site.

use crate::config::{SESSION_MARKER, Site};
use crate::page::policy::{About, PolicyPage};
use crate::policy::Country;

/// The policy of a site, which visitors know as `name`, for readers of `language` (a BCP 47 tag)
/// in `country`, where that is known.
pub fn page<'a>(site: &'a Site, name: &'a str, language: &'a str, country: Option<Country>) -> PolicyPage<'a> {
    PolicyPage::new(
        &site.policy,
        About {
            site: name,
            prefix: &site.prefix,
            choice_cookie: &site.cookie.name,
            marker: site.strict_bounce.then_some(SESSION_MARKER),
            effective: site.effective.as_deref(),
            language,
            texts: site.texts.of(language),
            country,
        },
    )
}
