//! CookieYes as it once was, the WordPress plugin Cookie Law Info: `cookielawinfo-checkbox-NAME=yes` a category, and
//! `viewed_cookie_policy` once answered. Newer ones repeat it all in `CookieLawInfoConsent`, JSON in base64.

use super::jar::Jar;
use super::wire::base64_object;
use super::{Reading, Said, Spec};

const CHECKBOX: &str = "cookielawinfo-checkbox-";
const TWIN: &str = "CookieLawInfoConsent";

pub(super) const SPEC: Spec = Spec {
    word: "cookie-law-info",
    record: &["cookielawinfo-checkbox-*", TWIN],
    beside: &["viewed_cookie_policy", "cli_user_preference"],
    service: Some("cookieyes"),
    read,
    ..Spec::PLAIN
};

fn read(jar: &Jar<'_>) -> Reading {
    const ANSWERED: &str = "viewed_cookie_policy";
    let mut said = Said::default();
    for (name, value) in jar.all() {
        let name = std::str::from_utf8(name).unwrap_or_default();
        if let Some(category) = name.strip_prefix(CHECKBOX) {
            said.push(category, value == b"yes");
        } else if name == TWIN {
            let Some(map) = base64_object(value) else { return Reading::Unreadable };
            let groups = map.iter().filter_map(|(key, value)| Some((key.as_str().into(), value.as_bool()?)));
            said.groups.extend(groups);
        }
    }
    if jar.values(ANSWERED).any(|value| value == b"no") {
        said.push("all", false);
    }
    match (jar.has(ANSWERED), said.groups.is_empty()) {
        (false, true) => Reading::None,
        (answered, _) => Reading::of(answered, said),
    }
}
