//! The `Set-Cookie` lines of a response: judged one by one, stripped, capped or hardened, in their order.

use std::borrow::Cow;

use http::header::{Entry, HeaderName, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::cookie::{self, Edits, SameSite, SetCookie, UnixTime};
use crate::policy::{Action, Finding, FindingAction, FindingKind, Grant, Hardening, Policy, Unclassified, Verdict};

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
    /// Whether findings are wanted: each allocates.
    pub(super) report: bool,
}

/// What one line becomes.
struct Decided<'a> {
    /// `None` removes it.
    line: Option<Cow<'a, [u8]>>,
    /// `None` where nobody wants it.
    finding: Option<Finding>,
}

impl Judge<'_> {
    /// Judges all lines; changes them only where verdicts are applied.
    pub(super) fn filter(&self, headers: &mut HeaderMap, findings: &mut Vec<Finding>) -> Outcome {
        let mut outcome = Outcome::default();
        self.drop_set_cookie2(headers, &mut outcome, findings);
        let Entry::Occupied(mut lines) = headers.entry(SET_COOKIE) else { return outcome };
        let mut stripped = false;
        for value in lines.iter_mut() {
            let decided = self.decide(value.as_bytes(), &mut outcome);
            findings.extend(decided.finding);
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

    fn decide<'l>(&self, line: &'l [u8], outcome: &mut Outcome) -> Decided<'l> {
        let cookie = SetCookie::parse(line);
        let name = cookie.name();
        let (verdict, session) = self.policy.judge_set_cookie(self.grant, name);
        outcome.personal |= self.depends_on_grant(verdict);
        let owner = verdict.classified.map(|classified| classified.owner);
        let finding = |action, rule| self.report.then(|| Finding::new(FindingKind::Cookie, name, owner, rule, action));
        if cookie.deletes(self.now) {
            // Deletion is what a refusing visitor wants. Where we moved the cookie, the deletion must follow it.
            outcome.session_deleted |= session.is_some();
            let edits = session.map(|(hardening, _)| moved(hardening)).unwrap_or_default();
            let line = cookie::edit(&cookie, &edits, self.now);
            return Decided { line: Some(line), finding: finding(FindingAction::Keep, verdict.rule) };
        }
        if verdict.action == Action::Strip {
            return Decided { line: None, finding: finding(FindingAction::Strip, verdict.rule) };
        }
        let capped = Edits { cap: verdict.lifetime, ..Edits::default() };
        let Some((hardening, rule)) = session else {
            let line = cookie::edit(&cookie, &capped, self.now);
            let action = if matches!(line, Cow::Owned(_)) { FindingAction::Cap } else { FindingAction::Keep };
            return Decided { line: Some(line), finding: finding(action, verdict.rule) };
        };
        let edits = Edits {
            http_only: hardening.http_only,
            secure: hardening.secure,
            same_site: hardening.same_site,
            cap: verdict.lifetime,
            ..moved(hardening)
        };
        if hardening.same_site == Some(SameSite::Strict) {
            let lifetime = cookie.lifetime(self.now);
            outcome.strict_session = Some(lifetime.map(|seconds| seconds.min(verdict.lifetime.unwrap_or(seconds))));
        }
        let line = cookie::edit(&cookie, &edits, self.now);
        let changes = |edits| matches!(cookie::edit(&cookie, edits, self.now), Cow::Owned(_));
        let finding = match &line {
            _ if !self.report => None,
            Cow::Borrowed(_) => finding(FindingAction::Keep, Some(rule)),
            // Few session cookies outlive what the policy says, so that most lines are edited once.
            Cow::Owned(_) if !changes(&capped) => finding(FindingAction::Harden, Some(rule)),
            Cow::Owned(_) if !changes(&Edits { cap: None, ..edits }) => finding(FindingAction::Cap, verdict.rule),
            Cow::Owned(_) => {
                finding(FindingAction::Harden, Some(rule)).map(|finding| Finding { capped: verdict.rule, ..finding })
            }
        };
        Decided { line: Some(line), finding }
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

    fn drop_set_cookie2(&self, headers: &mut HeaderMap, outcome: &mut Outcome, findings: &mut Vec<Finding>) {
        if !headers.contains_key(SET_COOKIE2) {
            return;
        }
        for line in headers.get_all(SET_COOKIE2) {
            let name = SetCookie::parse(line.as_bytes()).name();
            findings.push(Finding::new(FindingKind::Cookie, name, None, None, FindingAction::Strip));
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
