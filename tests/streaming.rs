//! The rewriter on endless pages: what it holds does not grow with the page, and nothing waits that could leave.
//!
//! A process of its own, for it looks at what the whole process holds.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::path::Path;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::html::{Gating, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::Grant;
use url::Url;

/// Where styles are read, every byte goes through the parser.
fn settings(styles: bool) -> Settings {
    let text = "
listen: 127.0.0.1:0
sites:
  - host: shop.example
    origin: http://127.0.0.1:1
    policy:
      styles: STYLES
      services: { bad: { category: marketing, hosts: ['*.bad.example'], inline: ['bad('] } }
";
    let (config, _) = config::parse(
        &text.replace("STYLES", &styles.to_string()),
        "site.yaml",
        Path::new(""),
        0,
        CertificateFiles::Skip,
    )
    .unwrap_or_else(|problems| panic!("{problems:#?}"));
    Settings {
        policy: Arc::clone(&config.sites[0].policy),
        grant: Grant::none(),
        url: Url::parse("https://shop.example/").unwrap(),
        charset: None,
        xml: false,
        gating: Gating::Remove,
        limits: Limits::default(),
        on_error: OnError::Abort,
        preferences: "/_consent/".into(),
        csp: Default::default(),
        speech: Speech::default(),
        asks: true,
        insert: consentry::html::Insertions::default(),
    }
}

/// What the process holds, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

/// Pieces that, repeated, make the kinds of page that could pile up: text, tags, open elements, one script, one sheet,
/// one comment, documents in a document, findings.
const PIECES: [(&str, &str); 8] = [
    ("", "<p class=x>Text &amp; more <a href=/x>link</a> <img src=//x.bad.example/i alt=x></p>\n"),
    ("", "nothing but text, and no tag at all, not even the smallest, for as long as you care to read\n"),
    ("<script>", "var a = 'as long as a script can be'; own(a);\n"),
    ("<style>", "a > b { color: red; background: url(/own) } /* and so on */\n"),
    ("<!-- ", "a comment without an end - "),
    ("<noscript>", "<p><img src=//x.bad.example/i></p>"),
    ("<textarea>", "<img src=//x.bad.example/i>"),
    ("<svg>", "<g><image href=//x.bad.example/i /></g>"),
];

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_page() {
    // A debug build reads a MiB a second; `--release -- --include-ignored` reads 200.
    endless(3 << 19);
}

#[test]
#[ignore = "takes a minute without --release"]
#[cfg(target_os = "linux")]
fn pages_of_200_mib_need_a_few_mib() {
    endless(200 << 20);
}

#[cfg(target_os = "linux")]
fn endless(page: usize) {
    for (styles, (start, piece)) in [true, false].into_iter().flat_map(|styles| PIECES.map(|page| (styles, page))) {
        let mut rewriter = Rewriter::new(settings(styles));
        let chunk = piece.repeat(16 * 1024 / piece.len());
        let (mut read, mut left, mut out) = (0, 0, Vec::with_capacity(chunk.len()));
        let before = resident();
        rewriter.write(start.as_bytes(), &mut out).unwrap();
        while read < page {
            read += chunk.len();
            rewriter.write(chunk.as_bytes(), &mut out).unwrap();
            left += out.len();
            out.clear();
            let grown = resident().saturating_sub(before);
            assert!(grown < 1 << 20, "{grown} bytes held after {read} of {start}{piece}");
        }
        assert!(left > read / 8, "{left} of {read} left");
        rewriter.end(&mut out).unwrap();
    }
}

#[test]
fn every_byte_leaves_that_no_token_holds() {
    // What is read, and how much of it may be waited for: the token that is open at its end.
    for (page, open) in [
        ("<!DOCTYPE html><html><head><title>T", ""),
        ("<p>text", ""),
        ("<p>text <", "<"),
        ("<p>text <im", "<im"),
        ("<p>text <img alt='a > b' src=/x", "<img alt='a > b' src=/x"),
        ("<p>text <b class='a'>x", ""),
        ("<p>text </b", "</b"),
        ("<script>own();", "own();"),
        ("<script src=/own.js>", ""),
        ("<style>a{color:red;b:u", "u"),
        ("<style>a{b:url(//good.exam", "url(//good.exam"),
        ("<noscript><p>a<i", "<i"),
        ("<textarea><img src=//x.bad.example/>", ""),
        ("\u{e9}\u{4e2d}", ""),
    ] {
        for styles in [true, false] {
            // A sheet is but text where nobody reads it.
            let open = if page.starts_with("<style") && !styles { "" } else { open };
            let mut rewriter = Rewriter::new(settings(styles));
            let mut out = Vec::new();
            for byte in page.as_bytes().chunks(1) {
                rewriter.write(byte, &mut out).unwrap();
            }
            let wanted = page.strip_suffix(open).unwrap();
            assert_eq!(String::from_utf8_lossy(&out), wanted, "after {page}");
        }
    }
}
