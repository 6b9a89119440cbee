//! The response filter: cookies, validators, caches and the headers that make a browser contact a service.
//!
//! The same for every response, 103 and 304 included; in `observe` mode it judges and changes nothing.

use http::header::{ETAG, LINK, REFRESH, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::removal::remove_where;
use super::request::Requested;
use super::set_cookie::{self, Judge};
use super::validators::{self, Conditional, Suffix};
use super::{Address, cache, expire, link};
use crate::cookie::UnixTime;
use crate::policy::{Action, FindingAction, FindingKind, Grant, Policy, Sighting, Witness};

/// Says something of the bytes of a body, which are not the origin's any more (RFC 9530 and its forerunners).
fn is_of_bytes(name: &str) -> bool {
    matches!(name, "content-length" | "accept-ranges" | "content-md5" | "digest" | "repr-digest" | "content-digest")
}

/// Tells the browser itself to measure or profile.
fn is_advertising(name: &str) -> bool {
    matches!(
        name,
        "attribution-reporting-register-source"
            | "attribution-reporting-register-trigger"
            | "attribution-reporting-register-os-source"
            | "attribution-reporting-register-os-trigger"
            | "observe-browsing-topics"
    )
}

/// What becomes of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// The origin's bytes, whatever the grant.
    Plain,
    /// The origin's bytes this time; under another grant they would be rewritten.
    Passed,
    /// Rewritten under the grant.
    Rewritten,
}

/// What the response filter needs to know besides policy and grant.
#[derive(Debug, Clone, Copy)]
pub struct ResponseContext<'a> {
    /// False in `observe` mode: everything is judged, nothing is changed.
    pub apply: bool,
    /// The time by which cookies live and die.
    pub now: UnixTime,
    /// The status, for 304 speaks of a body that the client has.
    pub status: StatusCode,
    /// What becomes of the body.
    pub body: Body,
    /// What the client asked for.
    pub address: Address<'a>,
    /// What the request filter said.
    pub requested: &'a Requested,
    /// A shared cache in front keys by `Consent` (`shared_cache: keyed`).
    pub keyed: bool,
    /// The name of our "has a session" cookie, where `strict_bounce` is on.
    pub marker: Option<&'a str>,
    /// The grant that pages are made for, whoever asks (`gating: client`): then any cache may keep them.
    pub pages: Option<&'a Grant>,
    /// Stands for what is added to the page, if it is one.
    pub salt: u64,
    /// Request fields by which that is told, besides those of the visitor.
    pub told_by: &'static [&'static str],
}

/// Filters a response head, and tells the witness what is seen in it.
pub fn response(
    policy: &Policy,
    grant: &Grant,
    headers: &mut HeaderMap,
    context: &ResponseContext<'_>,
    witness: &mut dyn Witness,
) {
    let judge =
        Judge { policy, grant, apply: context.apply, now: context.now, cross_site: context.requested.cross_site };
    let cookies = judge.filter(headers, witness);
    let pages = context.pages.unwrap_or(grant);
    remove_blocked(policy, pages, headers, context, witness);
    if !context.apply {
        return;
    }
    let revalidated =
        context.status == StatusCode::NOT_MODIFIED && context.requested.conditional == Conditional::Filtered;
    // A 304 updates what the client has stored (RFC 9111 §4.3.4), so that it must not speak of the origin's bytes either.
    let rewritten = context.body == Body::Rewritten || revalidated;
    remove_where(headers, |name| {
        // `Alt-Svc` would lead browsers round the proxy.
        name == "alt-svc"
            || (rewritten && is_of_bytes(name))
            || (is_advertising(name) && !grants_advertising(policy, pages))
    });
    let varies = context.body != Body::Plain || revalidated;
    if varies {
        validators::response(headers, Suffix::salted(policy, pages, context.salt));
        if context.pages.is_some() {
            // Coded as the client likes, which is all that differs.
            cache::vary(headers, "Accept-Encoding");
        } else {
            vary(policy, headers, context.keyed);
        }
        context.told_by.iter().for_each(|field| cache::vary(headers, field));
    }
    // Once an exchange: the final response brings what an early one (1xx) leaves out.
    let added = !context.status.is_informational()
        && (mark_session(headers, context, &cookies) | expire_refused(&judge, headers, context, witness));
    if cookies.personal || added || (varies && !context.keyed && context.pages.is_none()) {
        cache::make_private(headers);
    }
}

