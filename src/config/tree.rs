//! One YAML file as a tree in which every key and value knows where it stands.
//!
//! Not typed structs: a derived `Deserialize` stops at the first mistake, and we want to tell all of
//! them. Everything after this file works on [`Node`]s; no other file names the YAML crate.

use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;
use serde_yaml::options::DuplicateKeyPolicy;

use super::problem::{PEM, Place, Problem, Source};
use super::reading::Problems;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

impl Node {
    /// For messages: what somebody wrote where something else was expected.
    pub(super) fn kind(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => format!("`{}`", self.brief()),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }

    /// On one line, as one would write it.
    pub(super) fn brief(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::Bool(bool) => bool.to_string(),
            Value::Number(text) | Value::Text(text) => text.to_string(),
            Value::List(items) => format!("[{}]", items.iter().map(Self::brief).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                // An empty key is as good as none.
                let said = entries.iter().filter(|(_, value)| !matches!(value.value, Value::Null));
                let said: Vec<_> = said.map(|(key, value)| format!("{}: {}", key.text, value.brief())).collect();
                if said.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", said.join(", ")) }
            }
        }
    }
}

/// What stands there. Plain numbers and booleans become typed only where something asks for them.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As written, for a name or version may look like a number.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Node>),
    /// In the order of the file, doubled keys included.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) text: Box<str>,
    pub(super) place: Place,
}

/// Reads the one document of a file. Where it is no YAML, that is noted, and the rest cannot be read.
pub(super) fn parse(source: &Arc<Source>, problems: &Problems) -> Option<Node> {
    // Deep and wide enough for thousands of sites; small enough that an alias bomb ends at once.
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 2_000_000,
            max_nodes: 1_000_000,
            max_depth: 64,
            max_documents: 1,
        },
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
    };
    if source.text.trim().is_empty() {
        return Some(Node { value: Value::Null, place: Place::START });
    }
    if let Some(what) = pem(&source.text) {
        problems.push(
            Problem::of_file(&source.name, format!("this is a {what}, neither a configuration nor a policy"))
                .with_hint(Some("name the YAML file here; keys and certificates stand under `certificate`")),
        );
        return None;
    }
    match serde_yaml::from_str_with_options::<Spanned<Raw>>(&source.text, options) {
        // Not quoted: it may be the file of a secret.
        Ok(Spanned { value: Raw::Bool(_) | Raw::Number(_) | Raw::Text(_), .. }) => {
            problems.push(
                Problem::of_file(&source.name, "expected a mapping, found text")
                    .with_hint(Some("this is no configuration or policy: those are lines of `key: value`")),
            );
            None
        }
        Ok(root) => Some(node(root, &source.text)),
        Err(error) => {
            problems.push(syntax_problem(source, &error));
            None
        }
    }
}

/// What a file of keys or certificates is (RFC 7468), which may have other text before them.
fn pem(text: &str) -> Option<&'static str> {
    let begins: Vec<_> = text.lines().filter(|line| line.trim_start_matches('\u{feff}').starts_with(PEM)).collect();
    let is_key = begins.iter().any(|line| line.contains("PRIVATE KEY"));
    if is_key { Some("private key") } else { begins.first().map(|_| "certificate or key") }
}

fn syntax_problem(source: &Arc<Source>, error: &serde_yaml::Error) -> Problem {
    let text = error.without_snippet().to_string();
    // The crate appends the position, which we show in our own way.
    let what = text.split(" at line ").next().unwrap_or(&text).trim_end_matches(':');
    let known = error.location().filter(|at| at.line() > 0).map(|at| {
        // Errors of the scanner have no byte offset.
        let start = source.offset(at.line() as u32, at.column() as u32);
        Place { line: at.line() as u32, column: at.column() as u32, start, end: start }
    });
    // `*.example.com` without quotes is an alias, and a common slip. The crate does not always say where.
    let star = known.map_or_else(|| bare_star(source, 1..), |at| bare_star(source, at.line..=at.line));
    let bare = known.and_then(|at| no_colon(source, at.line));
    let place = bare.as_ref().map(|(place, _)| *place).or(known).or(star).unwrap_or(Place::START);
    if let Some((place, hint)) = bare {
        return Problem::error(source, place, "", "not readable as YAML: here is no `:`").with_hint(Some(hint));
    }
    let hint = if star.is_some() {
        Some("put text that begins with `*` in quotes: \"*.example.com\"")
    } else if source.line(place.line).trim_start_matches(' ').starts_with('\t') {
        Some("indent with spaces; YAML does not allow tabs")
    } else {
        None
    };
    Problem::error(source, place, "", format!("not readable as YAML: {what}")).with_hint(hint)
}

