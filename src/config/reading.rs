//! Reads values of a tree, and notes every problem on the way instead of stopping at the first.

use std::cell::RefCell;
use std::fmt::Display;
use std::sync::Arc;

use super::problem::{Place, Problem, Source, did_you_mean};
use super::read_files::Files;
use super::section::Section;
use super::tree::{Key, Node, Value};

/// All problems of all files of one configuration.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: RefCell<Vec<Problem>>,
    /// Those that were read so far.
    pub(super) files: Files,
    /// Each key that was asked for, and whether it was there.
    #[cfg(test)]
    pub(super) asked: RefCell<std::collections::BTreeMap<String, bool>>,
}

impl Problems {
    pub(super) fn push(&self, problem: Problem) {
        self.list.borrow_mut().push(problem);
    }

    /// How many errors there are so far.
    pub(super) fn errors(&self) -> usize {
        self.list.borrow().iter().filter(|problem| problem.is_error()).count()
    }

    /// In the order of the lines of each file; the files in the order in which they were read.
    pub(super) fn into_list(self) -> Vec<Problem> {
        let mut list = self.list.into_inner();
        let mut files: Vec<Arc<str>> = Vec::new();
        for problem in &list {
            if !files.contains(&problem.file) {
                files.push(problem.file.clone());
            }
        }
        list.sort_by_key(|p| (files.iter().position(|f| *f == p.file), p.line, p.column));
        list
    }
}

/// A value, the way to it, and where its problems go.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) node: &'a Node,
    /// The key that it stands under, if it stands in a mapping.
    pub(super) name: Option<&'a Key>,
    /// `sites[0].origin`
    pub(super) path: String,
    pub(super) source: &'a Arc<Source>,
    pub(super) problems: &'a Problems,
}

impl<'a> Item<'a> {
    pub(super) fn root(node: &'a Node, source: &'a Arc<Source>, problems: &'a Problems) -> Self {
        Self { node, name: None, path: String::new(), source, problems }
    }

    /// Notes an error at this value; for mappings and lists, at their key.
    pub(super) fn fail<T>(&self, what: impl Into<String>) -> Option<T> {
        self.problems.push(Problem::error(self.source, self.place(), &self.path, what));
        None
    }

    pub(super) fn fail_with<T>(&self, what: impl Into<String>, hint: impl Into<String>) -> Option<T> {
        let problem = Problem::error(self.source, self.place(), &self.path, what);
        self.problems.push(problem.with_hint(Some(hint)));
        None
    }

    /// Notes an error at the key that this value stands under.
    pub(super) fn fail_name<T>(&self, what: impl Into<String>, hint: Option<String>) -> Option<T> {
        let problem = Problem::error(self.source, self.name_place(), &self.path, what);
        self.problems.push(problem.with_hint(hint));
        None
    }

    pub(super) fn warn(&self, what: impl Into<String>, hint: impl Into<String>) {
        let problem = Problem::error(self.source, self.place(), &self.path, what);
        self.problems.push(problem.with_hint(Some(hint)).into_warning());
    }

    pub(super) fn place(&self) -> Place {
        match self.node.value {
            Value::List(_) | Value::Map(_) | Value::Null => self.name_place(),
            _ => self.node.place,
        }
    }

    pub(super) fn name_place(&self) -> Place {
        match self.name {
            Some(key) => key.place,
            // An empty file has its value at its end.
            None if self.is_null() && self.path.is_empty() => Place::START,
            None => self.node.place,
        }
    }

    /// The key that this value stands under; empty in a list.
    pub(super) fn name(&self) -> &'a str {
        self.name.map_or("", |key| &key.text)
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    pub(super) fn is_bool(&self) -> bool {
        matches!(self.node.value, Value::Bool(_))
    }

    /// Neither `false` nor absent.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.node.value, Value::Bool(false))
    }

    /// Text, where it is; what else stands there is told by whoever reads it.
    pub(super) fn peek_text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first value under a key, where this is a mapping; for checks that look at several places at once.
    pub(super) fn child_named(&self, key: &str) -> Option<Self> {
        let Value::Map(entries) = &self.node.value else { return None };
        let (key, node) = entries.iter().find(|(known, _)| *known.text == *key)?;
        Some(self.entry(key, node))
    }

    fn entry(&self, key: &'a Key, node: &'a Node) -> Self {
        let path = if self.path.is_empty() { key.text.to_string() } else { format!("{}.{}", self.path, key.text) };
        Self { node, name: Some(key), path, ..self.clone() }
    }

    pub(super) fn expected<T>(&self, what: &str) -> Option<T> {
        self.fail(format!("expected {what}, found {}", self.node.kind()))
    }

    /// Text, or a number taken as text.
    pub(super) fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) | Value::Number(text) if text.is_empty() => self.expected("text"),
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => self.expected("text"),
        }
    }

    pub(super) fn boxed(&self) -> Option<Box<str>> {
        self.text().map(Into::into)
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(bool) => Some(*bool),
            Value::Text(text) if matches!(&*text.to_ascii_lowercase(), "yes" | "no" | "on" | "off") => {
                self.fail_with(format!("expected true or false, found `{text}`"), "write `true` or `false`")
            }
            _ => self.expected("true or false"),
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let what = format!("expected {}, found `{text}`", known.join(" | "));
        match did_you_mean(text, known) {
            Some(meant) => self.fail_with(what, format!("did you mean \"{meant}\"?")),
            None => self.fail(what),
        }
    }

    /// Text that `read` understands.
    pub(super) fn parse<T, E: Display>(&self, read: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        read(self.text()?).map_or_else(|error| self.fail(error.to_string()), Some)
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Vec<Self> {
        match &self.node.value {
            Value::List(nodes) => nodes.iter().enumerate().map(|(n, node)| self.child(node, n)).collect(),
            Value::Null => Vec::new(),
            Value::Map(_) => {
                let one = self.name().strip_suffix('s').unwrap_or("entry");
                self.fail_with("expected a list, found a mapping", format!("begin each {one} with `- `"))
                    .unwrap_or_default()
            }
            _ => self.expected("a list").unwrap_or_default(),
        }
    }

    /// The items of a list, or the value itself as the only one.
    pub(super) fn one_or_many(&self) -> Vec<Self> {
        match &self.node.value {
            Value::List(_) | Value::Null => self.list(),
            _ => vec![self.clone()],
        }
    }

    fn child(&self, node: &'a Node, index: usize) -> Self {
        Self { node, name: None, path: format!("{}[{index}]", self.path), ..self.clone() }
    }

    /// The entries of a mapping whose keys are names that the operator chose, in the order of the file.
    pub(super) fn entries(&self) -> Vec<Self> {
        let entries = match &self.node.value {
            Value::Map(entries) => entries,
            Value::Null => return Vec::new(),
            _ => return self.expected("a mapping").unwrap_or_default(),
        };
        let mut items: Vec<Self> = Vec::with_capacity(entries.len());
        let mut seen = std::collections::HashMap::with_capacity(entries.len());
        for (key, node) in entries {
            let item = self.entry(key, node);
            match seen.insert(&*key.text, key.place.line) {
                Some(line) => {
                    let hint = format!("it stands in line {line} already");
                    item.fail_name::<()>(format!("`{}` is given twice", key.text), Some(hint));
                }
                None => items.push(item),
            }
        }
        items
    }

    /// A mapping with a known set of keys: `read` asks for them.
    pub(super) fn section<T>(&self, read: impl FnOnce(&Section<'a>) -> T) -> Option<T> {
        if !self.is_map() && !self.is_null() {
            return self.expected("a mapping");
        }
        Some(Section::read_all(self, read))
    }
}
