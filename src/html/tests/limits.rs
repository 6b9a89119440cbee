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

/// The longest of its kind that is let through, and one byte more.
fn edge(limits: Limits, page: impl Fn(usize) -> String) -> usize {
    let passes = |length: usize| run(&with(OnError::Abort, limits), &page(length)).1.is_ok();
    let (mut good, mut bad) = (0, 4 * limits.memory);
    assert!(passes(good) && !passes(bad));
    while good + 1 < bad {
        let middle = usize::midpoint(good, bad);
        if passes(middle) { good = middle } else { bad = middle }
    }
    good
}

#[test]
fn memory_holds_a_tag_and_a_token_of_css_up_to_the_limit_and_no_longer() {
    let limits = Limits { memory: 16 << 10, ..Limits::default() };
    let tag = |length: usize| format!("<p>x<img alt='{}'>y<img src=//bad.example/i>", "a".repeat(length));
    let attribute = |length: usize| format!("<a href=/x {}>x</a>", "a".repeat(length));
    let document = |length: usize| format!("<iframe srcdoc='<p>{}'></iframe>", "a".repeat(length));
    let url = |length: usize| format!("<style>a{{b:url(/{})}}</style>y", "a".repeat(length));
    let pages: [(&dyn Fn(usize) -> String, bool); 4] =
        [(&tag, false), (&attribute, false), (&document, false), (&url, true)];
    for (number, (page, reads_styles)) in pages.into_iter().enumerate() {
        let settings = |on_error| match reads_styles {
            true => Settings { on_error, limits, ..styled() },
            false => with(on_error, limits),
        };
        let edge = if reads_styles { limits.memory - "url(/".len() } else { edge(limits, page) };
        // The limit is what it says: the parser's own needs take some of it, and nothing takes twice as much.
        assert!((limits.memory / 2..=limits.memory).contains(&edge), "{number}: {edge}");
        for on_error in [OnError::Abort, OnError::Pass] {
            let (_, result, gave_up) = run(&settings(on_error), &page(edge));
            assert_eq!((result, gave_up), (Ok(()), None), "{number}, at the limit");
        }
        let over = page(edge + 200);
        let (out, result, _) = run(&settings(OnError::Abort), &over);
        assert_eq!(result, Err(Error::Memory), "{number}, over the limit");
        assert!(out.len() < over.len() && !out.contains("bad.example"));
        let (out, result, gave_up) = run(&settings(OnError::Pass), &over);
        assert_eq!((&*out, result, gave_up), (&*over, Ok(()), Some(Error::Memory)), "{number}, over the limit");
    }
}

#[test]
fn scripts_are_judged_whole_up_to_the_limit_and_in_parts_beyond_it() {
    let limits = Limits { inline_script: 64, ..Limits::default() };
    for length in [63, 64, 65, 66, 67, 96, 97, 128, 129] {
        let text = format!("{}track('init');", "a;".repeat(64));
        let text = &text[text.len() - length..];
        for on_error in [OnError::Abort, OnError::Pass] {
            let (out, result, gave_up) = run(&with(on_error, limits), &format!("<script>{text}</script><b>"));
            assert_eq!((result, gave_up), (Ok(()), None));
            assert!(!out.contains("track") && out.ends_with("</script><b>"), "{out}");
            // The first 64 bytes, which are held, end behind the signature or within it.
            assert_eq!(out == "<script></script><b>", length <= 66, "{length}: {out}");
        }
    }
}

#[test]
fn findings_and_contacts_are_kept_up_to_their_limit() {
    for (findings, contacts) in [(9, 9), (10, 10), (11, 11), (0, 0)] {
        let page: String =
            (0..10).map(|i| format!("<img src=//{i}.bad.example/><img src=//{i}.good.example/>")).collect();
        let limits = Limits { findings, contacts, ..Limits::default() };
        let mut rewriter = Rewriter::new(with(OnError::Abort, limits));
        let mut out = Vec::new();
        rewriter.write(page.as_bytes(), &mut out).unwrap();
        assert_eq!(rewriter.findings().len(), findings.min(10));
        assert_eq!(rewriter.passed().len(), findings.min(10));
        assert_eq!(rewriter.contacts().len(), contacts.min(20));
        assert!(!lossy(&out).contains("bad.example"), "what is not told goes all the same");
    }
}

#[test]
fn open_elements_are_bounded_too() {
    let limits = Limits { memory: 64 << 10, ..Limits::default() };
    for open in ["<svg>", "<template>", "<object>", "<svg><foreignObject>"] {
        let page = |count: usize| format!("{}<img src=//bad.example/i>", open.repeat(count));
        let (out, result, _) = run(&with(OnError::Abort, limits), &page(100));
        assert!(result.is_ok() && !out.contains("bad.example"), "{open}: {result:?}");
        let (out, result, _) = run(&with(OnError::Abort, limits), &page(20_000));
        assert_eq!(result, Err(Error::Memory), "{open}");
        assert!(!out.contains("bad.example"), "{open}");
        let (out, result, gave_up) = run(&with(OnError::Pass, limits), &page(20_000));
        assert_eq!((out, result, gave_up), (page(20_000), Ok(()), Some(Error::Memory)), "{open}");
    }
    // What nobody looks at is not held, however long it is.
    let page = format!("<p {}>x<img src=//bad.example/i>", "a".repeat(1 << 20));
    assert_eq!(
        run(&with(OnError::Abort, limits), &page),
        (page.replace("<img src=//bad.example/i>", ""), Ok(()), None)
    );
}

#[test]
fn long_tags_and_comments_are_read_like_short_ones() {
    let long = "a>b ".repeat(3000);
    for (before, after) in [
        (format!("<p><img alt='{long}' src=//bad.example/><i><img src=//bad.example/>"), "<p><i>".to_owned()),
        (format!("<p title=\"{long}\"><img src=//bad.example/>"), format!("<p title=\"{long}\">")),
        (format!("<!--{long}--><img src=//bad.example/>x"), format!("<!--{long}-->x")),
        (format!("<script>{long}</script><img src=//bad.example/>x"), format!("<script>{long}</script>x")),
        (format!("<title></title {long}\"'><img src=//bad.example/>x"), format!("<title></title {long}\"'>x")),
    ] {
        for size in [100, 1000, 5000, before.len()] {
            let (out, result, _) = pieces(&settings(), before.as_bytes().chunks(size));
            assert_eq!((result, lossy(&out)), (Ok(()), after.clone()), "in pieces of {size}");
        }
    }
}
