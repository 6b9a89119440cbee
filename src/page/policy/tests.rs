//! What readers of the published policy find, read from its three forms.

use std::sync::Arc;

use super::*;
use crate::policy::{
    Catalogue, CatalogueParts, CatalogueService, Category, CategoryId, Change, CookieRule, NamePattern, PolicyParts,
    Region, RegionalLink, RuleId, Service, StorageRule, Term, Translation,
};

fn rule(pattern: &str, lifetime: Option<u64>, category: Option<u8>) -> CookieRule {
    let pattern = NamePattern::parse(pattern).unwrap();
    CookieRule { pattern, category: category.map(CategoryId), lifetime: lifetime.map(Term::from), rule: RuleId(0) }
}

fn catalogue() -> Catalogue {
    Catalogue::compile(CatalogueParts {
        services: vec![CatalogueService {
            id: "counter".into(),
            label: "Counter".into(),
            vendor: "Count & Co".into(),
            purpose: "Counts.".into(),
            category: "analytics".into(),
            iab_vendor: None,
            privacy: None,
            opt_out: None,
            cookies: vec![rule("_ga", Some(63_072_000), None), rule("_gid", Some(63_072_000), None)],
            storage: vec![StorageRule { pattern: NamePattern::parse("_store*").unwrap(), rule: RuleId(0) }],
            tags: vec![],
            snippets: vec![],
        }],
        ..CatalogueParts::default()
    })
}

fn parts() -> PolicyParts {
    let category = |id: &str, required| Category { id: id.into(), label: id.into(), required, ..Category::default() };
    let link = |region, url: &str| RegionalLink { region: Region::parse(region).unwrap(), url: url.into() };
    PolicyParts {
        version: 4,
        effective: Some("2026-02-01".into()),
        choice_lifetime: 86_400 * 180,
        categories: vec![
            category("essential", true),
            Category {
                gpc: true,
                lifetime: Some(Term::from(31_536_000)),
                labels: vec![Translation { language: "de".into(), text: "Messung".into() }],
                ..category("analytics", false)
            },
            Category {
                gpc: true,
                opt_out_by_region: vec![link("US", "https://us.example/"), link("EU", "javascript:alert(1)")],
                ..category("ads", false)
            },
        ],
        services: vec![Service {
            id: "counter".into(),
            label: "Counter <b>".into(),
            vendor: "Count & Co".into(),
            category: CategoryId(1),
            uses: Some("counter".into()),
            privacy: Some("https://counter.example/privacy".into()),
            data: vec!["IP address".into()],
            cookies: vec![rule("_ga", Some(0), Some(0)), rule("_count|x*", Some(86_400), None)],
            ..Service::default()
        }],
        cookies: vec![rule("lang", Some(2_592_000), Some(0))],
        changes: vec![Change {
            version: 4,
            date: Some("2026-02-01".into()),
            text: "Now *with* maps.".into(),
            texts: vec![],
        }],
        ..PolicyParts::default()
    }
}

fn about() -> About<'static> {
    About {
        site: "shop.example",
        prefix: "/_consent/",
        choice_cookie: "__Host-c",
        marker: None,
        seen: None,
        effective: None,
        language: "en",
        named: false,
        texts: Texts::of("en"),
        country: None,
    }
}

#[test]
fn each_cookie_stands_where_it_is_decided_on() {
    let policy = Policy::compile(parts(), Arc::new(catalogue()));
    let page = PolicyPage::new(&policy, About { language: "de-AT", ..about() });
    let seen: Vec<_> = page
        .categories
        .iter()
        .flat_map(|c| {
            c.services.iter().flat_map(move |s| s.cookies.iter().map(move |k| (c.label, &*k.name, k.catalogue)))
        })
        .collect();
    // The catalogue's `_ga` is the policy's own business, and its `_gid` lives no longer than the category says.
    let expected = [("essential", "_ga", false), ("Messung", "_count|x*", false), ("Messung", "_gid", true)];
    assert_eq!(seen, expected);
    let service = &page.categories[1].services[0];
    assert_eq!(service.cookies[1].lifetime.as_ref().map(|lifetime| lifetime.seconds), Some(31_536_000));
    assert_eq!(service.storage, ["_store*"]);
}