/// A line `key value` that ends where this one or the last before it does, and what to write instead.
fn no_colon(source: &Source, line: u32) -> Option<(Place, String)> {
    let is_key = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let told = |number: u32| {
        let text = source.line(number);
        let start = text.find(|c: char| !matches!(c, ' ' | '-'))?;
        let (key, value) = text[start..].split_once(' ')?;
        let bare = is_key(key) && !text.contains(": ") && !text.trim_end().ends_with([':', '|', '>']);
        let column = start as u32 + 1;
        let offset = source.offset(number, column);
        let place = Place { line: number, column, start: offset, end: offset + key.len() };
        bare.then(|| (place, format!("write `{key}: {}`", value.trim())))
    };
    let filled = |number: &u32| !matches!(source.line(*number).trim_start().as_bytes().first(), None | Some(b'#'));
    told(line).or_else(|| told((1..line).rev().find(filled)?))
}

/// The first place in these lines where a value begins with `*.` or `*/`.
fn bare_star(source: &Source, lines: impl RangeBounds<u32>) -> Option<Place> {
    let mut start = 0;
    for (number, line) in (1..).zip(source.text.split_inclusive('\n')) {
        let stars = line.match_indices("*.").chain(line.match_indices("*/")).map(|(at, _)| at);
        let found = stars.filter(|at| line[..*at].trim_end().ends_with([':', '-', '[', ','])).min();
        if let Some(at) = found.filter(|_| lines.contains(&number)) {
            let column = line[..at].chars().count() as u32 + 1;
            return Some(Place { line: number, column, start: start + at, end: start + at + 1 });
        }
        start += line.len();
    }
    None
}

fn place(at: &serde_yaml::Location) -> Place {
    let start = at.span().byte_offset().unwrap_or_default() as usize;
    let len = at.span().byte_len().unwrap_or_default() as usize;
    Place { line: at.line() as u32, column: at.column() as u32, start, end: start + len }
}

fn node(raw: Spanned<Raw>, text: &str) -> Node {
    let defined = place(&raw.defined);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(bool) => Value::Bool(bool),
        Raw::Number(number) => {
            let written = text.get(defined.start..defined.end).map(str::trim).filter(|s| !s.is_empty());
            Value::Number(written.map_or(number, Into::into))
        }
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| (Key { place: place(&key.defined), text: key.value }, node(value, text)))
                .collect(),
        ),
    };
    Node { value, place: defined }
}

/// What serde hands over, before numbers get their own text back.
enum Raw {
    Null,
    Bool(bool),
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Box<str>>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string().into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string().into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string().into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string().into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string().into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::result_large_err, reason = "a test is in no hurry")]
    fn read(text: &str) -> Result<Node, Problem> {
        let problems = Problems::default();
        parse(&Arc::new(Source::new("test.yaml", text)), &problems).ok_or_else(|| problems.into_list().remove(0))
    }

    #[test]
    fn keys_keep_order_doubles_and_places() {
        let Value::Map(entries) = read("b: 1\na: x\nb: [yes, 1.10]\n").unwrap().value else { panic!("no mapping") };
        let keys: Vec<_> = entries.iter().map(|(k, _)| (&*k.text, k.place.line, k.place.column)).collect();
        assert_eq!(keys, [("b", 1, 1), ("a", 2, 1), ("b", 3, 1)]);
        let Value::List(items) = &entries[2].1.value else { panic!("no list") };
        assert!(matches!(&items[0].value, Value::Text(t) if &**t == "yes"), "YAML 1.1 booleans are text");
        assert!(matches!(&items[1].value, Value::Number(n) if &**n == "1.10"), "a number keeps its spelling");
        assert_eq!((items[1].place.line, items[1].place.column), (3, 10));
    }

    #[test]
    fn anchors_and_merge_keys_work() {
        let root = read("base: &b { x: 1, y: 2 }\nsite: { <<: *b, y: 3 }\n").unwrap();
        let Value::Map(entries) = root.value else { panic!("no mapping") };
        let Value::Map(site) = &entries[1].1.value else { panic!("no mapping") };
        let pairs: Vec<_> = site
            .iter()
            .map(|(k, v)| match &v.value {
                Value::Number(n) => (&*k.text, &**n),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(pairs.contains(&("x", "1")) && pairs.contains(&("y", "3")), "{pairs:?}");
        assert_eq!(pairs.len(), 2);
    }

    #[test]
    fn what_is_no_yaml_is_told_with_line_and_hint() {
        let problem = read("listen: 1\nhosts: [*.example.com]\n").unwrap_err();
        assert_eq!(problem.line, 2, "{problem:?}");
        assert!(problem.hint.as_deref().is_some_and(|h| h.contains("quotes")), "{problem:?}");
        let problem = read("listen: x\nsites:\n  - host: *.example.com\n").unwrap_err();
        assert_eq!((problem.line, problem.column), (3, 11), "{problem:?}");
        let problem = read("sites:\n\t- host: x\n").unwrap_err();
        assert_eq!(problem.line, 2, "{problem:?}");
        assert!(problem.hint.as_deref().is_some_and(|h| h.contains("spaces")), "{problem:?}");
    }

    #[test]
    fn alias_bomb_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let refs = vec![format!("*a{}", n - 1); 9].join(", ");
            bomb += &format!("a{n}: &a{n} [{refs}]\n");
        }
        read(&bomb).unwrap_err();
    }
}
