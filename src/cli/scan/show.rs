//! What was found, for people (tables) and for programs (JSON). Nothing that a site chose reaches a terminal unescaped.

use std::fmt::Write as _;

use serde::Serialize;

use super::found::{Cookie, Expected, Found, Owner, Problem, Tag, Visited};
use crate::page::texts::Texts;

/// What no scan without a browser can see.
pub(super) const LIMITS: &str =
    "A scan without a browser sees only what the server and its HTML set: cookies that scripts set are not seen.";

/// Expected cookies named of one service; some have dozens, of which a site gets a few.
const SHOWN: usize = 5;

/// The widest that a cell gets.
const WIDEST: usize = 48;

#[derive(Serialize)]
struct Report<'a, 'p> {
    interrupted: bool,
    pages: &'a [Visited],
    problems: &'a [Problem],
    forbidden_by_robots: usize,
    cookies: Vec<&'a Cookie<'p>>,
    tags: Vec<&'a Tag<'p>>,
    expected: Vec<Expected<'p>>,
    note: &'static str,
}

/// One JSON object, in ASCII.
pub(super) fn json(found: &Found<'_>, interrupted: bool) -> String {
    let report = Report {
        interrupted,
        pages: &found.pages,
        problems: &found.problems,
        forbidden_by_robots: found.forbidden,
        cookies: found.cookies.values().collect(),
        tags: found.tags.values().collect(),
        expected: found.expected(),
        note: LIMITS,
    };
    let text = serde_json::to_string_pretty(&report).expect("plain data is always JSON");
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Only strings can hold these; a terminal might obey some of them.
        match c {
            '\n' | ' '..='~' => out.push(c),
            c => out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    out.push('\n');
    out
}

/// Tables, by service.
pub(super) fn tables(found: &Found<'_>, interrupted: bool) -> String {
    let mut out = String::new();
    let services = found.services().len();
    let _ = writeln!(
        out,
        "{}{} read: {}, {} of {}.",
        if interrupted { "Interrupted. " } else { "" },
        count(found.pages.len(), "page"),
        count(found.cookies.len(), "cookie"),
        count(found.tags.len(), "tag"),
        count(services, "known service"),
    );
    let mut cookies: Vec<&Cookie<'_>> = found.cookies.values().collect();
    cookies.sort_by_key(|cookie| by_service(&cookie.owner));
    let rows = cookies.iter().map(|cookie| {
        [
            printable(&cookie.name),
            service(&cookie.owner),
            category(&cookie.owner),
            lifetime(Some(cookie.lifetime)),
            flags(cookie),
            printable(&cookie.first_page),
        ]
    });
    table(&mut out, ["COOKIE", "SERVICE", "CATEGORY", "KEPT FOR", "FLAGS", "FIRST SEEN"], rows);
    let mut tags: Vec<&Tag<'_>> = found.tags.values().collect();
    tags.sort_by_key(|tag| by_service(&tag.owner));
    let rows = tags.iter().map(|tag| {
        [
            printable(tag.host.as_deref().unwrap_or("(inline)")),
            printable(&tag.element),
            service(&tag.owner),
            category(&tag.owner),
            printable(&tag.first_page),
        ]
    });
    table(&mut out, ["TAG", "ELEMENT", "SERVICE", "CATEGORY", "FIRST SEEN"], rows);
    let expected = found.expected();
    let rows = expected.chunk_by(|a, b| a.service == b.service).map(|cookies| {
        let names: Vec<&str> = cookies.iter().take(SHOWN).map(|cookie| &*cookie.name).collect();
        let more = cookies.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        [cookies[0].service.to_owned(), cookies[0].category.to_owned(), format!("{}{more}", names.join(", "))]
    });
    table(&mut out, ["EXPECTED OF", "CATEGORY", "COOKIES THAT ITS SCRIPTS MAY SET"], rows);
    let rows = found.problems.iter().map(|problem| [printable_in(&problem.url, 90), printable_in(&problem.what, 160)]);
    table(&mut out, ["NOT READ", "WHY"], rows);
    if found.forbidden > 0 {
        let _ = writeln!(out, "\n{} left alone, as robots.txt asks.", count(found.forbidden, "address"));
    }
    let _ = writeln!(out, "\n{LIMITS}");
    out
}

/// Columns as wide as their widest cell; nothing without rows.
fn table<const N: usize>(out: &mut String, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let rows: Vec<[String; N]> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let length = |text: &str| text.chars().count();
    let widths: [usize; N] =
        std::array::from_fn(|i| rows.iter().map(|row| length(&row[i])).max().unwrap_or(0).max(length(head[i])));
    let mut line = |cells: [&str; N]| {
        let mut text = String::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        let _ = writeln!(out, "{}", text.trim_end());
    };
    line([""; N]);
    line(head);
    for row in &rows {
        line(std::array::from_fn(|i| &*row[i]));
    }
}

/// Services by their key, what nobody knows last.
fn by_service<'p>(owner: &Owner<'p>) -> (bool, bool, Option<&'p str>) {
    (owner.category.is_none(), owner.service.is_none(), owner.service)
}

fn service(owner: &Owner<'_>) -> String {
    match (owner.service, owner.category) {
        (Some(service), _) => service.to_owned(),
        (None, Some(_)) => "the site's session".to_owned(),
        (None, None) => "?".to_owned(),
    }
}

fn category(owner: &Owner<'_>) -> String {
    owner.category.unwrap_or("unclassified").to_owned()
}

fn lifetime(seconds: Option<u64>) -> String {
    match seconds {
        None => "?".to_owned(),
        Some(0) => "session".to_owned(),
        Some(seconds) => Texts::of("en").duration(seconds),
    }
}

fn flags(cookie: &Cookie<'_>) -> String {
    let same_site = cookie.same_site.map(|same_site| format!("SameSite={same_site}"));
    let words = [
        cookie.http_only.then(|| "HttpOnly".to_owned()),
        cookie.secure.then(|| "Secure".to_owned()),
        same_site,
        cookie.refused.then(|| "(browsers refuse it)".to_owned()),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" ") }
}

fn printable(text: &str) -> String {
    printable_in(text, WIDEST)
}

/// In a cell of this width: letters, digits and the signs of ASCII; the rest is escaped.
fn printable_in(text: &str, width: usize) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at >= width {
            out.push('…');
            break;
        }
        match c {
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// `1 page`, `2 pages`, `0 addresses`.
pub(super) fn count(number: usize, word: &str) -> String {
    let ending = match (number, word.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{number} {word}{ending}")
}
