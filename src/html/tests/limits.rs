//! What happens at a limit and beyond it, both ways of `on_error`.

use super::*;

fn with(on_error: OnError, limits: Limits) -> Settings {
    Settings { on_error, limits, ..settings() }
}

/// Runs the page in small pieces and returns what left and how it ended.
fn run(settings: &Settings, page: &str) -> (String, Result<(), Error>, Option<Error>) {
    let mut rewriter = Rewriter::new(settings.clone());
    let mut out = Vec::new();
    let mut result = Ok(());
    for piece in page.as_bytes().chunks(100) {
        result = result.and_then(|()| rewriter.write(piece, &mut out));
    }
    result = result.and_then(|()| rewriter.end(&mut out));
    (lossy(&out), result, rewriter.gave_up())
}

#[test]
fn endless_tag_is_an_error_or_passes() {
    let limits = Limits { memory: 16 << 10, ..Limits::default() };
    let small = format!("<img src=//bad.example/i><img alt='{}'>x", "a".repeat(4 << 10));
    let huge = format!("<img src=//bad.example/i><img alt='{}'><img src=//bad.example/i>", "a".repeat(64 << 10));
    for on_error in [OnError::Abort, OnError::Pass] {
        let (out, result, gave_up) = run(&with(on_error, limits), &small);
        assert_eq!((out.len(), result, gave_up), (small.len() - 25, Ok(()), None));
    }
    let (out, result, _) = run(&with(OnError::Abort, limits), &huge);
    assert_eq!(result, Err(Error::Memory));
    assert!(!out.contains("bad.example"), "nothing passes unread");
    let (out, result, gave_up) = run(&with(OnError::Pass, limits), &huge);
    assert_eq!((result, gave_up), (Ok(()), Some(Error::Memory)));
    assert_eq!(out, &huge["<img src=//bad.example/i>".len()..], "the rest passes as it came");
}

#[test]
fn script_that_is_held_when_the_page_is_given_up_is_not_lost() {
    let limits = Limits { memory: 16 << 10, ..Limits::default() };
    let page = format!("<noscript><p><img src=//bad.example/i><img alt='{}'></noscript>", "a".repeat(64 << 10));
    let (out, result, gave_up) = run(&with(OnError::Pass, limits), &page);
    assert_eq!((result, gave_up), (Ok(()), Some(Error::Memory)));
    assert_eq!(out, page.replace("<img src=//bad.example/i>", ""));
    let (_, result, _) = run(&with(OnError::Abort, limits), &page);
    assert_eq!(result, Err(Error::Memory));
}

#[test]
fn documents_in_documents_have_a_limit() {
    let mut page = String::from("<img src=//bad.example/i>");
    for _ in 0..3 {
        page = format!("<iframe srcdoc={}></iframe>", crate::page::escape::quote(&page));
    }
    let limits = |depth| Limits { depth, ..Limits::default() };
    for on_error in [OnError::Abort, OnError::Pass] {
        let (out, result, _) = run(&with(on_error, limits(3)), &page);
        assert_eq!(result, Ok(()));
        assert!(!out.contains("bad.example"), "{out}");
    }
    assert_eq!(run(&with(OnError::Abort, limits(2)), &page).1, Err(Error::Depth));
    let (out, result, gave_up) = run(&with(OnError::Pass, limits(2)), &page);
    assert_eq!((out, result, gave_up), (page, Ok(()), Some(Error::Depth)));
}

#[test]
fn doubtful_markup_is_read_both_ways() {
    for on_error in [OnError::Abort, OnError::Pass] {
        for (page, wanted) in [
            ("<select><xmp>a<script src=//bad.example/></script></xmp></select>", "<select><xmp>a</xmp></select>"),
            ("<select><option>a<style>a{}</style><img src=//bad.example/>", "<select><option>a<style>a{}</style>"),
            ("<select></select><style><img src=//bad.example/></style>", ""),
            ("<frameset><noscript><frame src=//bad.example/></noscript>", "<frameset><noscript><frame></noscript>"),
            ("<frameset><title><script src=//bad.example/></script></title>", "<frameset><title></title>"),
        ] {
            let (out, result, gave_up) = run(&with(on_error, Limits::default()), page);
            let wanted = if wanted.is_empty() { page } else { wanted };
            assert_eq!((out.as_str(), result, gave_up), (wanted, Ok(()), None));
        }
    }
}

#[test]
fn every_call_after_an_error_is_one() {
    let limits = Limits { memory: 4 << 10, ..Limits::default() };
    let mut rewriter = Rewriter::new(with(OnError::Abort, limits));
    let mut out = Vec::new();
    let tag = format!("<img title='{}", "a".repeat(8 << 10));
    for _ in 0..3 {
        assert_eq!(rewriter.write(tag.as_bytes(), &mut out), Err(Error::Memory));
    }
    assert_eq!(rewriter.end(&mut out), Err(Error::Memory));
    assert!(out.len() < 100);
}

#[test]
fn findings_are_bounded() {
    let page: String = (0..100).map(|i| format!("<img src=//{i}.bad.example/>")).collect();
    let mut rewriter = Rewriter::new(with(OnError::Abort, Limits { findings: 10, ..Limits::default() }));
    rewriter.write(page.as_bytes(), &mut Vec::new()).unwrap();
    assert_eq!(rewriter.findings().len(), 10);
}

#[test]
fn any_limit_makes_a_rewriter() {
    for memory in [0, 1, 100, 1023, 1024, 5000] {
        let mut rewriter = Rewriter::new(with(OnError::Pass, Limits { memory, ..Limits::default() }));
        let mut out = Vec::new();
        rewriter.write(b"<p><img src=/x>", &mut out).unwrap();
        rewriter.end(&mut out).unwrap();
        assert_eq!(lossy(&out), "<p><img src=/x>");
    }
}
