//! A small policy for this room's tests.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::policy::*;

const NECESSARY: CategoryId = CategoryId(0);
const ANALYTICS: CategoryId = CategoryId(1);
const MARKETING: CategoryId = CategoryId(2);

pub(super) fn policy() -> Policy {
    compile(parts())
}

pub(super) fn compile(parts: PolicyParts) -> Policy {
    Policy::compile(parts, Arc::new(Catalogue::compile(CatalogueParts::default())))
}

pub(super) fn grant(categories: &[u8]) -> Grant {
    let mut grant = Grant::none();
    categories.iter().for_each(|id| grant.grant_category(CategoryId(*id)));
    grant
}

pub(super) fn head(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// All lines in order of names; those of one name in their order.
pub(super) fn lines(headers: &HeaderMap) -> Vec<String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
    lines.sort_by(|a, b| a.split(':').next().cmp(&b.split(':').next()));
    lines
}

/// `sid` is a session cookie, `csrf` one that scripts read, `app` gets `__Host-`; `lang` is necessary for a day.
pub(super) fn parts() -> PolicyParts {
    let full = Hardening::FULL;
    PolicyParts {
        version: 1,
        categories: vec![category("necessary", true), category("analytics", false), category("marketing", false)],
        services: vec![
            service("ga", ANALYTICS, "_ga*", "*.ga.example"),
            service("ads", MARKETING, "_fbp", "ads.example"),
        ],
        cookies: vec![
            cookie("sid", None),
            cookie("csrf", None),
            cookie("app", None),
            cookie("cart", None),
            cookie("lang", Some(86400)),
        ],
        sessions: vec![
            session("sid", full),
            session("csrf", Hardening { http_only: false, same_site: Some(SameSite::Lax), ..full }),
            session("app", Hardening { host_prefix: true, host_only: true, ..full }),
        ],
        sources: vec![RuleSource { file: "policy.yaml".into(), line: 1, text: "".into() }],
        ..Default::default()
    }
}

fn category(id: &str, required: bool) -> Category {
    Category {
        id: id.into(),
        label: id.into(),
        purpose: "".into(),
        required,
        gpc: !required,
        dnt: false,
        lifetime: None,
        catalogue: vec![id.into()],
        ..Default::default()
    }
}

fn service(id: &str, category: CategoryId, name: &str, host: &str) -> Service {
    let rule = RuleId(0);
    Service {
        id: id.into(),
        label: id.into(),
        vendor: "".into(),
        purpose: "".into(),
        category,
        lifetime: None,
        privacy: None,
        opt_out: None,
        uses: None,
        cookies: vec![CookieRule { pattern: NamePattern::parse(name).unwrap(), category: None, lifetime: None, rule }],
        storage: vec![],
        tags: vec![TagRule { pattern: HostPattern::parse(host).unwrap(), rule }],
        snippets: vec![],
        ..Default::default()
    }
}

fn cookie(name: &str, lifetime: Option<u64>) -> CookieRule {
    CookieRule {
        pattern: NamePattern::parse(name).unwrap(),
        category: Some(NECESSARY),
        lifetime: lifetime.map(Into::into),
        rule: RuleId(0),
    }
}

fn session(name: &str, hardening: Hardening) -> SessionRule {
    SessionRule { pattern: NamePattern::parse(name).unwrap(), hardening: Some(hardening), rule: RuleId(0) }
}
