//! Elements that stay, inert.

use super::*;

fn neutral() -> Settings {
    Settings { gating: Gating::Neutralise, ..settings() }
}

/// What stays inert: nothing that a browser acts on, and every byte of the rest.
const CASES: [(&str, &str); 12] = [
    (
        "<script src=//bad.example/x async></script>",
        "<script type=\"text/plain\" data-consentry-src=//bad.example/x async></script>",
    ),
    (
        "<script async type='module' src=//bad.example/x></script>",
        "<script async type=\"text/plain\" data-consentry-type='module' data-consentry-src=//bad.example/x></script>",
    ),
    ("<script>track('init')</script>", "<script type=\"text/plain\">track('init')</script>"),
    ("<SCRIPT id=a>track('init')</SCRIPT>", "<SCRIPT type=\"text/plain\" id=a>track('init')</SCRIPT>"),
    ("<script>own()</script>", "<script>own()</script>"),
    (
        "<iframe src=\"//bad.example/v\" width=1>x</iframe>",
        "<iframe data-consentry-src=\"//bad.example/v\" width=1>x</iframe>",
    ),
    (
        "<img src=//bad.example/i srcset='//bad.example/i 2x'/>",
        "<img data-consentry-src=//bad.example/i data-consentry-srcset='//bad.example/i 2x'/>",
    ),
    ("<link rel=stylesheet href=//bad.example/c>", "<link rel=stylesheet data-consentry-href=//bad.example/c>"),
    (
        "<meta http-equiv=refresh content='0;url=//bad.example/'>",
        "<meta http-equiv=refresh data-consentry-content='0;url=//bad.example/'>",
    ),
    ("<object data=//bad.example/><b>x</b></object>", "<object data-consentry-data=//bad.example/><b>x</b></object>"),
    ("<a href=/x ping=//bad.example/>t</a>", "<a href=/x>t</a>"),
    ("<noscript><img src=//bad.example/></noscript>", "<noscript><img data-consentry-src=//bad.example/></noscript>"),
];

#[test]
fn elements_stay_inert() {
    for (before, after) in CASES {
        let page = |inner: &str| format!("<p>x{inner}<i>y</i>");
        assert_eq!(lossy(&rewrite_bytes(&neutral(), page(before).as_bytes())), page(after), "{before}");
        let granted = Settings { gating: Gating::Neutralise, ..granted() };
        assert_eq!(lossy(&rewrite_bytes(&granted, page(before).as_bytes())), page(before), "{before}");
    }
}

#[test]
fn client_is_the_same_for_everybody() {
    for (before, after) in CASES {
        for grant in [settings().grant, granted().grant] {
            let settings = Settings { gating: Gating::Client, grant, ..settings() };
            assert_eq!(lossy(&rewrite_bytes(&settings, before.as_bytes())), after, "{before}");
        }
    }
}

#[test]
fn script_that_is_too_long_to_be_held_is_emptied() {
    let mut settings = neutral();
    settings.limits.inline_script = 64;
    let page = format!("<script>{}track('init'){}</script>x", "a;".repeat(100), "b;".repeat(100));
    let out = lossy(&rewrite_bytes(&settings, page.as_bytes()));
    assert!(out.starts_with("<script>a;a;") && out.ends_with("</script>x") && !out.contains("track('init'"), "{out}");
    let page = format!("<script>track('init'){}</script>x", "b;".repeat(100));
    let out = lossy(&rewrite_bytes(&settings, page.as_bytes()));
    assert_eq!(out, page.replace("<script>", "<script type=\"text/plain\">"));
}
