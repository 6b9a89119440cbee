//! The `Set-Cookie` lines of a response: judged one by one, stripped, capped or hardened, in their order.

use std::borrow::Cow;

use http::header::{Entry, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::cookie::{self, Edits, SameSite, SetCookie, UnixTime};
use crate::policy::{
    Action, FindingAction, FindingKind, Grant, Hardening, Policy, Rule, Sighting, Unclassified, Verdict, Witness,
};

/// Of RFC 2965: no browser reads it, and it may hold several cookies in one line.
const SET_COOKIE2: HeaderName = HeaderName::from_static("set-cookie2");

/// What the lines of a response came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The lines depend on the grant, or are not the origin's any more: not for shared caches.
    pub(super) personal: bool,
    /// A session cookie that stays behind on cross-site navigations was set; for how long, in seconds.
    pub(super) strict_session: Option<Option<u64>>,
    /// The session was ended.
    pub(super) session_deleted: bool,
}

/// Who judges, and when.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    pub(super) grant: &'a Grant,
    pub(super) apply: bool,
    pub(super) now: UnixTime,
    /// The lines answer a navigation from another site.
    pub(super) cross_site: bool,
}

/// What one line becomes, and why.
struct Decided<'a> {
    /// `None` removes it.
    line: Option<Cow<'a, [u8]>>,
    action: FindingAction,
    rule: Option<Rule>,
    capped: Option<Rule>,
    left_behind: bool,
}

impl<'a> Decided<'a> {
    fn new(line: Option<Cow<'a, [u8]>>, action: FindingAction, rule: Option<Rule>) -> Self {
        Self { line, action, rule, capped: None, left_behind: false }
    }
}

impl Judge<'_> {
    /// Judges all lines; changes them only where verdicts are applied.
    pub(super) fn filter(&self, headers: &mut HeaderMap, witness: &mut dyn Witness) -> Outcome {
        let mut outcome = Outcome::default();
        self.drop_set_cookie2(headers, &mut outcome, witness);
        let Entry::Occupied(mut lines) = headers.entry(SET_COOKIE) else { return outcome };
        let mut stripped = false;
        for value in lines.iter_mut() {
            let decided = self.witnessed(value.as_bytes(), &mut outcome, witness);
            let line = match decided.line {
                Some(Cow::Borrowed(_)) => continue,
                // Spans of a header value and our own attributes.
                Some(Cow::Owned(line)) => HeaderValue::from_maybe_shared(bytes::Bytes::from(line)).ok(),
                None => None,
            };
            if self.apply {
                outcome.personal = true;
                stripped |= line.is_none();
                *value = line.unwrap_or(HeaderValue::from_static(""));
            }
        }
        if stripped {
            let (name, lines) = lines.remove_entry_mult();
            let kept: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
            for line in kept {
                headers.append(&name, line);
            }
        }
        outcome
    }

    fn witnessed<'l>(&self, line: &'l [u8], outcome: &mut Outcome, witness: &mut dyn Witness) -> Decided<'l> {
        let cookie = SetCookie::parse(line);
        let (verdict, session) = self.policy.judge_set_cookie(self.grant, cookie.name());
        let decided = self.decide(&cookie, verdict, session, outcome);
        let owner = verdict.classified.map(|classified| classified.owner);
        witness.see(&Sighting {
            capped: decided.capped,
            line: (!cookie.deletes(self.now)).then_some(&cookie),
            left_behind: decided.left_behind,
            ..Sighting::new(FindingKind::Cookie, cookie.name(), owner, decided.rule, decided.action)
        });
        decided
    }

    fn decide<'l>(
        &self,
        cookie: &SetCookie<'l>,
        verdict: Verdict,
        session: Option<(Hardening, Rule)>,
        outcome: &mut Outcome,
    ) -> Decided<'l> {
        outcome.personal |= self.depends_on_grant(verdict);
        if cookie.deletes(self.now) {
            // Deletion is what a refusing visitor wants. Where we moved the cookie, the deletion must follow it.
            outcome.session_deleted |= session.is_some();
            let edits = session.map(|(hardening, _)| moved(hardening)).unwrap_or_default();
            let line = cookie::edit(cookie, &edits, self.now);
            return Decided::new(Some(line), FindingAction::Keep, verdict.rule);
        }
        if verdict.action == Action::Strip {
            return Decided::new(None, FindingAction::Strip, verdict.rule);
        }
        let capped = Edits { cap: verdict.lifetime, ..Edits::default() };
        let Some((hardening, rule)) = session else {
            let line = cookie::edit(cookie, &capped, self.now);
            let action = if matches!(line, Cow::Owned(_)) { FindingAction::Cap } else { FindingAction::Keep };
            return Decided::new(Some(line), action, verdict.rule);
        };
        let edits = Edits {
            http_only: hardening.http_only,
            remove_http_only: hardening.readable,
            secure: hardening.secure,
            same_site: hardening.same_site,
            cap: verdict.lifetime,
            ..moved(hardening)
        };
        let strict = hardening.same_site == Some(SameSite::Strict);
        if strict {
            let lifetime = cookie.lifetime(self.now);
            outcome.strict_session = Some(lifetime.map(|seconds| seconds.min(verdict.lifetime.unwrap_or(seconds))));
        }
        let line = cookie::edit(cookie, &edits, self.now);
        let changes = |edits| matches!(cookie::edit(cookie, edits, self.now), Cow::Owned(_));
        // Few session cookies outlive what the policy says, so that most lines are edited once.
        let (action, rule, capped) = match &line {
            Cow::Borrowed(_) => (FindingAction::Keep, Some(rule), None),
            Cow::Owned(_) if verdict.lifetime.is_none() || !changes(&capped) => {
                (FindingAction::Harden, Some(rule), None)
            }
            Cow::Owned(_) if !changes(&Edits { cap: None, ..edits }) => (FindingAction::Cap, verdict.rule, None),
            Cow::Owned(_) => (FindingAction::Harden, Some(rule), verdict.rule),
        };
        Decided { line: Some(line), action, rule, capped, left_behind: strict && self.cross_site }
    }

    /// Whether another visitor could get another answer for this cookie.
    fn depends_on_grant(&self, verdict: Verdict) -> bool {
        let parts = self.policy.parts();
        let category = match (verdict.classified, parts.unclassified) {
            (Some(found), _) => Some(found.owner.category),
            (None, Unclassified::Category(category)) if verdict.rule.is_none() => Some(category),
            (None, _) => None,
        };
        let asked = category.and_then(|id| parts.categories.get(usize::from(id.0))).is_some_and(|c| !c.required);
        self.apply && (verdict.action == Action::Strip || asked)
    }

    fn drop_set_cookie2(&self, headers: &mut HeaderMap, outcome: &mut Outcome, witness: &mut dyn Witness) {
        if !headers.contains_key(SET_COOKIE2) {
            return;
        }
        for line in headers.get_all(SET_COOKIE2) {
            let name = SetCookie::parse(line.as_bytes()).name();
            witness.see(&Sighting::new(FindingKind::Cookie, name, None, None, FindingAction::Strip));
        }
        if self.apply && headers.remove(SET_COOKIE2).is_some() {
            outcome.personal = true;
        }
    }
}

/// Only what changes where the browser keeps a cookie.
fn moved(hardening: Hardening) -> Edits {
    Edits { remove_domain: hardening.host_only, host_prefix: hardening.host_prefix, ..Edits::default() }
}
