//! What is wrong with a configuration, told so that it can be mended: place, excerpt, what, and a hint.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// What stands in a file may be a secret in the wrong place: of each value no more is repeated than tells which it is.
const LONGEST: usize = 40;

/// Paths that somebody wrote by hand are shorter.
const LONGEST_WORD: usize = 200;

/// How keys and certificates begin (RFC 7468).
pub(super) const PEM: &str = "-----BEGIN ";

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
    excerpt: bool,
}

impl Problem {
    pub(super) fn error(source: &Arc<Source>, place: Place, key: &str, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: source.name.clone(),
            line: place.line,
            column: place.column,
            key: brief(key, LONGEST_WORD).into_owned(),
            what: brief(&what.into(), LONGEST).into_owned(),
            hint: None,
            source: source.clone(),
            range: place.start..place.end,
            excerpt: true,
        }
    }

    /// For a file that cannot even be read.
    pub(crate) fn of_file(name: &str, what: impl Into<String>) -> Self {
        Self::error(&Arc::new(Source::new(name, "")), Place { line: 0, column: 0, start: 0, end: 0 }, "", what)
    }

    pub(super) fn with_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(|hint| brief(&hint.into(), LONGEST_WORD).into_owned());
        self
    }

    /// The line may hold a secret, and is not shown.
    pub(super) fn without_excerpt(mut self) -> Self {
        self.excerpt = false;
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
        } else if self.excerpt && !self.source.is_pem(self.range.start) {
            let (text, range) = self.source.excerpt(self.range.clone());
            group =
                group.element(Snippet::source(text).path(&*self.file).annotation(AnnotationKind::Primary.span(range)));
        } else {
            let place = Origin::path(&*self.file).line(self.line as usize).char_column(self.column as usize);
            group = group.element(place);
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

    /// The text with what is marked in it, which is shortened.
    fn excerpt(&self, range: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
        let range = self.clamp(range);
        let marked = &self.text[range.clone()];
        let Some((at, _)) = marked.char_indices().nth(LONGEST) else { return (Cow::from(&self.text), range) };
        let cut = range.start + at;
        (Cow::from([&self.text[..cut], "…", &self.text[range.end..]].concat()), range.start..cut + '…'.len_utf8())
    }

    /// Whether a key or certificate stands in this line.
    fn is_pem(&self, at: usize) -> bool {
        let at = self.clamp(at..at).start;
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |n| at + n);
        self.text[..end]
            .rfind(PEM)
            .is_some_and(|begin| begin >= start || !self.text[begin..start].contains("-----END "))
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

/// A message with so many characters of what it quotes, and without keys.
fn brief(text: &str, most: usize) -> Cow<'_, str> {
    let cut = |text: &str, most: usize| text.char_indices().nth(most).map(|(at, _)| at);
    let pem = text.find(PEM);
    let quotes = || text.split('`').skip(1).step_by(2);
    if pem.is_none() && text.len() <= LONGEST_WORD && quotes().all(|quoted| cut(quoted, most).is_none()) {
        return Cow::from(text);
    }
    let mut out = String::new();
    for (part, quoted) in text[..pem.unwrap_or(text.len())].split('`').zip([false, true].into_iter().cycle()) {
        if quoted {
            let at = cut(part, most);
            out.extend(["`", &part[..at.unwrap_or(part.len())], if at.is_some() { "…`" } else { "`" }]);
            continue;
        }
        for word in part.split_inclusive(' ') {
            let at = cut(word, LONGEST_WORD);
            out.extend([&word[..at.unwrap_or(word.len())], if at.is_some() { "… " } else { "" }]);
        }
    }
    if pem.is_some() {
        out.push('…');
    }
    Cow::from(out)
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
    fn no_more_of_a_value_is_told_than_its_beginning() {
        let key =
            ["-----BEGIN ", "PRIVATE KEY-----\n", &"MIIEvQ".repeat(40), "\n-----END ", "PRIVATE KEY-----"].concat();
        let long = "s3cr3t".repeat(50);
        for (text, told) in [
            (
                format!("expected a mapping, found `{long}` here"),
                format!("expected a mapping, found `{}…` here", &long[..40]),
            ),
            (format!("cannot read /etc/{long}"), format!("cannot read /etc/{}… ", &long[..195])),
            (format!("cannot read {key}"), "cannot read …".to_owned()),
            (format!("`{key}` is no path"), "``…".to_owned()),
            ("`a` and `b`".to_owned(), "`a` and `b`".to_owned()),
        ] {
            assert_eq!(brief(&text, LONGEST), told);
        }
        let source =
            Arc::new(Source::new("a.yaml", &format!("a: {long}\nb: |\n  {}\nc: x\n", key.replace('\n', "\n  "))));
        let render =
            |start, end, line| Problem::error(&source, Place { line, column: 4, start, end }, "", "x").render(false);
        let text = render(3, 3 + long.len(), 1);
        assert!(text.contains(&format!("a: {}…", &long[..40])) && !text.contains(&long[..41]), "{text}");
        for at in (3 + long.len() + 6)..source.text.find("c: x").unwrap() {
            let text = render(at, at + 1, 3);
            assert!(text.contains("a.yaml:3:4") && !text.contains("MII") && !text.contains("KEY"), "{at}: {text}");
        }
        let end = source.text.len();
        assert!(render(end - 2, end - 1, 6).contains("c: x"));
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
