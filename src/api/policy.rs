//! `GET policy`: the published cookie policy of a site.

use crate::config::{SEEN_COOKIE, SESSION_MARKER, Site};
use crate::page::policy::{About, PolicyPage};
use crate::policy::{Country, Law};

/// The policy of a site, which visitors know as `name`, for readers of `language` (a BCP 47 tag, and whether they have
/// named it) in `country`, where that is known.
pub fn page<'a>(
    site: &'a Site,
    name: &'a str,
    (language, named): (&'a str, bool),
    country: Option<Country>,
) -> PolicyPage<'a> {
    let parts = site.policy.parts();
    let implied = parts.laws.iter().map(|(_, law)| *law).chain([parts.law]).any(|law| law == Law::Implied);
    PolicyPage::new(
        &site.policy,
        About {
            site: name,
            prefix: &site.prefix,
            choice_cookie: &site.cookie.name,
            marker: site.strict_bounce.then_some(SESSION_MARKER),
            seen: (site.banner && implied).then_some(SEEN_COOKIE),
            effective: site.effective.as_deref(),
            language,
            named,
            texts: site.texts.of(language),
            country,
        },
    )
}
