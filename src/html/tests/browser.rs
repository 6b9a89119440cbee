//! The oracle: what a browser's parser (html5ever) makes of a page, and which of it contacts a refused service.
//!
//! Written apart from the rewriter: it walks the finished tree and shares no line with it but the policy itself.

use std::collections::BTreeMap;

use html5ever::tendril::TendrilSink as _;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::*;
use crate::policy::Action;

const HTML: &str = "http://www.w3.org/1999/xhtml";

/// A tree that can be compared: no place, no doctype, texts joined.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(super) enum Tree {
    Element {
        name: String,
        attributes: BTreeMap<String, String>,
        inner: Vec<Self>,
    },
    Text(String),
    Comment(String),
    /// HTML of its own, in a `noscript` or `srcdoc`.
    Document(Vec<Self>),
}

/// Whether a page is read with scripting on; it decides whether `noscript` holds text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Browser<'a> {
    pub(super) settings: &'a Settings,
    pub(super) scripting: bool,
}

/// What a walk gathers and remembers.
struct Walk<'a> {
    browser: Browser<'a>,
    base: Url,
    base_seen: bool,
    /// Blocked things that were met.
    blocked: Vec<String>,
}

impl Browser<'_> {
    /// The tree without what is blocked, and without our placeholders.
    pub(super) fn expect(self, page: &str) -> Vec<Tree> {
        self.walk(page).0
    }

    /// What a browser would contact though it is blocked.
    pub(super) fn contacts(self, page: &str) -> Vec<String> {
        self.walk(page).1
    }

    fn walk(self, page: &str) -> (Vec<Tree>, Vec<String>) {
        let mut walk = Walk { browser: self, base: self.settings.url.clone(), base_seen: false, blocked: Vec::new() };
        let tree = walk.document(page, self.scripting, false);
        (tree, walk.blocked)
    }
}

