//! The table of findings, and which of its rows somebody asks for.

use http::Uri;
use serde::Serialize;
use serde_json::{Value, json};

use super::View;
use super::query::Query;
use crate::policy::{FindingAction, FindingKind};
use crate::telemetry::findings::{Known, Row};
use crate::telemetry::paste;

/// `?site=&kind=&action=&unclassified`; what is empty asks for all.
pub(super) struct Filter {
    query: Query,
    site: Option<String>,
    kind: Option<FindingKind>,
    action: Option<FindingAction>,
    unclassified: Option<bool>,
}

impl Filter {
    /// # Errors
    /// In words, if a parameter or its value is not known.
    pub(super) fn read(uri: &Uri) -> Result<Self, String> {
        use FindingAction::{Cap, Expire, Harden, Keep, Strip};
        let query = Query::read(uri, &["site", "kind", "action", "unclassified"])?;
        let kinds = [FindingKind::Cookie, FindingKind::Tag, FindingKind::Snippet, FindingKind::Storage]
            .map(|kind| (kind.word(), Some(kind)));
        let actions = [Keep, Strip, Harden, Cap, Expire].map(|action| (action.word(), Some(action)));
        let all = [("", None)];
        Ok(Self {
            site: query.one("site")?.filter(|site| !site.is_empty()).map(str::to_owned),
            kind: query.word("kind", &[&all[..], &kinds].concat())?.flatten(),
            action: query.word("action", &[&[("", None)][..], &actions].concat())?.flatten(),
            unclassified: query.word("unclassified", &[("", true), ("true", true), ("false", false)])?,
            query,
        })
    }

    pub(super) fn takes(&self, row: &Row) -> bool {
        self.is_of(&row.site)
            && self.kind.is_none_or(|kind| row.kind == kind)
            && self.action.is_none_or(|action| row.action == action)
            && self.unclassified.is_none_or(|unclassified| (row.known == Known::Nobody) == unclassified)
    }

    pub(super) fn is_of(&self, site: &str) -> bool {
        self.site.as_deref().is_none_or(|asked| site == asked)
    }

    /// A parameter as it was given.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.query.all(name).next()
    }
}

/// All rows, or those that the query asks for; with YAML that declares what nobody knows.
pub(super) fn findings(view: &View, uri: &Uri) -> Result<Value, String> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        row: &'a Row,
        #[serde(skip_serializing_if = "Option::is_none")]
        paste: Option<String>,
    }
    let filter = Filter::read(uri)?;
    let report = view.told.book.report();
    let asked = report.rows.iter().filter(|row| filter.takes(row));
    let rows: Vec<_> = asked.map(|row| Shown { row, paste: pasted(view, row) }).collect();
    let risks: Vec<_> = risks(&report.rows).filter(|risk| filter.is_of(&risk.site)).collect();
    Ok(json!({ "overflow": report.overflow, "strict_risks": risks, "findings": rows }))
}

/// A session cookie that was set `SameSite=Strict` in answer to a visitor who came from another site, and that the
/// browser keeps back when that visitor comes so again.
#[derive(Serialize)]
pub(super) struct Risk {
    pub(super) site: Box<str>,
    pub(super) name: Box<str>,
    /// How often.
    pub(super) count: u64,
    /// When it was last seen.
    pub(super) last: i64,
    /// On which page.
    pub(super) last_page: Box<str>,
    /// Whether it was done, or would be.
    pub(super) applied: bool,
    /// What makes an exception.
    pub(super) paste: String,
}

/// Of all these rows.
pub(super) fn risks(rows: &[Row]) -> impl Iterator<Item = Risk> {
    rows.iter().filter(|row| row.left_behind > 0).map(|row| Risk {
        site: row.site.clone(),
        name: row.name.clone(),
        count: row.left_behind,
        last: row.last,
        last_page: row.last_page.clone(),
        applied: row.applied,
        paste: paste::relax(&row.name),
    })
}

/// What declares it, for what nobody knows.
pub(super) fn pasted(view: &View, row: &Row) -> Option<String> {
    let config = view.config();
    let site = config.sites.iter().find(|site| site.name == row.site)?;
    (row.known == Known::Nobody).then(|| paste::unknown(&site.policy, row.kind, &row.name))
}