/// What a head says of the origin's bytes goes, and its validator is weak from here on: something was put into the page,
/// and nothing else is filtered.
pub fn rewritten(headers: &mut HeaderMap) {
    remove_where(headers, is_of_bytes);
    let Some(etag) = headers.get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\"")) else { return };
    if let Ok(weak) = HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()) {
        headers.insert(ETAG, weak);
    }
}

/// `Link` and `Refresh` to services that are not granted.
fn remove_blocked(
    policy: &Policy,
    grant: &Grant,
    headers: &mut HeaderMap,
    context: &ResponseContext<'_>,
    witness: &mut dyn Witness,
) {
    if !headers.contains_key(LINK) && !headers.contains_key(REFRESH) {
        return;
    }
    let mut blocked = |url: &Url| {
        let verdict = policy.judge_tag(grant, url);
        let strip = verdict.action == Action::Strip;
        if strip {
            let owner = verdict.classified.map(|classified| classified.owner);
            let host = url.host_str().unwrap_or_default().as_bytes();
            witness.see(&Sighting::new(FindingKind::Tag, host, owner, verdict.rule, FindingAction::Strip));
        }
        strip && context.apply
    };
    let url = context.address.url();
    link::remove_links(headers, &url, &mut blocked);
    link::remove_refresh(headers, &url, &mut blocked);
}

/// Whether the visitor agreed to advertising, whatever the site calls it: to every category that takes in the
/// catalogue's `marketing`, or, where none does, to all that can be asked for.
fn grants_advertising(policy: &Policy, grant: &Grant) -> bool {
    let categories = || policy.parts().categories.iter().zip((0_u8..).map(crate::policy::CategoryId));
    let marketing = |category: &crate::policy::Category| {
        &*category.id == "marketing" || category.catalogue.iter().any(|word| &**word == "marketing")
    };
    let named = categories().any(|(category, _)| !category.required && marketing(category));
    let mut asked =
        categories().filter(|(category, _)| !category.required && (!named || marketing(category))).peekable();
    asked.peek().is_some() && asked.all(|(_, id)| grant.has_category(id))
}

/// What the grant was made from.
fn vary(policy: &Policy, headers: &mut HeaderMap, keyed: bool) {
    if keyed {
        cache::vary(headers, "Consent");
        // We code rewritten pages as the client likes, which only a shared cache needs to know.
        cache::vary(headers, "Accept-Encoding");
        return;
    }
    cache::vary(headers, "Cookie");
    let categories = &policy.parts().categories;
    if categories.iter().any(|category| category.gpc) {
        cache::vary(headers, "Sec-GPC");
    }
    if categories.iter().any(|category| category.dnt) {
        cache::vary(headers, "DNT");
    }
}

/// Remembers in the browser that there is a session which a navigation from another site would not bring along.
fn mark_session(headers: &mut HeaderMap, context: &ResponseContext<'_>, cookies: &set_cookie::Outcome) -> bool {
    let Some(marker) = context.marker else { return false };
    let lifetime = match (cookies.strict_session, cookies.session_deleted) {
        (Some(Some(seconds)), _) => Some(seconds),
        (Some(None), _) => None,
        (None, true) => Some(0),
        (None, false) => return false,
    };
    let mut line = [marker, "=1; Path=/"].concat();
    if let Some(seconds) = lifetime {
        line.push_str("; Max-Age=");
        line.push_str(&seconds.to_string());
    }
    line.push_str("; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::from_maybe_shared(bytes::Bytes::from(line)).is_ok_and(|line| headers.append(SET_COOKIE, line))
}

fn expire_refused(
    judge: &Judge<'_>,
    headers: &mut HeaderMap,
    context: &ResponseContext<'_>,
    witness: &mut dyn Witness,
) -> bool {
    let names = &context.requested.expire;
    let lines = expire::lines(names, context.address.host());
    let expired = !lines.is_empty();
    for line in lines {
        headers.append(SET_COOKIE, line);
    }
    for name in names {
        let verdict = judge.policy.judge_cookie(judge.grant, name);
        let owner = verdict.classified.map(|classified| classified.owner);
        witness.see(&Sighting::new(FindingKind::Cookie, name, owner, verdict.rule, FindingAction::Expire));
    }
    expired
}

#[cfg(test)]
mod tests;
