//! What browsers do with a script, by its `type`.

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// They run it, or others may have it run later: delaying plug-ins have types of their own, and new ones every year.
    Code,
    /// They fetch what its speculation rules name.
    Rules,
    /// Nothing: no signature is looked for in it, nor is its `src` fetched.
    Data,
}

/// Data and markup by their whole names; with `text/plain` consent tools hold scripts back until they may run.
const DATA: [&str; 19] = [
    "text/plain",
    "text/html",
    "application/xhtml+xml",
    "text/xml",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/markdown",
    "text/x-markdown",
    "text/yaml",
    "application/yaml",
    "application/graphql",
    "text/x-magento-init",
    "text/x-jsrender",
    "text/glsl",
    "math/tex",
    "math/mml",
    "importmap",
];

/// What is in the names of the languages of templates: `text/x-handlebars-template`, `x-tmpl-mustache`, `text/x-jquery-tmpl`.
const TEMPLATES: [&str; 5] = ["template", "tmpl", "handlebars", "mustache", "underscore"];

impl Type {
    /// By the `type` attribute.
    pub(super) fn of(kind: &str) -> Self {
        let kind = kind.trim().split(';').next().unwrap_or_default().trim_end().to_ascii_lowercase();
        match kind.as_str() {
            "speculationrules" => Self::Rules,
            kind if kind.ends_with("json") || kind.starts_with("x-shader/") || DATA.contains(&kind) => Self::Data,
            // Yett's, and those of tools that took it over.
            "javascript/blocked" => Self::Data,
            kind if kind.contains("javascript") => Self::Code,
            kind if TEMPLATES.iter().any(|word| kind.contains(word)) => Self::Data,
            _ => Self::Code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_runs_is_data() {
        for kind in [
            "text/plain",
            " Text/Plain; charset=x",
            "text/x-magento-init",
            "text/x-magento-template",
            "text/html",
            "text/x-handlebars-template",
            "text/ng-template",
            "text/x-template",
            "text/template",
            "x-tmpl-mustache",
            "text/x-jquery-tmpl",
            "x-shader/x-fragment",
            "application/graphql",
            "application/ld+json",
            "application/json",
            "importmap",
            "javascript/blocked",
        ] {
            assert_eq!(Type::of(kind), Type::Data, "{kind}");
        }
        for kind in [
            "",
            "module",
            "text/javascript",
            "application/x-javascript; x",
            "rocketlazyloadscript",
            "litespeed/javascript",
            "pmdelayedscript",
            "text/partytown",
            "ab12cd34-text/javascript",
            "text/delayscript",
            "nitropack/inlinescript",
            "text/x-mathjax-config",
            "text/babel",
            "wp-template-javascript",
            "what/ever",
        ] {
            assert_eq!(Type::of(kind), Type::Code, "{kind}");
        }
    }
}
