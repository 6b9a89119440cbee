//! One line of the table of findings: one cookie or tag on one site with which one thing was done.

use serde::{Deserialize, Serialize};

use super::Scene;
use crate::cookie::{SameSite, SetCookie, UnixTime};
use crate::policy::{Finding, FindingAction, FindingKind, Rule, Sighting};

/// One cookie, tag or snippet on one site, and how often the same was done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The name of the site.
    pub site: Box<str>,
    /// What it is.
    pub kind: FindingKind,
    /// The cookie's name, the tag's host or the snippet's service; a rule's pattern for the names that came after
    /// the first few of it.
    pub name: Box<str>,
    /// What was done with it, or would be under `enforce`.
    pub action: FindingAction,
    /// Whether it was done.
    pub applied: bool,
    /// Who knows it.
    pub known: Known,
    /// The key of its service, in the policy or else in the catalogue.
    pub service: Option<Box<str>>,
    /// The key of its category in the policy.
    pub category: Option<Box<str>>,
    /// The pattern of the rule that knows it.
    pub rule: Option<Box<str>>,
    /// How often.
    pub count: u64,
    /// When it was first seen, in seconds since 1970.
    pub first: i64,
    /// When it was last seen.
    pub last: i64,
    /// The path of the page on which it was first seen.
    pub first_page: Box<str>,
    /// The path of a page on which it was seen lately.
    pub last_page: Box<str>,
    /// The longest lifetime that the policy declares for it, in seconds.
    pub declared: Option<u64>,
    /// The lines by which the origin sets it.
    pub lines: Lines,
    /// How often it was made `SameSite=Strict` in answer to a navigation from another site.
    pub left_behind: u64,
}

/// Who knows a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// The site's policy declares it.
    Declared,
    /// The catalogue has it, the policy does not.
    Catalogue,
    /// Nobody: unclassified.
    Nobody,
}

/// What a sample of a cookie's `Set-Cookie` lines said, before anything was changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// How many were read.
    pub read: u64,
    /// The longest lifetime among them, in seconds; `None` where all end with the session.
    pub longest: Option<u64>,
    /// How many had `Secure`.
    pub secure: u64,
    /// How many had `HttpOnly`.
    pub http_only: u64,
    /// How many had `SameSite=Strict`.
    pub strict: u64,
    /// How many had `SameSite=Lax`.
    pub lax: u64,
    /// How many had `SameSite=None`.
    pub none: u64,
    /// How many had `SameSite=None` and no `Secure`: browsers refuse them.
    pub refused: u64,
}

/// Bytes of a path that are kept.
const MAX_PAGE: usize = 128;

impl Row {
    pub(super) fn new(scene: &Scene<'_>, seen: &Sighting<'_>) -> Self {
        let page = page(scene.page);
        let mut row = Self {
            site: scene.site.into(),
            kind: seen.kind,
            name: Finding::name(seen.name),
            action: seen.action,
            applied: scene.applied,
            known: known(seen),
            service: None,
            category: None,
            rule: None,
            count: 0,
            first: scene.now.0,
            last: scene.now.0,
            first_page: page.clone(),
            last_page: page,
            declared: None,
            lines: Lines::default(),
            left_behind: 0,
        };
        row.classify(scene, seen);
        if seen.kind == FindingKind::Snippet && row.name.is_empty() {
            row.name = row.service.clone().unwrap_or_default();
        }
        row
    }

    /// One more of it. Of what is seen often only a sample is looked at closely: that parses and allocates.
    pub(super) fn count(&mut self, scene: &Scene<'_>, seen: &Sighting<'_>) {
        const FIRST: u64 = 16;
        const THEN_ONE_IN: u64 = 1024;
        self.count += 1;
        self.last = scene.now.0;
        self.left_behind += u64::from(seen.left_behind);
        if let Some(line) = seen.line {
            self.lines.longest = self.lines.longest.max(line.lifetime(scene.now));
        }
        if self.count <= FIRST || self.count.is_multiple_of(THEN_ONE_IN) {
            if let Some(line) = seen.line {
                self.lines.read(line, scene.now);
            }
            if self.count > 1 {
                self.classify(scene, seen);
                self.last_page = page(scene.page);
            }
        }
    }

    /// Adds what is told of the same thing elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.left_behind += other.left_behind;
        self.lines.merge(&other.lines);
        if other.first < self.first {
            (self.first, self.first_page) = (other.first, other.first_page);
        }
        if other.last >= self.last {
            (self.last, self.last_page) = (other.last, other.last_page);
            (self.known, self.service, self.category, self.rule) =
                (other.known, other.service, other.category, other.rule);
            (self.declared, self.applied) = (other.declared, other.applied);
        }
    }

    /// Whose it is, by the policy of now.
    fn classify(&mut self, scene: &Scene<'_>, seen: &Sighting<'_>) {
        let policy = scene.policy;
        self.known = known(seen);
        self.applied = scene.applied;
        self.category = seen.owner.map(|owner| policy.category(owner.category).id.clone());
        self.service = match (seen.owner.and_then(|owner| owner.service), seen.rule) {
            (Some(service), _) => Some(policy.service(service).id.clone()),
            (None, Some(Rule::Catalogue(rule))) => policy.catalogue().service_of(rule).map(|known| known.id.clone()),
            _ => None,
        };
        self.rule = seen.rule.map(|rule| {
            let text = &*policy.source(rule).text;
            Finding::name(text.split_once(": ").map_or(text, |(pattern, _)| pattern).as_bytes())
        });
        self.declared = match seen.line {
            Some(_) => policy.cookie(seen.name).and_then(|found| found.lifetime),
            None => self.declared,
        };
    }
}

fn known(seen: &Sighting<'_>) -> Known {
    match (seen.owner.and_then(|owner| owner.service), seen.rule) {
        // What the catalogue knows of a service that the policy `uses` is declared.
        (Some(_), _) | (None, Some(Rule::Site(_))) => Known::Declared,
        (None, Some(Rule::Catalogue(_))) => Known::Catalogue,
        (None, None) => Known::Nobody,
    }
}

fn page(path: &str) -> Box<str> {
    path[..path.floor_char_boundary(MAX_PAGE)].replace(char::is_control, "\u{fffd}").into()
}

impl Lines {
    fn read(&mut self, line: &SetCookie<'_>, now: UnixTime) {
        let same_site = line.same_site();
        let secure = line.is_secure();
        self.read += 1;
        self.longest = self.longest.max(line.lifetime(now));
        self.secure += u64::from(secure);
        self.http_only += u64::from(line.is_http_only());
        match same_site {
            Some(SameSite::Strict) => self.strict += 1,
            Some(SameSite::Lax) => self.lax += 1,
            Some(SameSite::None) => {
                self.none += 1;
                self.refused += u64::from(!secure);
            }
            None => {}
        }
    }

    /// Adds what other lines said.
    pub fn merge(&mut self, other: &Self) {
        self.read += other.read;
        self.longest = self.longest.max(other.longest);
        self.secure += other.secure;
        self.http_only += other.http_only;
        self.strict += other.strict;
        self.lax += other.lax;
        self.none += other.none;
        self.refused += other.refused;
    }
}
