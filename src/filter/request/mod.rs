//! The request filter: what the origin may see of a visitor's cookies, and how it must not answer.
//!
//! `Cookie`, `Consent`, conditions, ranges and codings; hops and forwarding have their own files.

use std::borrow::Cow;

use http::header::{ACCEPT_ENCODING, COOKIE, Entry, HeaderMap, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderValue, Method};

use super::accept_encoding::Accepted;
use super::consent_header::{CONSENT, ConsentHeader};
use super::validators::{self, Conditional, Suffix};
use super::{Fetch, coding::Coding, list};
use crate::cookie::{self, Fate, HOST_PREFIX, OwnCookies, Pair};
use crate::policy::{Action, FindingAction, FindingKind, Grant, Policy, Sighting, Verdict, Witness};

/// More cookies than this are not remembered for expiry: that many lines are all that a response may carry.
const MAX_EXPIRED: usize = super::expire::MAX_LINES;

/// What the request filter needs to know besides policy and grant.
#[derive(Debug, Clone, Copy)]
pub struct RequestContext<'a> {
    /// False in `observe` mode: everything is judged, nothing is changed.
    pub apply: bool,
    /// The method.
    pub method: &'a Method,
    /// What the answer is for.
    pub fetch: Fetch,
    /// Cookies of ours (the choice, the session marker): the origin never sees them.
    pub own: &'a OwnCookies<'a>,
    /// The site's prepared `Consent` values.
    pub consent: &'a ConsentHeader,
    /// The visitor has refused or withdrawn something by an act of their own.
    pub refused: bool,
    /// The grant that pages are made for: the visitor's, unless they are the same for everybody (`gating: client`).
    pub pages: &'a Grant,
    /// Stands for what is added to the page that may come. Used only if [`asks_of_tags`].
    pub salt: u64,
}

/// What the response filter must know of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// The visitor opens a page in a window of its own.
    pub navigation: bool,
    /// Whether a 304 would speak of a filtered page.
    pub conditional: Conditional,
    /// Names of cookies that were held back and are to be deleted in the browser.
    pub expire: Vec<Box<[u8]>>,
    /// The visitor comes from another site; only browsers that send Fetch metadata say so.
    pub cross_site: bool,
}

/// Whether the client has something already, and asks whether it still is what it would get.
pub fn asks_of_tags(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_NONE_MATCH)
}

/// Filters a request head, and tells the witness of the cookies in it.
pub fn request(
    policy: &Policy,
    grant: &Grant,
    headers: &mut HeaderMap,
    context: &RequestContext<'_>,
    witness: &mut dyn Witness,
) -> Requested {
    let fetch = context.fetch;
    let navigation = fetch.is_navigation();
    let cross_site = navigation && fetch.cross_site;
    let mut outcome = Requested { navigation, conditional: Conditional::Plain, expire: vec![], cross_site };
    let jar = Jar { policy, grant, own: context.own, moved: moved_names(policy, headers) };
    Crumbs { jar: &jar, context, outcome: &mut outcome, witness }.filter(headers);
    if !context.apply {
        return outcome;
    }
    headers.insert(CONSENT, context.consent.value(policy, grant));
    let document = fetch.wants_document();
    let suffix = Suffix::salted(policy, context.pages, context.salt);
    outcome.conditional = validators::request(headers, context.method, document, suffix);
    if document {
        // A part of a page cannot be filtered.
        headers.remove(RANGE);
        headers.remove(IF_RANGE);
    }
    if !fetch.wants_part() {
        limit_codings(headers);
    }
    outcome
}

/// What [`request`] does with one cookie, and why; no verdict on our own, which nobody is asked about.
pub type Judged<'a> = (Fate<'a>, Option<Verdict>);

/// Judges the cookies of a request head as [`request`] does, and tells of each in their order. For `explain`.
pub fn judge_cookies<'h>(
    policy: &Policy,
    grant: &Grant,
    headers: &'h HeaderMap,
    own: &OwnCookies<'_>,
) -> Vec<(Pair<'h>, Judged<'h>)> {
    let jar = Jar { policy, grant, own, moved: moved_names(policy, headers) };
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| cookie::pairs(line.as_bytes()));
    pairs.map(|pair| (pair, jar.judge(&pair))).collect()
}

