//! Elements that stay, inert.

use super::*;

/// What an element needs to be freed.
const NEEDS: &str = "data-consentry-needs=\"service:bad\"";

fn neutral() -> Settings {
    Settings { gating: Gating::Neutralise, ..settings() }
}

/// What stays inert: nothing that a browser acts on, and every byte of the rest.
const CASES: [(&str, &str); 14] = [
    (
        "<script src=//bad.example/x async></script>",
        "<script NEEDS type=\"text/plain\" data-consentry-src=//bad.example/x async></script>",
    ),
    (
        "<script async type='module' src=//bad.example/x></script>",
        "<script NEEDS async type=\"text/plain\" data-consentry-type='module' data-consentry-src=//bad.example/x></script>",
    ),
    ("<script>track('init')</script>", "<script NEEDS type=\"text/plain\">track('init')</script>"),
    ("<SCRIPT id=a>track('init')</SCRIPT>", "<SCRIPT NEEDS type=\"text/plain\" id=a>track('init')</SCRIPT>"),
    ("<script>own()</script>", "<script>own()</script>"),
    (
        "<iframe src=\"//bad.example/v\" width=1>x</iframe>",
        "<iframe NEEDS data-consentry-src=\"//bad.example/v\" width=1>x</iframe>",
    ),
    (
        "<img src=//bad.example/i srcset='//bad.example/i 2x'/>",
        "<img NEEDS data-consentry-src=//bad.example/i data-consentry-srcset='//bad.example/i 2x'/>",
    ),
    ("<link rel=stylesheet href=//bad.example/c>", "<link NEEDS rel=stylesheet data-consentry-href=//bad.example/c>"),
    (
        "<meta http-equiv=refresh content='0;url=//bad.example/'>",
        "<meta NEEDS http-equiv=refresh data-consentry-content='0;url=//bad.example/'>",
    ),
    (
        "<object data=//bad.example/><b>x</b></object>",
        "<object NEEDS data-consentry-data=//bad.example/><b>x</b></object>",
    ),
    ("<a href=/x ping=//bad.example/>t</a>", "<a NEEDS href=/x data-consentry-ping=//bad.example/>t</a>"),
    (
        "<img src=/a srcset='/a, //bad.example/b 2x'>",
        "<img NEEDS src=/a data-consentry-srcset=\"/a, //bad.example/b 2x\" srcset=\"/a\">",
    ),
    (
        "<svg><image xlink:href=//bad.example/i></image></svg>",
        "<svg><image NEEDS data-consentry-xlink-href=//bad.example/i></image></svg>",
    ),
    (
        "<noscript><img src=//bad.example/></noscript>",
        "<noscript><img NEEDS data-consentry-src=//bad.example/></noscript>",
    ),
];

#[test]
fn elements_stay_inert() {
    for (before, after) in CASES {
        let page = |inner: &str| format!("<p>x{inner}<i>y</i>");
        assert_eq!(
            lossy(&rewrite_bytes(&neutral(), page(before).as_bytes())),
            page(&after.replace("NEEDS", NEEDS)),
            "{before}"
        );
        let granted = Settings { gating: Gating::Neutralise, ..granted() };
        assert_eq!(lossy(&rewrite_bytes(&granted, page(before).as_bytes())), page(before), "{before}");
    }
}

#[test]
fn client_is_the_same_for_everybody() {
    for (before, after) in CASES {
        for grant in [settings().grant, granted().grant] {
            let settings = Settings { gating: Gating::Client, grant, ..settings() };
            assert_eq!(lossy(&rewrite_bytes(&settings, before.as_bytes())), after.replace("NEEDS", NEEDS), "{before}");
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
    assert_eq!(out, page.replace("<script>", &format!("<script {NEEDS} type=\"text/plain\">")));
}

#[test]
fn element_of_two_services_needs_both() {
    let mut parts = settings().policy.parts().clone();
    let mut other = parts.services[0].clone();
    (other.id, other.tags, other.snippets) = ("other".into(), Vec::new(), Vec::new());
    let rule = parts.services[0].tags[0].rule;
    other.tags.push(TagRule { pattern: HostPattern::parse("other.example").unwrap(), rule });
    other.snippets.push(SnippetRule { text: "spy(".into(), rule });
    parts.services.push(other);
    let catalogue = Arc::new(Catalogue::compile(CatalogueParts::default()));
    let settings = Settings { policy: Arc::new(Policy::compile(parts, catalogue)), ..neutral() };
    for (page, needs) in [
        ("<img src=//bad.example/ srcset='//other.example/ 2x'>", "service:bad service:other"),
        ("<script>spy(1);track('init')</script>", "service:other service:bad"),
        ("<script src=//other.example/></script>", "service:other"),
    ] {
        let out = lossy(&rewrite_bytes(&settings, page.as_bytes()));
        assert!(out.contains(&format!(" data-consentry-needs=\"{needs}\"")), "{out}");
    }
}

#[test]
fn frame_shows_its_placeholder_until_it_is_freed() {
    let page = "<iframe src=//bad.example/v srcdoc='<p>' width=9 height=9></iframe>";
    let out = lossy(&rewrite_bytes(&neutral(), page.as_bytes()));
    assert!(out.contains(" data-consentry-src=//bad.example/v data-consentry-srcdoc='<p>' width=9"), "{out}");
    assert!(out.contains(" srcdoc=\"&lt;!DOCTYPE html&gt;") && out.contains("/_consent/choice"), "{out}");
    // Its form could not be sent, nor its link be followed.
    let boxed = "<iframe sandbox src=//bad.example/v width=9 height=9></iframe>";
    assert!(!lossy(&rewrite_bytes(&neutral(), boxed.as_bytes())).contains(" srcdoc="));
}

#[test]
fn our_script_stands_first_in_the_head_once() {
    let settings = Settings {
        insert: Insertions { head: Some("<script src=ours></script>".into()), ..Insertions::default() },
        ..settings()
    };
    for (before, after) in [
        (
            "<!DOCTYPE html><html><head lang=x><meta charset=utf-8>",
            "<!DOCTYPE html><html><head lang=x>*<meta charset=utf-8>",
        ),
        ("<title>x</title><link rel=x><head>", "<title>x</title>*<link rel=x><head>"),
        ("<p>x<svg><image /></svg><img src=a><img src=b>", "<p>x<svg><image /></svg>*<img src=a><img src=b>"),
        ("<noscript><img src=a></noscript>", "*<noscript><img src=a></noscript>"),
        ("<p>nothing", "<p>nothing"),
    ] {
        let after = after.replace('*', "<script src=ours></script>");
        assert_eq!(lossy(&rewrite_bytes(&settings, before.as_bytes())), after);
    }
}

#[test]
fn what_is_required_is_never_gated() {
    let mut parts = settings().policy.parts().clone();
    parts.categories[0].required = true;
    let catalogue = Arc::new(Catalogue::compile(CatalogueParts::default()));
    let policy = Arc::new(Policy::compile(parts, catalogue));
    let page = "<script src=//bad.example/x></script>";
    let settings = Settings { gating: Gating::Client, policy, ..settings() };
    assert_eq!(lossy(&rewrite_bytes(&settings, page.as_bytes())), page);
}