impl Walk<'_> {
    fn document(&mut self, page: &str, scripting: bool, srcdoc: bool) -> Vec<Tree> {
        let tree_builder =
            TreeBuilderOpts { scripting_enabled: scripting, iframe_srcdoc: srcdoc, ..TreeBuilderOpts::default() };
        let dom = parse_document(RcDom::default(), ParseOpts { tree_builder, ..ParseOpts::default() }).one(page);
        let tree = self.children(&dom.document, false);
        dissolve(&dom.document);
        tree
    }

    fn children(&mut self, node: &Handle, inert: bool) -> Vec<Tree> {
        let mut found: Vec<Tree> = Vec::new();
        for child in node.children.borrow().iter() {
            match (self.node(child, inert), found.last_mut()) {
                (Some(Tree::Text(more)), Some(Tree::Text(text))) => text.push_str(&more),
                (Some(tree), _) => found.push(tree),
                (None, _) => {}
            }
        }
        found
    }

    fn node(&mut self, node: &Handle, inert: bool) -> Option<Tree> {
        let NodeData::Element { name, attrs, template_contents, .. } = &node.data else {
            return match &node.data {
                NodeData::Text { contents } => Some(Tree::Text(contents.borrow().to_string())),
                NodeData::Comment { contents } => Some(Tree::Comment(contents.to_string())),
                _ => None,
            };
        };
        let mut attributes = BTreeMap::new();
        for attribute in attrs.borrow().iter() {
            let prefix = attribute.name.prefix.as_ref().map(|p| format!("{p}:")).unwrap_or_default();
            attributes.insert(format!("{prefix}{}", attribute.name.local), attribute.value.to_string());
        }
        if &*name.ns == HTML && attributes.contains_key("data-consentry-placeholder") {
            return None;
        }
        let local: &str = &name.local;
        let in_html = &*name.ns == HTML;
        if local == "base"
            && in_html
            && !inert
            && !self.base_seen
            && let Some(href) = attributes.get("href")
        {
            self.base_seen = true;
            if let Ok(base) = self.base.join(href)
                && !["data", "javascript"].contains(&base.scheme())
            {
                self.base = base;
            }
        }
        if self.goes(local, in_html, &attributes) {
            self.blocked.push(format!("<{local} {attributes:?}>"));
            return None;
        }
        self.strip(local, &mut attributes);
        let mut inner = self.children(node, inert);
        if let Some(contents) = &*template_contents.borrow() {
            inner.push(Tree::Document(self.children(contents, true)));
        }
        if local == "noscript" && in_html && self.browser.scripting {
            let text = text(&inner);
            // Its base never counts while scripts run.
            let (base, seen) = (self.base.clone(), self.base_seen);
            inner = vec![Tree::Document(self.document(&text, false, false))];
            (self.base, self.base_seen) = (base, seen);
        }
        if local == "script" && self.runs(&attributes) {
            let text = text(&inner);
            let rules = attributes.get("type").is_some_and(|kind| kind == "speculationrules");
            let urls = rules.then(|| serde_json::from_str::<serde_json::Value>(&text).ok()).flatten();
            let urls = urls.iter().flat_map(|rules| rules["prefetch"][0]["urls"].as_array()).flatten();
            if urls.filter_map(serde_json::Value::as_str).any(|url| self.bad(url))
                || self.browser.settings.policy.judge_snippet(&self.browser.settings.grant, &text).action
                    == Action::Strip
            {
                self.blocked.push(format!("script: {text}"));
                inner.clear();
            }
        }
        if local == "iframe"
            && let Some(srcdoc) = attributes.remove("srcdoc")
        {
            let (base, seen) = (self.base.clone(), std::mem::replace(&mut self.base_seen, false));
            inner.insert(0, Tree::Document(self.document(&srcdoc, self.browser.scripting, true)));
            (self.base, self.base_seen) = (base, seen);
        }
        Some(Tree::Element { name: format!("{} {local}", &*name.ns), attributes, inner })
    }

    fn bad(&self, url: &str) -> bool {
        let settings = self.browser.settings;
        self.base.join(url).is_ok_and(|url| settings.policy.judge_tag(&settings.grant, &url).action == Action::Strip)
    }

    fn runs(&self, attributes: &BTreeMap<String, String>) -> bool {
        let json = attributes.get("type").is_some_and(|kind| kind.contains("json") || kind.contains("map"));
        !json && !["src", "href", "xlink:href"].iter().any(|name| attributes.contains_key(*name))
    }

    /// Whether the element as a whole is blocked.
    fn goes(&self, name: &str, in_html: bool, attributes: &BTreeMap<String, String>) -> bool {
        let value = |name: &str| attributes.get(name).map(String::as_str);
        let is = |name: &str, wanted: &str| value(name).is_some_and(|v| v.eq_ignore_ascii_case(wanted));
        let one = |names: &[&str]| names.iter().any(|name| value(name).is_some_and(|url| self.bad(url)));
        match name {
            "link" => {
                let rel = value("rel").unwrap_or_default().to_ascii_lowercase();
                let fetching =
                    ["stylesheet", "preload", "icon", "preconnect", "dns-prefetch", "prefetch", "modulepreload"];
                let fetches = rel.split_ascii_whitespace().any(|word| fetching.contains(&word));
                fetches && (one(&["href"]) || self.lost(attributes, &["href"]))
            }
            "meta" => {
                is("http-equiv", "refresh")
                    && value("content").and_then(|c| c.split_once("url=")).is_some_and(|(_, url)| self.bad(url))
            }
            "input" => is("type", "image") && one(&["src"]),
            "script" if in_html => one(&["src", "data-src"]),
            "script" | "image" | "feImage" | "use" => one(&["href", "xlink:href"]),
            "img" | "source" => one(&["src", "data-src"]) || self.lost(attributes, &["src", "data-src"]),
            "iframe" | "embed" | "video" | "audio" | "track" => one(&["src", "data-src"]),
            "object" => one(&["data"]),
            _ => false,
        }
    }

    /// Whether its candidates were all that it had, and they are blocked.
    fn lost(&self, attributes: &BTreeMap<String, String>, others: &[&str]) -> bool {
        let sets = ["srcset", "imagesrcset", "data-srcset"];
        let sets: Vec<_> = sets.iter().filter_map(|name| attributes.get(*name)).collect();
        let all: Vec<_> = sets.iter().flat_map(|set| split(set)).collect();
        !all.is_empty()
            && all.iter().all(|(url, _)| self.bad(url))
            && !others.iter().any(|name| attributes.get(*name).is_some_and(|v| !v.trim().is_empty()))
    }

    /// Takes blocked attributes out of an element that stays.
    fn strip(&mut self, name: &str, attributes: &mut BTreeMap<String, String>) {
        let before = attributes.clone();
        let bad = |url: &str| self.bad(url);
        attributes.retain(|attribute, value| match (name, attribute.as_str()) {
            ("a" | "area", "ping") | (_, "attributionsrc") => {
                let words: Vec<_> = value.split_ascii_whitespace().filter(|word| !bad(word)).collect();
                let all = words.len() == value.split_ascii_whitespace().count();
                let stays = all || !words.is_empty();
                if !all {
                    *value = words.join(" ");
                }
                stays
            }
            ("img" | "source", "srcset" | "data-srcset") | ("link", "imagesrcset") => {
                let left: Vec<_> = split(value).filter(|(url, _)| !bad(url)).map(|(_, all)| all.to_owned()).collect();
                let all = left.len() == split(value).count();
                let stays = all || !left.is_empty();
                if !all {
                    *value = left.join(", ");
                }
                stays
            }
            ("body" | "table" | "td" | "th", "background")
            | ("video", "poster")
            | ("frame", "src")
            | ("object", "codebase") => !bad(value),
            _ => true,
        });
        if *attributes != before {
            self.blocked.push(format!("{name}: {before:?}"));
        }
    }
}

/// The candidates of a `srcset` whose descriptors hold no parentheses: URL, and URL with descriptors.
fn split(set: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = set;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
        let url = rest.split(|c: char| c.is_ascii_whitespace()).next().filter(|url| !url.is_empty())?;
        let end = match url.ends_with(',') {
            true => url.len(),
            false => rest[url.len()..].find(',').map_or(rest.len(), |at| url.len() + at),
        };
        let (candidate, after) = rest.split_at(end);
        rest = after;
        Some((url.trim_end_matches(','), candidate.trim_end_matches(',').trim_end()))
    })
}

fn text(inner: &[Tree]) -> String {
    inner.iter().filter_map(|tree| if let Tree::Text(text) = tree { Some(text.as_str()) } else { None }).collect()
}

/// Deep trees would overflow the stack when they are dropped from their root.
fn dissolve(root: &Handle) {
    let mut rest = vec![root.clone()];
    while let Some(node) = rest.pop() {
        rest.append(&mut node.children.borrow_mut());
    }
}
