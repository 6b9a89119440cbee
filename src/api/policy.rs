//! `GET policy`: the published cookie policy of a site.

use crate::config::{SEEN_COOKIE, SESSION_MARKER, Site};
use crate::page::policy::{About, PolicyPage};
use crate::policy::{Country, Law};

/// The policy of a site, which visitors know as `name`, for readers of `language` (a BCP 47 tag)
/// in `country`, where that is known.
pub fn page<'a>(site: &'a Site, name: &'a str, language: &'a str, country: Option<Country>) -> PolicyPage<'a> {
    let marker = (
        SESSION_MARKER,
        "it says that you are signed in or have a basket, and nothing else, so that links from other sites find you so",
    );
    let seen = (
        SEEN_COOKIE,
        "it says on which page you were first shown what we ask, for going on to a second page counts as consent here",
    );
    let parts = site.policy.parts();
    let implied = parts.laws.iter().map(|(_, law)| *law).chain([parts.law]).any(|law| law == Law::Implied);
    let own = [(site.strict_bounce, marker), (site.banner && implied, seen)];
    PolicyPage::new(
        &site.policy,
        About {
            site: name,
            prefix: &site.prefix,
            choice_cookie: &site.cookie.name,
            own: own.into_iter().filter(|(wanted, _)| *wanted).map(|(_, cookie)| cookie).collect(),
            effective: site.effective.as_deref(),
            language,
            country,
        },
    )
}
