//! Holds what was seen against the policy of now, thing by thing, and then looks for what was not seen.

use std::collections::HashSet;

use url::Url;

use super::{Drift, Kind};
use crate::page::texts::Texts;
use crate::policy::{
    Action, CatalogueService, CookieRule, FindingKind, Grant, Hardening, Policy, Rule, SameSite, Verdict,
};
use crate::telemetry::findings::{Known, Lines, Row};
use crate::telemetry::paste;

/// All rows of one name.
pub(super) struct Thing<'a> {
    row: &'a Row,
    count: u64,
    first: (i64, &'a str),
    last: (i64, &'a str),
    lines: Lines,
    left_behind: u64,
}

impl<'a> Thing<'a> {
    pub(super) fn new(row: &'a Row) -> Self {
        Self {
            row,
            count: row.count,
            first: (row.first, &row.first_page),
            last: (row.last, &row.last_page),
            lines: row.lines,
            left_behind: row.left_behind,
        }
    }

    pub(super) fn add(&mut self, row: &'a Row) {
        self.count += row.count;
        self.first = self.first.min((row.first, &row.first_page));
        self.last = self.last.max((row.last, &row.last_page));
        self.lines.merge(&row.lines);
        self.left_behind += row.left_behind;
    }

    fn seen(&self) -> String {
        let (first, last) = (self.first.1, self.last.1);
        let pages = if first == last { format!("on {first}") } else { format!("first on {first}, lately on {last}") };
        format!("seen {}, {pages}", times(self.count))
    }
}

/// The comparison so far.
pub(super) struct Comparing<'a> {
    site: &'a str,
    policy: &'a Policy,
    /// Rules of the site of which something was seen.
    seen: HashSet<u32>,
    /// And services.
    services: HashSet<Box<str>>,
    drift: Vec<Drift>,
}

impl<'a> Comparing<'a> {
    pub(super) fn new(site: &'a str, policy: &'a Policy) -> Self {
        Self { site, policy, seen: HashSet::new(), services: HashSet::new(), drift: Vec::new() }
    }

    /// What is left to tell once everything that was seen is known.
    pub(super) fn end(mut self) -> Vec<Drift> {
        self.never_seen();
        self.drift
    }

    pub(super) fn thing(&mut self, thing: &Thing<'_>) {
        let verdict = self.judge(thing.row);
        if let Some(Rule::Site(rule)) = verdict.rule {
            self.seen.insert(rule.0);
        }
        let owner = verdict.classified.map(|found| found.owner);
        let declared = owner.and_then(|owner| owner.service).map(|id| self.policy.service(id).id.clone());
        let known = match (verdict.rule, &declared) {
            (Some(Rule::Site(_)), _) | (_, Some(_)) => Known::Declared,
            (Some(Rule::Catalogue(_)), None) => Known::Catalogue,
            // A tag by its path, or names told together by their pattern: only who saw them could tell.
            (None, None) => thing.row.known,
        };
        let of_catalogue = match verdict.rule {
            Some(Rule::Catalogue(rule)) => self.policy.catalogue().service_of(rule),
            _ => None,
        };
        let service = declared
            .or_else(|| of_catalogue.map(|known| known.id.clone()))
            .or_else(|| thing.row.service.clone().filter(|_| verdict.rule.is_none()));
        self.services.extend(service.clone());
        let category = owner.map(|owner| self.policy.category(owner.category));
        let mut told = Drift {
            site: self.site.into(),
            drift: Kind::Undeclared,
            kind: thing.row.kind.word().into(),
            name: thing.row.name.clone(),
            category: category.map(|category| category.id.clone()),
            count: thing.count,
            text: String::new(),
            paste: None,
            service,
        };
        if known != Known::Declared {
            (told.text, told.paste) = self.undeclared(thing, known, told.service.as_deref());
            self.drift.push(told.clone());
            told.paste = None;
        }
        if category.is_some_and(|category| category.required)
            && let Some(tracker) = self.tracker(thing.row)
        {
            let category = told.category.as_deref().unwrap_or_default();
            let text = format!(
                "the catalogue knows it as {} ({}), and `{category}` is never asked about",
                tracker.label, tracker.category
            );
            self.drift.push(Drift { drift: Kind::TrackerInNecessary, text, ..told.clone() });
        }
        if thing.row.kind == FindingKind::Cookie {
            self.cookie(thing, verdict, &told);
        }
    }

    fn judge(&self, row: &Row) -> Verdict {
        let none = Grant::none();
        match row.kind {
            FindingKind::Cookie => self.policy.judge_cookie(&none, row.name.as_bytes()),
            FindingKind::Storage => self.policy.judge_storage(&none, &row.name),
            FindingKind::Tag if let Ok(url) = Url::parse(&format!("https://{}/", row.name)) => {
                self.policy.judge_tag(&none, &url)
            }
            _ => Verdict { action: Action::Keep, classified: None, rule: None, lifetime: None },
        }
    }

