//! Holds the reference file to the readers.

use std::collections::BTreeMap;

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
