//! Holds the reference file to the readers.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const REFERENCE: &str = include_str!("../../config/consentry.yaml");

/// The reference with every `#key:` alive.
fn uncommented() -> String {
    let alive = |line: &str| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        match rest.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{indent}{key}\n"),
            _ => format!("{line}\n"),
        }
    };
    REFERENCE.lines().map(alive).collect()
}

/// The config, and which keys were asked for and found; names that the operator chooses become `*`.
fn read_reference(text: &str) -> (Config, BTreeMap<String, bool>) {
    let problems = Problems::default();
    let source = Arc::new(Source::new("consentry.yaml", text));
    let config = read(&source, &Certificates::new(0, true), &problems);
    let mut keys = BTreeMap::new();
    for (path, found) in problems.asked.take() {
        let mut schema: Vec<&str> = Vec::new();
        for part in path.split('.') {
            let chosen = matches!(schema.last(), Some(&("services" | "categories" | "cookies")));
            schema.push(if chosen { "*" } else { part });
        }
        *keys.entry(schema.join(".")).or_default() |= found;
    }
    let list = problems.into_list();
    assert!(list.is_empty(), "{list:?}");
    (config.unwrap(), keys)
}

#[test]
fn reference_has_every_key() {
    let (_, keys) = read_reference(&uncommented());
    assert!(keys.len() > 80, "only {} keys were asked for", keys.len());
    let missing: Vec<_> = keys.iter().filter(|(_, found)| !**found).map(|(key, _)| key).collect();
    assert!(missing.is_empty(), "not in config/consentry.yaml: {missing:?}");
}

#[test]
fn reference_tells_the_defaults() {
    let (written, _) = read_reference(&uncommented());
    let (mut left_out, _) = read_reference(REFERENCE);
    // Indices of a compiled policy have no order of their own, so it is compared by what it was made from.
    let parts = [&written, &left_out].map(|config| format!("{:#?}", config.sites[0].policy.parts()));
    Arc::get_mut(&mut left_out.sites[0]).unwrap().policy = written.sites[0].policy.clone();
    for [written, left_out] in [parts, [&written, &left_out].map(|config| format!("{config:#?}"))] {
        assert_eq!(written.lines().count(), left_out.lines().count());
        // `text` is a rule in the words of the file, which are others.
        let differs = |(a, b): &(&str, &str)| a != b && !a.trim_start().starts_with("text: ");
        let differences: Vec<_> = written.lines().zip(left_out.lines()).filter(differs).collect();
        assert!(differences.is_empty(), "in the file, by default: {differences:#?}");
    }
}

/// `schema.json` knows just the keys that the readers ask for.
#[test]
fn schema_has_every_key_and_no_other() {
    let mut text = uncommented();
    for (short, long) in [
        ("hsts: ", "hsts: { max_age: 1 year, include_subdomains: false, preload: false }"),
        ("listen: 0.0.0.0:443", "listen: { address: 0.0.0.0:443, proxy_protocol: false }"),
        ("\nredirect:", "\nredirect: { address: 0.0.0.0:80, proxy_protocol: 192.0.2.1 }"),
        ("    origin: http://127.0.0.1:8080", "    origin: { url: 'http://127.0.0.1:8080', weight: 2 }"),
        (
            "    health:",
            "    health: { path: /, interval: 1s, timeout: 1s, healthy_after: 1, unhealthy_after: 1, expect_status: 200 }",
        ),
    ] {
        assert!(text.contains(short), "{short}");
        text = text.replacen(short, long, 1);
    }
    let (_, keys) = read_reference(&text);
    let read: BTreeSet<String> = keys.into_keys().map(|key| key.trim_start_matches('.').to_owned()).collect();
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let mut written = BTreeSet::new();
    keys_of(&schema, &schema, "", &mut written);
    // One, or a list of them: the keys are the same.
    let one = |key: &String| !["listen[0]", "redirect[0]", "origin[0]"].iter().any(|many| key.contains(many));
    written.retain(one);
    assert!(read.len() > 90 && read.contains("sites[0].headers.hsts.max_age"), "{read:?}");
    let differs: Vec<_> = read.symmetric_difference(&written).collect();
    assert!(differs.is_empty(), "in config/schema.json or in the readers, and not in both: {differs:?}");
}

/// Walks `properties` as the readers walk a file; names that the operator chooses become `*`.
fn keys_of(schema: &serde_json::Value, part: &serde_json::Value, path: &str, keys: &mut BTreeSet<String>) {
    if !part.is_object() {
        return;
    }
    if let Some(name) = part["$ref"].as_str() {
        let target = schema.pointer(name.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("no {name}"));
        return keys_of(schema, target, path, keys);
    }
    for choice in part["anyOf"].as_array().into_iter().flatten() {
        keys_of(schema, choice, path, keys);
    }
    for (key, value) in part["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        keys_of(schema, value, &path, keys);
        keys.insert(path.trim_start_matches('.').to_owned());
    }
    if part["properties"].is_object() {
        assert_eq!(part["additionalProperties"], false, "{path} would take any key");
    } else {
        keys_of(schema, &part["additionalProperties"], &format!("{path}.*"), keys);
    }
    keys_of(schema, &part["items"], &format!("{path}[0]"), keys);
}

#[test]
fn the_order_of_the_file_decides_between_equals() {
    let categories = "necessary: { label: N, purpose: N., required: true }, analytics: { label: A, purpose: A. }";
    let sections = [
        "services: { a: { label: A, vendor: A, purpose: A., category: analytics, cookies: { x: 1 day, 'p*': 1 day, '^r.*': 1 day } } }",
        "cookies: { x: { category: necessary }, 'p*': { category: necessary }, '^r[0-9]': { category: necessary } }",
    ];
    let category = |sections: [&str; 2], name: &str| {
        let policy = format!("      categories: {{ {categories} }}\n      {}\n      {}\n", sections[0], sections[1]);
        let text = format!(
            "listen: 127.0.0.1:0\nsites:\n  - host: a.example\n    origin: http://127.0.0.1\n    policy:\n{policy}"
        );
        let (config, _) = parse(&text, "a.yaml", Path::new(""), 0, CertificateFiles::Skip).unwrap();
        let policy = &config.sites[0].policy;
        let found = policy.judge_cookie(&crate::policy::Grant::none(), name.as_bytes()).classified.unwrap();
        policy.category(found.owner.category).id.to_string()
    };
    for name in ["x", "p1", "r1"] {
        assert_eq!(category(sections, name), "analytics");
        assert_eq!(category([sections[1], sections[0]], name), "necessary", "{name}");
    }
}

#[test]
fn a_site_answers_to_its_hosts_whatever_the_port() {
    let text = "listen: 127.0.0.1:0\nsites:\n  - host: [shop.example, '*.shop.example']\n    origin: http://127.0.0.1\n    policy: standard\n";
    let (config, _) = parse(text, "a.yaml", Path::new(""), 0, CertificateFiles::Skip).unwrap();
    for (authority, own) in [
        ("shop.example", true),
        ("SHOP.example:8443", true),
        ("www.shop.example", true),
        ("a.www.shop.example", false),
        ("shop.example.org", false),
        ("[::1]:80", false),
        ("", false),
    ] {
        assert_eq!(config.sites[0].answers_to(authority), own, "{authority}");
    }
}
