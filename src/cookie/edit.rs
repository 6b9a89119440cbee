//! Changes to one `Set-Cookie` line: hardening, the `__Host-` prefix, a shorter life.
//!
//! Every byte that no edit speaks of stays, and editing twice is editing once.

use std::borrow::Cow;

use super::set_cookie::MAX_PAIR;
use super::{Attribute, AttributeKind, SameSite, SetCookie, UnixTime, date};

/// Put before a name, it makes browsers refuse the cookie unless it is `Secure`, host-only and of `Path=/`.
pub const HOST_PREFIX: &[u8] = b"__Host-";

/// Prefixes by which browsers hold a cookie to rules, in any case of letters.
const PREFIXES: [&[u8]; 3] = [HOST_PREFIX, b"__Secure-", b"__Http-"];

/// What to change; the default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edits {
    /// Add `HttpOnly`; false leaves the origin's.
    pub http_only: bool,
    /// Remove the origin's `HttpOnly`, unless it is added or the name's prefix asks for it.
    pub remove_http_only: bool,
    /// Add `Secure`; false leaves the origin's.
    pub secure: bool,
    /// Set `SameSite`; `None` leaves the origin's. [`SameSite::None`] brings `Secure` with it, without which browsers
    /// refuse the cookie.
    pub same_site: Option<SameSite>,
    /// Remove `Domain`, so that sub-domains do not get it.
    pub remove_domain: bool,
    /// Rename to `__Host-NAME` where browsers would then keep it: no `Path` (`/` is added) or `/`, and a name of its
    /// own that has no such prefix. Brings `Secure` and the removal of `Domain` with it.
    pub host_prefix: bool,
    /// The longest life in seconds; 0 makes it a session cookie. Session cookies and deletions stay what they are.
    pub cap: Option<u64>,
}

/// The line with the edits made; borrowed if it already is as wanted.
pub fn edit<'a>(cookie: &SetCookie<'a>, edits: &Edits, now: UnixTime) -> Cow<'a, [u8]> {
    let plan = Plan::new(cookie, edits, now);
    let same = !plan.rename && !plan.harden && cookie.attributes().all(|a| plan.change(&a) == Change::Keep);
    if same { Cow::Borrowed(cookie.line()) } else { Cow::Owned(plan.write(cookie)) }
}

struct Plan {
    http_only: bool,
    secure: bool,
    same_site: Option<SameSite>,
    /// The three above are to be written; false if the line already has them, once each and well spelled.
    harden: bool,
    remove_http_only: bool,
    remove_domain: bool,
    rename: bool,
    add_path: bool,
    limit: Limit,
}

enum Limit {
    Unlimited,
    Session,
    Seconds(u64, UnixTime),
}

#[derive(PartialEq, Eq)]
enum Change {
    Keep,
    Drop,
    MaxAge(u64),
    Expires(UnixTime),
}

impl Plan {
    fn new(cookie: &SetCookie<'_>, edits: &Edits, now: UnixTime) -> Self {
        let rename = edits.host_prefix && can_rename(cookie);
        let secure = edits.secure || rename || edits.same_site == Some(SameSite::None);
        let limit = match edits.cap {
            // What ends with the session or now is never made to live until a date.
            Some(_) if matches!(cookie.lifetime(now), None | Some(0)) => Limit::Unlimited,
            Some(0) => Limit::Session,
            Some(cap) => Limit::Seconds(cap, now.after(cap)),
            None => Limit::Unlimited,
        };
        let has = |kind, value: &str| {
            // Browsers take the last of a doubled attribute, other readers the first: one is unambiguous.
            let mut copies = cookie.attributes().filter(|a| a.kind() == kind);
            copies.next().is_some_and(|a| a.value.eq_ignore_ascii_case(value.as_bytes())) && copies.next().is_none()
        };
        let harden = (edits.http_only && !has(AttributeKind::HttpOnly, ""))
            || (secure && !has(AttributeKind::Secure, ""))
            || edits.same_site.is_some_and(|same_site| !has(AttributeKind::SameSite, same_site.as_str()));
        Self {
            http_only: edits.http_only,
            secure,
            same_site: edits.same_site,
            harden,
            remove_http_only: edits.remove_http_only && !edits.http_only && !needs_http_only(cookie.name()),
            remove_domain: edits.remove_domain || rename,
            rename,
            add_path: rename && cookie.attributes().all(|a| a.kind() != AttributeKind::Path),
            limit,
        }
    }

