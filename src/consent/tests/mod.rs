//! Tests of the whole room, on one small policy.

mod cookie;
mod grant;

use std::sync::Arc;

use super::*;
use crate::cookie::UnixTime;
use crate::policy::*;

const NOW: UnixTime = UnixTime(1_795_305_600);
const DAY: i64 = 86_400;
const ID: ConsentId = ConsentId([7; 16]);
const NECESSARY: CategoryId = CategoryId(0);
const ANALYTICS: CategoryId = CategoryId(1);
const MARKETING: CategoryId = CategoryId(2);
const LOGIN: ServiceId = ServiceId(0);
const GA: ServiceId = ServiceId(1);
const HOTJAR: ServiceId = ServiceId(2);
const META: ServiceId = ServiceId(3);
const NO_SIGNALS: Signals = Signals { gpc: false, dnt: false };

fn category(id: &str, required: bool) -> Category {
    Category {
        id: id.into(),
        label: id.into(),
        purpose: "".into(),
        required,
        gpc: false,
        dnt: false,
        lifetime: None,
        catalogue: vec![],
        ..Default::default()
    }
}

fn service(id: &str, category: CategoryId) -> Service {
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
        cookies: vec![],
        storage: vec![],
        tags: vec![],
        snippets: vec![],
        ..Default::default()
    }
}

fn parts() -> PolicyParts {
    PolicyParts {
        version: 5,
        good_since: 3,
        choice_lifetime: 180 * DAY as u64,
        categories: vec![category("necessary", true), category("analytics", false), category("marketing", false)],
        services: vec![
            service("login", NECESSARY),
            service("google-analytics", ANALYTICS),
            service("hotjar", ANALYTICS),
            service("meta", MARKETING),
        ],
        ..PolicyParts::default()
    }
}

fn compile(parts: PolicyParts) -> Policy {
    Policy::compile(parts, Arc::new(Catalogue::compile(CatalogueParts::default())))
}

fn policy() -> Policy {
    compile(parts())
}

fn policy_with(change: impl FnOnce(&mut PolicyParts)) -> Policy {
    let mut parts = parts();
    change(&mut parts);
    compile(parts)
}

/// What is allowed, in the order: necessary, login, analytics, ga, hotjar, marketing, meta.
fn allowed(grant: &Grant) -> String {
    let all = [
        ('n', NECESSARY, None),
        ('l', NECESSARY, Some(LOGIN)),
        ('A', ANALYTICS, None),
        ('g', ANALYTICS, Some(GA)),
        ('h', ANALYTICS, Some(HOTJAR)),
        ('M', MARKETING, None),
        ('m', MARKETING, Some(META)),
    ];
    all.into_iter()
        .filter(|(_, category, service)| grant.allows(Owner { category: *category, service: *service }))
        .map(|(c, ..)| c)
        .collect()
}
