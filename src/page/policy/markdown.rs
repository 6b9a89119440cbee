//! Text that is to be read as text in Markdown, also in a cell of a table.

/// Escapes what CommonMark, its tables and HTML would read as markup; one line.
pub(super) fn md(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' => out.extend(['\\', c]),
            '\n' | '\r' | '\t' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// A cookie's name as code. A `|` ends a cell even there, and a backtick ends the code.
pub(super) fn code(name: &str) -> String {
    let fence = if name.contains('`') { "`` " } else { "`" };
    let end: String = fence.chars().rev().collect();
    format!("{fence}{}{end}", name.replace('|', "\\|"))
}

/// An address between parentheses.
pub(super) fn link(url: &str) -> String {
    url.replace('(', "%28").replace(')', "%29").replace(' ', "%20").replace('|', "%7C")
}
