//! A piece of policy that declares what was seen, ready to paste: valid YAML whatever the name.

use std::fmt::Write as _;

use crate::policy::{Category, FindingKind, Policy};

/// The text that declares a cookie or tag which nobody knows. It never guesses that something is necessary: the
/// category is the first that visitors choose, and a comment names the others.
pub fn unknown(policy: &Policy, kind: FindingKind, name: &str) -> String {
    let category = category(policy);
    match kind {
        FindingKind::Cookie => format!("cookies:\n  {}:\n    {category}", quoted(&pattern(name))),
        // Keys that nobody knows are left alone, and so are not found.
        FindingKind::Tag | FindingKind::Snippet | FindingKind::Storage => {
            format!("services:\n  {}:\n    {category}    hosts: [{}]\n", service_key(policy, name), quoted(name))
        }
    }
}

/// The text that declares a service of the catalogue.
pub fn known(policy: &Policy, service: &str) -> String {
    let mut text = format!("services:\n  {}:\n    uses: {}\n", service_key(policy, service), quoted(service));
    let word = policy.catalogue().service(service).map_or("", |known| &*known.category);
    let takes = |category: &Category| &*category.id == word || category.catalogue.iter().any(|taken| &**taken == word);
    if !policy.parts().categories.iter().any(takes) {
        let _ = write!(text, "    {}", category(policy));
    }
    text
}

/// The text that declares a session cookie of a known stack.
pub fn session(policy: &Policy, name: &str) -> String {
    let required = policy.parts().categories.iter().find(|category| category.required);
    let category = required.map_or_else(|| category(policy), |required| format!("category: {}\n", required.id));
    format!("cookies:\n  {}:\n    {category}", quoted(&pattern(name)))
}

/// The text that makes an exception for a session cookie which visitors need who come from another site.
pub fn relax(name: &str) -> String {
    format!("sessions:\n  cookies:\n    {}: {{ same_site: lax }}\n", quoted(&pattern(name)))
}

/// A line with a category, and which others there are.
fn category(policy: &Policy) -> String {
    let categories = &policy.parts().categories;
    let chosen = categories.iter().find(|category| !category.required).or_else(|| categories.first());
    let Some(chosen) = chosen else { return "category: necessary\n".into() };
    let others: Vec<_> = categories.iter().filter(|other| other.id != chosen.id).map(|other| &*other.id).collect();
    match &*others {
        [] => format!("category: {}\n", chosen.id),
        others => format!("category: {}   # or {}\n", chosen.id, others.join(", ")),
    }
}

/// The pattern that matches this name and, where the name is whole, no other.
fn pattern(name: &str) -> String {
    // Told names are cut at this length, and what cannot be printed was replaced.
    let cut = name.len() >= crate::policy::Finding::MAX_NAME - 3;
    let replaced = name.contains('\u{fffd}');
    if !replaced && !name.starts_with('^') && !name.contains('*') && !name.is_empty() {
        return if cut { format!("{name}*") } else { name.to_owned() };
    }
    let text = regex::escape(name).replace('\u{fffd}', ".+");
    if cut { format!("^{text}") } else { format!("^{text}$") }
}

/// A key that no service of the policy has yet: a token that begins with a letter.
fn service_key(policy: &Policy, name: &str) -> String {
    let mut key: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
        key.insert_str(0, "host-");
    }
    let taken = |key: &str| policy.service_named(key).is_some() || policy.category_named(key).is_some();
    let mut free = key.clone();
    let mut number = 2;
    while taken(&free) {
        free = format!("{key}-{number}");
        number += 1;
    }
    // `null` and `true` are words of YAML.
    quoted(&free)
}

/// A double-quoted scalar (YAML 1.2.2 §7.3.1), in ASCII.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            ' '..='~' => write!(out, "{c}"),
            c if u32::from(c) <= 0xffff => write!(out, "\\u{:04X}", u32::from(c)),
            c => write!(out, "\\U{:08X}", u32::from(c)),
        };
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{self, CertificateFiles, Config};
    use crate::policy::{Finding, Rule};

    fn config(policy: &str) -> Config {
        let policy: String = policy.lines().map(|line| format!("      {line}\n")).collect();
        let text =
            format!("listen: 0.0.0.0:443\nsites:\n  - host: a.example\n    origin: http://b\n    policy:\n{policy}");
        match config::parse(&text, "test.yaml", Path::new(""), 0, CertificateFiles::Skip) {
            Ok((config, _)) => config,
            Err(problems) => panic!("{text}\n{}", problems.iter().map(|p| p.render(false)).collect::<String>()),
        }
    }

    const CATEGORIES: &str = "version: 1\ncategories: { necessary: {}, stats: {}, ads: {} }\n";

    #[test]
    fn a_pasted_cookie_is_declared_whatever_its_name() {
        let before = config(CATEGORIES);
        let policy = &before.sites[0].policy;
        let long = "n".repeat(400);
        for name in [
            "_pk_id",
            "true",
            "null",
            "123",
            "a b",
            "a:b",
            "# no",
            "- x",
            "*",
            "x*",
            "a*b",
            "^x",
            "^",
            "a\"b",
            "a\\b",
            "'",
            "{}",
            "[",
            "&a",
            "!x",
            "%41",
            "é",
            "😀",
            "a\u{85}b",
            "\u{feff}",
            "~",
            "a\tb",
            "a.b",
            "x\u{fffd}y",
            &long,
        ] {
            let shown = Finding::name(name.as_bytes());
            let after = config(&format!("{CATEGORIES}{}", unknown(policy, FindingKind::Cookie, &shown)));
            let policy = &after.sites[0].policy;
            let found = policy.cookie(name.as_bytes()).unwrap_or_else(|| panic!("{name:?}"));
            assert!(matches!(found.rule, Rule::Site(_)), "{name:?}");
            assert_eq!(&*policy.category(found.owner.category).id, "stats", "never guessed to be necessary");
            if !name.contains('\u{fffd}') {
                assert!(policy.cookie(b"zz").is_none(), "{name:?} was made to match everything");
            }
        }
    }

    #[test]
    fn a_pasted_tag_is_declared() {
        let before = config(CATEGORIES);
        for host in ["cdn.example", "1.2.3.4", "[2001:db8::1]", "null", "stats", "xn--bcher-kva.example"] {
            let after = config(&format!("{CATEGORIES}{}", unknown(&before.sites[0].policy, FindingKind::Tag, host)));
            let url = url::Url::parse(&format!("https://{host}/x.js")).unwrap();
            assert!(after.sites[0].policy.tag(&url).is_some(), "{host}");
        }
    }

    #[test]
    fn a_pasted_service_is_declared() {
        let before = config(CATEGORIES);
        let pasted = known(&before.sites[0].policy, "google-analytics");
        let after = config(&format!("{CATEGORIES}{pasted}"));
        assert!(after.sites[0].policy.cookie(b"_ga").unwrap().owner.service.is_some());
        let pasted = session(&before.sites[0].policy, "PHPSESSID");
        let after = config(&format!("{CATEGORIES}{pasted}"));
        assert!(matches!(after.sites[0].policy.cookie(b"PHPSESSID").unwrap().rule, Rule::Site(_)));
        let after = config(&format!("{CATEGORIES}{}", relax("PHPSESSID")));
        let (hardening, _) = after.sites[0].policy.session(b"PHPSESSID").unwrap();
        assert_eq!(hardening.same_site, Some(crate::policy::SameSite::Lax));
    }
}
