//! What is wrong with a configuration, told so that it can be mended: place, excerpt, what, and a hint.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing starts.
    Error,
    /// Starts, but somebody should look.
    Warning,
}

/// One mistake, or one thing to look at, in a file.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Whether it keeps us from starting.
    pub severity: Severity,
    /// The file, as the operator named it.
    pub file: Arc<str>,
    /// One-based; 0 if the file as a whole is meant.
    pub line: u32,
    /// One-based, in characters.
    pub column: u32,
    /// The path of keys that leads there, e.g. `sites[0].origin`.
    pub key: String,
    /// Lower case, without full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    source: Arc<Source>,
    range: Range<usize>,
}

impl Problem {
    pub(super) fn error(source: &Arc<Source>, place: Place, key: &str, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: source.name.clone(),
            line: place.line,
            column: place.column,
            key: key.to_owned(),
            what: what.into(),
            hint: None,
            source: source.clone(),
            range: place.start..place.end,
        }
    }

    /// For a file that cannot even be read.
    pub(crate) fn of_file(name: &str, what: impl Into<String>) -> Self {
        Self::error(&Arc::new(Source::new(name, "")), Place { line: 0, column: 0, start: 0, end: 0 }, "", what)
    }

    pub(super) fn with_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }

    pub(super) fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether it keeps us from starting.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Title, excerpt with carets, and hint; with colours for a terminal if `styled`.
    pub fn render(&self, styled: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = if self.key.is_empty() { self.what.clone() } else { format!("{}: {}", self.key, self.what) };
        let mut group = Group::with_title(level.primary_title(title));
        if self.line == 0 {
            group = group.element(Origin::path(&*self.file));
        } else {
            let range = self.source.clamp(self.range.clone());
            group = group.element(
                Snippet::source(&*self.source.text).path(&*self.file).annotation(AnnotationKind::Primary.span(range)),
            );
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(&**hint));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// One line: `file:line:column: error: key: what (hint)`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        f.write_str(match self.severity {
            Severity::Error => ": error: ",
            Severity::Warning => ": warning: ",
        })?;
        // Keys and values are quoted as they stand, line breaks included; a problem is one line all the same.
        let line = |text: &str| text.replace(char::is_control, " ");
        if !self.key.is_empty() {
            write!(f, "{}: ", line(&self.key))?;
        }
        f.write_str(&line(&self.what))?;
        match &self.hint {
            Some(hint) => write!(f, " ({})", line(hint)),
            None => Ok(()),
        }
    }
}

/// Where a key or value stands: line and column for people, bytes for the excerpt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1, start: 0, end: 0 };
}

/// A file's name and text.
pub(super) struct Source {
    pub(super) name: Arc<str>,
    pub(super) text: String,
    /// What relative paths in it are relative to.
    pub(super) folder: PathBuf,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.to_owned(), folder: PathBuf::new() }
    }

    pub(super) fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    pub(super) fn line(&self, number: u32) -> &str {
        self.text.lines().nth(number.saturating_sub(1) as usize).unwrap_or_default()
    }

    /// The byte at which a line and column stand.
    pub(super) fn offset(&self, line: u32, column: u32) -> usize {
        let before: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
        let line = self.line(line);
        let within = line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
        before + within
    }

    /// Within one line, at least one character wide where there is one, on character boundaries.
    fn clamp(&self, range: Range<usize>) -> Range<usize> {
        let floor =
            |at: usize| (0..=at.min(self.text.len())).rev().find(|i| self.text.is_char_boundary(*i)).unwrap_or(0);
        let start = floor(range.start);
        let line = self.text[start..].find('\n').map_or(self.text.len(), |n| start + n);
        let end = floor(range.end).clamp(start, line);
        let one = self.text[start..line].chars().next().map_or(0, char::len_utf8);
        start..end.max(start + one)
    }
}

/// The text of a file may be long; its name tells enough.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

/// The known word that somebody who wrote `word` most likely meant.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint: the word meant, or else the words there are.
pub(crate) fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match did_you_mean(word, known.clone()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("known here: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// Edits from `a` to `b`; a swap of neighbours, the commonest slip, is one edit. Case, `-` and `_` are free.
fn distance(a: &str, b: &str) -> usize {
    let plain = |s: &str| s.chars().map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect::<Vec<_>>();
    let (a, b) = (plain(a), plain(b));
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meant_words() {
        let known = ["analytics", "marketing", "listen", "trusted_proxies"];
        for (written, meant) in [
            ("analitics", Some("analytics")),
            ("lsiten", Some("listen")),
            ("trusted-proxies", Some("trusted_proxies")),
            ("Marketing", Some("marketing")),
            ("colour", None),
        ] {
            assert_eq!(did_you_mean(written, known), meant, "{written}");
        }
    }

    #[test]
    fn excerpt_shows_the_place_and_the_hint() {
        let source = Arc::new(Source::new("a.yaml", "listen: x\nhots: ü\n"));
        let place = Place { line: 2, column: 1, start: 10, end: 14 };
        let text = Problem::error(&source, place, "sites[0]", "unknown key `hots`")
            .with_hint(Some("did you mean \"host\"?"))
            .render(false);
        for part in
            ["error: sites[0]: unknown key `hots`", "a.yaml:2:1", "hots: ü", "^^^^", "help: did you mean \"host\"?"]
        {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        // Places at the end, past it, and inside a character do not panic.
        for (start, end) in [(17, 18), (18, 18), (99, 200), (0, 99)] {
            let place = Place { line: 1, column: 1, start, end };
            assert!(Problem::error(&source, place, "", "x").render(false).contains("error: x"));
        }
    }
}
