//! The script that deletes stored data of services that are not granted: made for one grant, for the names of the
//! granted ones are nobody's business.

use serde_json::{Value, json};

use super::escape::quote;
use crate::policy::{Grant, NamePattern, Owner, Policy, ServiceId};

/// The path of the script below the prefix.
pub const PATH: &str = "forget.js";

/// The tag that loads it, with a nonce where the page's policy wants one.
pub fn tag(prefix: &str, nonce: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" nonce={}", quote(nonce))).unwrap_or_default();
    format!("<script async=\"\" src={}{nonce}></script>", quote(&format!("{prefix}{PATH}")))
}

/// The script for a visitor with this grant.
pub fn script(policy: &Policy, grant: &Grant) -> String {
    let rules: Vec<Value> = patterns(policy, grant).map(rule).collect();
    format!("{}{});\n", include_str!("assets/forget.js").trim_end(), Value::from(rules))
}

/// Whether it has anything to do.
pub fn is_needed(policy: &Policy, grant: &Grant) -> bool {
    patterns(policy, grant).next().is_some()
}

/// The keys of declared services that are not granted, their entries in the catalogue included.
fn patterns<'p>(policy: &'p Policy, grant: &Grant) -> impl Iterator<Item = &'p NamePattern> {
    let services = (0..).map(ServiceId).zip(&policy.parts().services);
    let refused =
        services.filter(|(id, service)| !grant.allows(Owner { category: service.category, service: Some(*id) }));
    refused.flat_map(|(_, service)| {
        let known = service.uses.as_deref().and_then(|uses| policy.catalogue().service(uses));
        let keys = service.storage.iter().chain(known.into_iter().flat_map(|known| &known.storage));
        keys.map(|key| &key.pattern)
    })
}

fn rule(pattern: &NamePattern) -> Value {
    match pattern {
        NamePattern::Exact(text) => json!(["=", text]),
        NamePattern::Prefix(text) => json!(["^", text]),
        NamePattern::Regex(regex) => json!(["~", regex.as_str()]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::{Catalogue, CatalogueParts, Category, CategoryId, PolicyParts, RuleId, Service, StorageRule};

    #[test]
    fn only_what_is_not_granted_is_named() {
        let pattern = |text: &str| NamePattern::parse(text).unwrap();
        let service = |id: &str, keys: &[&str]| Service {
            id: id.into(),
            category: CategoryId(0),
            storage: keys.iter().map(|key| StorageRule { pattern: pattern(key), rule: RuleId(0) }).collect(),
            ..Service::default()
        };
        let parts = PolicyParts {
            categories: vec![Category { id: "analytics".into(), ..Category::default() }],
            services: vec![service("a", &["_a", "a_*"]), service("b", &["^b[0-9]$", "</script>"])],
            ..PolicyParts::default()
        };
        let policy = Policy::compile(parts, Arc::new(Catalogue::compile(CatalogueParts::default())));
        let mut grant = Grant::none();
        grant.grant_service(ServiceId(0));
        let text = script(&policy, &grant);
        assert!(
            text.ends_with("})(\n[[\"~\",\"^b[0-9]$\"],[\"=\",\"</script>\"]]);\n") || text.contains("[[\"~\","),
            "{text}"
        );
        assert!(!text.contains("_a"), "{text}");
        assert!(script(&policy, &Grant::none()).contains("[\"=\",\"_a\"],[\"^\",\"a_\"]"));
        assert!(is_needed(&policy, &grant));
        grant.grant_category(CategoryId(0));
        assert!(!is_needed(&policy, &grant));
    }
}