    fn undeclared(&self, thing: &Thing<'_>, known: Known, service: Option<&str>) -> (String, Option<String>) {
        let seen = thing.seen();
        let service = service.and_then(|id| self.policy.catalogue().service(id));
        match (known, service) {
            (Known::Catalogue, Some(known)) => (
                format!("{seen}; the catalogue knows it as {} ({})", known.label, known.category),
                Some(paste::known(self.policy, &known.id)),
            ),
            (Known::Catalogue, None) => (
                format!("{seen}; the catalogue knows it as a session cookie"),
                Some(paste::session(self.policy, &thing.row.name)),
            ),
            _ => {
                (format!("{seen}; nobody knows it"), Some(paste::unknown(self.policy, thing.row.kind, &thing.row.name)))
            }
        }
    }

    /// A service for analytics or marketing that is behind it.
    fn tracker(&self, row: &Row) -> Option<&CatalogueService> {
        let catalogue = self.policy.catalogue();
        let (service, _) = match row.kind {
            FindingKind::Cookie => catalogue.cookie(row.name.as_bytes())?,
            FindingKind::Tag => catalogue.tag(&Url::parse(&format!("https://{}/", row.name)).ok()?)?,
            FindingKind::Storage => catalogue.stored(&row.name)?,
            FindingKind::Snippet => return None,
        };
        matches!(&*service.category, "analytics" | "marketing").then_some(service)
    }

    fn cookie(&mut self, thing: &Thing<'_>, verdict: Verdict, told: &Drift) {
        let lines = &thing.lines;
        if let (Some(declared), Some(longest)) = (verdict.lifetime, lines.longest)
            && longest > declared
        {
            let text = format!("the origin sets it for {}, the policy says {}", life(longest), life(declared));
            self.drift.push(Drift { drift: Kind::Longer, text, ..told.clone() });
        }
        let session = self.policy.session(thing.row.name.as_bytes()).map(|(hardening, _)| hardening);
        if let Some(text) = missing(session, lines) {
            self.drift.push(Drift { drift: Kind::MissingFlags, text, ..told.clone() });
        }
        if thing.left_behind > 0 && session.is_none_or(|hardening| hardening.same_site == Some(SameSite::Strict)) {
            let text = format!(
                "made SameSite=Strict in answer to a navigation from another site, {}; if visitors return so from \
                 signing in or paying, give it `same_site: lax`",
                times(thing.left_behind)
            );
            let paste = Some(paste::relax(&thing.row.name));
            self.drift.push(Drift { drift: Kind::StrictRisk, text, paste, ..told.clone() });
        }
    }

    fn never_seen(&mut self) {
        let policy = self.policy;
        let parts = policy.parts();
        for service in &parts.services {
            for cookie in &service.cookies {
                let category = cookie.category.unwrap_or(service.category);
                self.cookie_never_seen(cookie, Some(&service.id), &policy.category(category).id);
            }
            if service.cookies.is_empty() && !self.services.contains(&service.id) {
                let text = "the policy declares it, and nothing of it was seen".to_owned();
                let category = &policy.category(service.category).id;
                self.drift.push(self.absent("service", &service.id, Some(&service.id), category, text));
            }
        }
        for cookie in &parts.cookies {
            if let Some(category) = cookie.category {
                self.cookie_never_seen(cookie, None, &policy.category(category).id);
            }
        }
    }

    fn cookie_never_seen(&mut self, cookie: &CookieRule, service: Option<&str>, category: &str) {
        if !self.seen.contains(&cookie.rule.0) {
            let text = "the policy declares it, and it was never seen".to_owned();
            self.drift.push(self.absent("cookie", &cookie.pattern.to_string(), service, category, text));
        }
    }

    fn absent(&self, kind: &'static str, name: &str, service: Option<&str>, category: &str, text: String) -> Drift {
        Drift {
            site: self.site.into(),
            drift: Kind::NeverSeen,
            kind: kind.into(),
            name: name.into(),
            service: service.map(Into::into),
            category: Some(category.into()),
            count: 0,
            text,
            paste: None,
        }
    }
}

/// Which attributes the lines lack: what hardening would add, and `Secure` where browsers want it.
fn missing(session: Option<Hardening>, lines: &Lines) -> Option<String> {
    let mut lacks = Vec::new();
    let mut lack = |count: u64, name: &str| {
        if count > 0 {
            lacks.push(format!("{name} ({count} of {} lines)", lines.read));
        }
    };
    if let Some(hardening) = session {
        let same_site = match hardening.same_site {
            Some(SameSite::Strict) => lines.strict,
            Some(SameSite::Lax) => lines.lax + lines.strict,
            Some(SameSite::None) => lines.none,
            None => lines.read,
        };
        if hardening.http_only {
            lack(lines.read - lines.http_only.min(lines.read), "HttpOnly");
        }
        if hardening.secure {
            lack(lines.read - lines.secure.min(lines.read), "Secure");
        }
        let wanted = hardening.same_site.map_or("", SameSite::as_str);
        lack(lines.read - same_site.min(lines.read), &format!("SameSite={wanted}"));
    } else if lines.refused > 0 {
        return Some(format!(
            "the origin sets it with SameSite=None and without Secure, {}: browsers refuse it",
            times(lines.refused)
        ));
    }
    (!lacks.is_empty()).then(|| format!("the origin sets it without {}", lacks.join(", ")))
}

fn life(seconds: u64) -> String {
    if seconds == 0 { "the session".into() } else { Texts::of("en").duration(seconds) }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        count => format!("{count} times"),
    }
}