/// Asks for codings that we can undo. A list that holds no others keeps its bytes.
fn limit_codings(headers: &mut HeaderMap) {
    let known = |element: &[u8]| {
        let name = list::split(element, b';').next().unwrap_or_default().trim_ascii();
        Coding::from_token(name).is_some() || name.eq_ignore_ascii_case(b"identity")
    };
    if headers.get_all(ACCEPT_ENCODING).iter().all(|line| list::elements(line.as_bytes()).all(known)) {
        return;
    }
    let value = Accepted::read(headers).for_origin();
    headers.insert(ACCEPT_ENCODING, value);
}

/// The name under which the origin knows a cookie that we gave `__Host-`. One without a name only reads as if it had it,
/// which any sub-domain can set.
fn original<'p>(policy: &Policy, pair: &Pair<'p>) -> Option<&'p [u8]> {
    let original = pair.name().strip_prefix(HOST_PREFIX).filter(|_| !pair.nameless())?;
    let (hardening, _) = policy.session(original)?;
    hardening.host_prefix.then_some(original)
}

/// The original names of all cookies here that we gave `__Host-`.
fn moved_names(policy: &Policy, headers: &HeaderMap) -> Vec<Box<[u8]>> {
    if !policy.renames() {
        return Vec::new();
    }
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines.flat_map(|line| cookie::pairs(line.as_bytes()));
    pairs.filter_map(|pair| original(policy, &pair)).map(Into::into).collect()
}

/// What decides on the cookies of a request.
struct Jar<'a> {
    policy: &'a Policy,
    grant: &'a Grant,
    own: &'a OwnCookies<'a>,
    moved: Vec<Box<[u8]>>,
}

impl Jar<'_> {
    fn judge<'p>(&self, pair: &Pair<'p>) -> Judged<'p> {
        let name = pair.name();
        if self.own.contains(name) {
            return (Fate::Drop, None);
        }
        let verdict = self.policy.judge_cookie(self.grant, name);
        let fate = match verdict.action {
            Action::Strip => Fate::Drop,
            // Beside the `__Host-` cookie that we made of it, the plain one is from before us, or a sub-domain's forgery.
            Action::Keep if self.moved.iter().any(|moved| **moved == *name) => Fate::Drop,
            Action::Keep => original(self.policy, pair).map_or(Fate::Keep, Fate::Rename),
        };
        (fate, Some(verdict))
    }
}

/// All `Cookie` lines of a request: HTTP/2 clients send one a cookie (RFC 9113 §8.2.3).
struct Crumbs<'a> {
    jar: &'a Jar<'a>,
    context: &'a RequestContext<'a>,
    outcome: &'a mut Requested,
    witness: &'a mut dyn Witness,
}

impl Crumbs<'_> {
    fn filter(&mut self, headers: &mut HeaderMap) {
        let Entry::Occupied(mut lines) = headers.entry(COOKIE) else { return };
        let mut emptied = false;
        for line in lines.iter_mut() {
            let kept = match cookie::retain(line.as_bytes(), |pair| self.judge(pair)) {
                Some(Cow::Borrowed(_)) => continue,
                // Slices of a header value, put together with `; `.
                Some(Cow::Owned(kept)) => HeaderValue::from_maybe_shared(bytes::Bytes::from(kept)).ok(),
                None => None,
            };
            if !self.context.apply {
                continue;
            }
            emptied |= kept.is_none();
            *line = kept.unwrap_or(HeaderValue::from_static(""));
        }
        if emptied {
            let (name, lines) = lines.remove_entry_mult();
            let kept: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
            for line in kept {
                headers.append(&name, line);
            }
        }
    }

    fn judge<'p>(&mut self, pair: &Pair<'p>) -> Fate<'p> {
        let (fate, verdict) = self.jar.judge(pair);
        if let Some(verdict) = verdict {
            self.remember(pair, verdict);
        }
        fate
    }

    fn remember(&mut self, pair: &Pair<'_>, verdict: Verdict) {
        let strip = verdict.action == Action::Strip;
        let expires = strip && self.context.refused && self.outcome.navigation;
        // A cookie without a name cannot be deleted by one.
        if expires && !pair.nameless() && self.outcome.expire.len() < MAX_EXPIRED {
            let name = pair.name();
            if !self.outcome.expire.iter().any(|known| **known == *name) {
                self.outcome.expire.push(name.into());
            }
        }
        let owner = verdict.classified.map(|classified| classified.owner);
        let action = if strip { FindingAction::Strip } else { FindingAction::Keep };
        self.witness.see(&Sighting::new(FindingKind::Cookie, pair.name(), owner, verdict.rule, action));
    }
}

#[cfg(test)]
mod tests;
