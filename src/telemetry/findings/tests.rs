use std::fs;
use std::sync::Arc;

use super::table::{MOST, MOST_UNKNOWN, MOST_UNKNOWN_OF_SITE, NAMES_OF_RULE};
use super::*;
use crate::cookie::SetCookie;
use crate::policy::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn policy() -> Policy {
    let mut parts = PolicyParts { version: 1, ..PolicyParts::default() };
    let category = |id: &str| Category { id: id.into(), required: id == "necessary", ..Category::default() };
    parts.categories = vec![category("necessary"), category("stats")];
    for (text, pattern) in [("cart: necessary", "cart"), ("_c_*: 1 year", "_c_*")] {
        let rule = RuleId(parts.sources.len() as u32);
        parts.sources.push(RuleSource { file: "p.yaml".into(), line: 1, text: text.into() });
        let pattern = NamePattern::parse(pattern).unwrap();
        parts.cookies.push(CookieRule { pattern, category: Some(CategoryId(rule.0 as u8)), lifetime: None, rule });
    }
    Policy::compile(parts, Arc::new(Catalogue::compile(CatalogueParts::default())))
}

fn see(findings: &Findings, policy: &Policy, site: &str, page: &str, line: &str) {
    let cookie = SetCookie::parse(line.as_bytes());
    let found = policy.cookie(cookie.name());
    let (owner, rule) = (found.map(|found| found.owner), found.map(|found| found.rule));
    let mut looking = findings.look(Scene { site, policy, page, applied: true, now: NOW });
    let seen = Sighting::new(FindingKind::Cookie, cookie.name(), owner, rule, FindingAction::Keep);
    looking.see(&Sighting { line: Some(&cookie), ..seen });
}

fn rows(findings: &Findings) -> Vec<Row> {
    findings.table().rows().cloned().collect()
}

#[test]
fn a_row_tells_how_often_where_and_how_it_was_set() {
    let (findings, policy) = (Findings::default(), policy());
    see(&findings, &policy, "a.example", "/first", "cart=1; Max-Age=60; Secure; SameSite=Lax");
    see(&findings, &policy, "a.example", "/last", "cart=1; Max-Age=9; HttpOnly; SameSite=None");
    let rows = rows(&findings);
    let [row] = &*rows else { panic!("{rows:#?}") };
    assert_eq!((row.count, row.known, row.category.as_deref()), (2, Known::Declared, Some("necessary")));
    assert_eq!((&*row.first_page, &*row.last_page), ("/first", "/last"));
    let expected =
        Lines { read: 2, longest: Some(60), secure: 1, http_only: 1, strict: 0, lax: 1, none: 1, refused: 1 };
    assert_eq!(row.lines, expected);
}

#[test]
fn strangers_names_have_an_end_and_are_counted() {
    let (findings, policy) = (Findings::default(), policy());
    for number in 0..2 * MOST_UNKNOWN_OF_SITE {
        see(&findings, &policy, "a.example", "/", &format!("x{number}=1"));
    }
    assert_eq!(rows(&findings).len(), MOST_UNKNOWN_OF_SITE);
    for site in 0..2 * MOST / MOST_UNKNOWN_OF_SITE {
        for number in 0..MOST_UNKNOWN_OF_SITE {
            see(&findings, &policy, &format!("{site}.example"), "/", &format!("x{number}=1"));
        }
    }
    assert_eq!(rows(&findings).len(), MOST_UNKNOWN);
    let overflow: u64 = findings.table().overflow.values().sum();
    let told = (2 * MOST_UNKNOWN_OF_SITE + 2 * MOST) as u64;
    assert_eq!(overflow + rows(&findings).iter().map(|row| row.count).sum::<u64>(), told, "each is counted somewhere");
    // What the policy knows has room all the same.
    see(&findings, &policy, "a.example", "/", "cart=1");
    assert!(rows(&findings).iter().any(|row| &*row.name == "cart"));
}

#[test]
fn a_pattern_cannot_be_made_to_fill_the_table() {
    let (findings, policy) = (Findings::default(), policy());
    for number in 0..1000 {
        see(&findings, &policy, "a.example", "/", &format!("_c_{number}=1"));
    }
    let rows = rows(&findings);
    assert_eq!(rows.len(), NAMES_OF_RULE as usize + 1);
    let rest = rows.iter().find(|row| &*row.name == "_c_*").unwrap();
    assert_eq!(rest.count, 1000 - u64::from(NAMES_OF_RULE));
}

#[test]
fn long_names_and_paths_are_cut() {
    let (findings, policy) = (Findings::default(), policy());
    let long = "é".repeat(4000);
    see(&findings, &policy, "a.example", &long, &format!("{long}=1"));
    see(&findings, &policy, "a.example", "/\u{1b}[2J", "b\u{1b}=1");
    for row in rows(&findings) {
        assert!(row.name.len() <= Finding::MAX_NAME && row.first_page.len() <= 128, "{row:?}");
        assert!(!format!("{}{}", row.name, row.first_page).contains('\u{1b}'));
    }
}

#[test]
fn a_book_gathers_workers_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let policy = policy();
    let workers = vec![Arc::new(Findings::default()), Arc::default()];
    let open = || Arc::new(Book::open(path.clone(), workers.clone()));
    let book = open();
    for worker in &workers {
        see(worker, &policy, "a.example", "/", "cart=1");
        see(worker, &policy, "a.example", "/", "mystery=1");
    }
    let counts = |book: &Book| book.report().rows.iter().map(|row| (row.name.clone(), row.count)).collect::<Vec<_>>();
    assert_eq!(counts(&book), [("cart".into(), 2), ("mystery".into(), 2)]);
    assert!(rows(&workers[0]).is_empty(), "what was told is the book's");
    drop(Keeper::start(book).unwrap());

    let book = open();
    assert_eq!(counts(&book), [("cart".into(), 2), ("mystery".into(), 2)]);
    assert!(book.report().tallies.is_empty(), "metrics begin anew");
    see(&workers[1], &policy, "a.example", "/", "cart=1");
    assert_eq!(counts(&book)[0], ("cart".into(), 3));
    assert_eq!(book.report().tallies.values().sum::<u64>(), 1);
    assert_eq!(read(&path).unwrap().len(), 2);
}

#[test]
fn what_was_not_seen_for_long_is_forgotten_with_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let (worker, policy) = (Arc::new(Findings::default()), policy());
    see(&worker, &policy, "a.example", "/", "cart=1");
    see(&worker, &policy, "a.example", "/", "old=1");
    drop(Keeper::start(Arc::new(Book::open(path.clone(), vec![worker]))).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_at(text.find("\"name\":\"old\"").unwrap());
    let last = format!("\"last\":{}", NOW.0);
    assert!(after.contains(&last));
    fs::write(&path, format!("{before}{}", after.replacen(&last, "\"last\":1600000000", 1))).unwrap();
    let names: Vec<_> = Book::open(path, vec![]).report().rows.into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["cart".into()]);
}

#[test]
fn a_damaged_file_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let policy = policy();
    for damaged in ["", "{", "[]", "{\"version\":1}", "{\"version\":99,\"overflow\":0,\"rows\":[]}"] {
        fs::write(&path, damaged).unwrap();
        assert!(read(&path).is_err(), "{damaged}");
        let worker = Arc::new(Findings::default());
        let book = Arc::new(Book::open(path.clone(), vec![Arc::clone(&worker)]));
        assert!(book.report().rows.is_empty());
        see(&worker, &policy, "a.example", "/", "cart=1");
        drop(Keeper::start(book).unwrap());
        assert_eq!(read(&path).unwrap().len(), 1);
    }
}