#[test]
fn page_says_what_a_policy_must() {
    let policy = Policy::compile(parts(), Arc::new(catalogue()));
    let html = PolicyPage::new(&policy, about()).html();
    for part in [
        "href=\"/_consent/\">Cookie settings</a>",
        "Last update: 1 February 2026, version 4",
        "<td><code dir=\"ltr\">_ga</code></td><td>until you close the browser</td>",
        "<td><code dir=\"ltr\">_count|x…</code></td><td>1 day</td>",
        "<a href=\"https://counter.example/privacy\" rel=\"noopener noreferrer\">Privacy policy",
        "<a href=\"https://us.example/\" rel=\"noopener noreferrer\">Opt out (US)",
        "IP address",
        "It switches off: analytics and ads",
        "<code dir=\"ltr\">DNT</code>): We do not currently respond to it",
        "Now *with* maps.",
        "180 days, in the cookie __Host-c",
    ] {
        assert!(html.contains(part), "{part} is not in\n{html}");
    }
    for browser in ["Chrome", "Firefox", "Safari", "Edge", "iOS", "Android"] {
        assert!(html.contains(&format!("<dt>{browser}")) || html.contains(&format!("({browser})")), "{browser}");
    }
    assert!(!html.contains("javascript:") && !html.contains("Counter <b>") && !html.contains("<script"));
    assert!(html.find("Cookie settings</a>").unwrap() < html.find("<section").unwrap(), "the link stands on top");
}

#[test]
fn markdown_and_json_say_the_same() {
    let policy = Policy::compile(parts(), Arc::new(catalogue()));
    let page = PolicyPage::new(&policy, about());
    let markdown = page.markdown();
    for part in [
        "[Cookie settings](/_consent/)",
        "| Counter \\<b\\> | `_count\\|x*` | 1 day |",
        "| shop.example | `lang` | 30 days |",
        "- Version 4 (1 February 2026): Now \\*with\\* maps.",
        "## essential (Always active)",
    ] {
        assert!(markdown.contains(part), "{part} is not in\n{markdown}");
    }
    let json: serde_json::Value = serde_json::from_str(&page.json()).unwrap();
    assert_eq!((&json["version"], &json["effective"]), (&4.into(), &"2026-02-01".into()));
    assert_eq!(json["categories"][1]["services"][0]["cookies"][0]["name"], "_count|x*");
    assert_eq!(json["categories"][1]["services"][0]["cookies"][0]["lifetime"]["seconds"], 86_400);
    assert_eq!(json["gpc"].to_string(), "[\"analytics\",\"ads\"]");
}

#[test]
fn lifetimes_are_said_as_the_policy_says_them() {
    let mut parts = parts();
    for said in [[0, 12, 0, 0, 0, 0, 0], [0, 13, 0, 0, 0, 0, 0], [2, 3, 0, 4, 0, 0, 0], [0, 0, 52, 0, 0, 0, 0]] {
        let lifetime = Some(Term::of(said));
        parts.cookies.push(CookieRule { lifetime, ..rule(&format!("{said:?}"), None, Some(0)) });
    }
    parts.choice_term = Some(Term::of([0, 6, 0, 0, 0, 0, 0]));
    let policy = Policy::compile(parts, Arc::new(catalogue()));
    for (language, all) in [
        ("en", ["12 months", "13 months", "2 years, 3 months and 4 days", "52 weeks", "6 months"]),
        ("de", ["12 Monate", "13 Monate", "2 Jahre, 3 Monate und 4 Tage", "52 Wochen", "6 Monate"]),
        ("pl", ["12 miesięcy", "13 miesięcy", "2 lata, 3 miesiące i 4 dni", "52 tygodnie", "6 miesięcy"]),
    ] {
        let page = PolicyPage::new(&policy, About { language, texts: Texts::of(language), ..about() });
        for form in [page.html(), page.markdown(), page.json()] {
            assert!(all.iter().all(|words| form.contains(words)), "{all:?} are not in\n{form}");
        }
    }
}