    fn change(&self, attribute: &Attribute<'_>) -> Change {
        let drop = match (attribute.kind(), &self.limit) {
            (AttributeKind::HttpOnly, _) => self.remove_http_only || (self.harden && self.http_only),
            (AttributeKind::Secure, _) => self.harden && self.secure,
            (AttributeKind::SameSite, _) => self.harden && self.same_site.is_some(),
            (AttributeKind::Domain, _) => self.remove_domain,
            (AttributeKind::MaxAge | AttributeKind::Expires, Limit::Session) => true,
            (AttributeKind::MaxAge, Limit::Seconds(cap, _)) => {
                let longer = attribute.max_age().and_then(|age| u64::try_from(age).ok()).is_some_and(|age| age > *cap);
                return if longer { Change::MaxAge(*cap) } else { Change::Keep };
            }
            (AttributeKind::Expires, Limit::Seconds(_, until)) => {
                let later = attribute.expires().is_some_and(|at| at > *until);
                return if later { Change::Expires(*until) } else { Change::Keep };
            }
            _ => false,
        };
        if drop { Change::Drop } else { Change::Keep }
    }

    fn write(&self, cookie: &SetCookie<'_>) -> Vec<u8> {
        let line = cookie.line();
        let mut out = Vec::with_capacity(line.len() + 64);
        let (before, after) = cookie.pair().around_name();
        out.extend_from_slice(before);
        if self.rename {
            out.extend_from_slice(HOST_PREFIX);
        }
        out.extend_from_slice(cookie.name());
        out.extend_from_slice(after);
        for attribute in cookie.attributes() {
            let text = match self.change(&attribute) {
                Change::Keep => {
                    out.extend_from_slice(&line[attribute.span]);
                    continue;
                }
                Change::Drop => continue,
                Change::MaxAge(seconds) => seconds.to_string(),
                Change::Expires(time) => date::format(time),
            };
            out.extend_from_slice(&line[attribute.span.start..attribute.value_span.start]);
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(&line[attribute.value_span.end..attribute.span.end]);
        }
        let same_site = self.same_site.map_or("", SameSite::as_str);
        for (wanted, text) in [
            (self.add_path, ["; Path=/", ""]),
            (self.harden && self.http_only, ["; HttpOnly", ""]),
            (self.harden && self.secure, ["; Secure", ""]),
            (self.harden && self.same_site.is_some(), ["; SameSite=", same_site]),
        ] {
            if wanted {
                text.iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
            }
        }
        out
    }
}

/// Whether browsers refuse the cookie without `HttpOnly`.
fn needs_http_only(name: &[u8]) -> bool {
    let begins = |prefix: &[u8]| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    begins(b"__Http-") || begins(b"__Host-Http-")
}

fn can_rename(cookie: &SetCookie<'_>) -> bool {
    let name = cookie.name();
    let prefixed = PREFIXES.iter().any(|p| name.get(..p.len()).is_some_and(|start| start.eq_ignore_ascii_case(p)));
    // `None`: no Path at all. Otherwise the last must be `/`, for we would change the reach of any other.
    let path = cookie.attributes().filter(|a| a.kind() == AttributeKind::Path).last();
    !cookie.pair().nameless()
        && !prefixed
        && path.is_none_or(|path| path.value == b"/")
        && cookie.pair().stored_len() + HOST_PREFIX.len() <= MAX_PAIR
}
