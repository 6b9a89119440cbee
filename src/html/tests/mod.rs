//! Whole pages through the rewriter: each whole, byte by byte, and cut at seeded random places.

mod browser;
mod charsets;
mod contacts;
mod differential;
mod gating;
mod html5lib;
mod inserting;
mod limits;
mod pages;
mod payloads;
mod scripts;
mod soup;
mod styles;
mod xhtml;

use std::sync::Arc;

use super::*;
use crate::policy::{
    Catalogue, CatalogueParts, Category, CategoryId, HostPattern, PolicyParts, RuleId, RuleSource, Service,
    SnippetRule, TagRule,
};

/// A site with one refused service.
fn settings() -> Settings {
    reading(false)
}

/// The same, with `styles` on.
fn styled() -> Settings {
    reading(true)
}

fn reading(styles: bool) -> Settings {
    let category = Category {
        id: "marketing".into(),
        label: "Marketing".into(),
        purpose: "".into(),
        required: false,
        gpc: false,
        dnt: false,
        lifetime: None,
        catalogue: Vec::new(),
        ..Default::default()
    };
    let rule = RuleId(0);
    let tag = |text| TagRule { pattern: HostPattern::parse(text).unwrap(), rule };
    let service = Service {
        id: "bad".into(),
        label: "Bad & Co".into(),
        vendor: "".into(),
        purpose: "".into(),
        category: CategoryId(0),
        lifetime: None,
        privacy: None,
        opt_out: None,
        uses: None,
        cookies: Vec::new(),
        storage: Vec::new(),
        tags: vec![tag("*.bad.example"), tag("bad.example"), tag("xn--caf-dma.example"), tag("shop.example/t/*")],
        snippets: vec![SnippetRule { text: "track('init'".into(), rule }],
        ..Default::default()
    };
    let parts = PolicyParts {
        categories: vec![category],
        styles,
        services: vec![service],
        sources: vec![RuleSource { file: "policy.yaml".into(), line: 1, text: "".into() }],
        ..PolicyParts::default()
    };
    let catalogue = Arc::new(Catalogue::compile(CatalogueParts::default()));
    Settings {
        policy: Arc::new(Policy::compile(parts, catalogue)),
        grant: Grant::none(),
        url: Url::parse("https://shop.example/a/page.html").unwrap(),
        charset: None,
        xml: false,
        gating: Gating::Remove,
        limits: Limits::default(),
        on_error: OnError::Abort,
        preferences: "/_consent/".into(),
        csp: Default::default(),
        speech: Speech::default(),
        asks: true,
        insert: Insertions::default(),
    }
}

/// As [`settings`], for a visitor who granted everything.
fn granted() -> Settings {
    let mut settings = settings();
    settings.grant.grant_category(CategoryId(0));
    settings
}

/// The outcome of the page in these pieces, which is the same with and without the prefilter.
fn pieces<'a>(
    settings: &Settings,
    pieces: impl Iterator<Item = &'a [u8]> + Clone,
) -> (Vec<u8>, Result<(), Error>, bool) {
    let [filtered, unfiltered] = [Rewriter::new, Rewriter::unfiltered].map(|rewriter| {
        let (mut rewriter, mut out) = (rewriter(settings.clone()), Vec::new());
        let mut write = || {
            for piece in pieces.clone() {
                rewriter.write(piece, &mut out)?;
            }
            rewriter.end(&mut out)
        };
        let result = write();
        let told = (rewriter.findings(), rewriter.passed(), rewriter.contacts(), rewriter.gave_up());
        ((lossy(&out), result.clone(), rewriter.changed(), told), (out, result))
    });
    if unfiltered.0.1.is_ok() {
        assert_eq!(filtered.0, unfiltered.0, "with and without the prefilter");
    } else {
        assert_eq!(filtered.0.1, unfiltered.0.1, "with and without the prefilter");
    }
    let (out, result) = filtered.1;
    (out, result, filtered.0.2)
}

/// Rewrites the page whole, byte by byte and at random cuts; all must agree.
fn rewrite_bytes(settings: &Settings, page: &[u8]) -> Vec<u8> {
    let (whole, result, changed) = pieces(settings, std::iter::once(page));
    result.unwrap();
    assert_eq!(changed, whole != page, "changed() tells the truth");
    let (bytewise, result, _) = pieces(settings, page.chunks(1));
    result.unwrap();
    assert_eq!(lossy(&bytewise), lossy(&whole), "byte by byte");
    // xorshift: a failure repeats itself.
    let mut state = 0x2545_f491_4f6c_dd1d_u64 ^ page.len() as u64;
    for _ in 0..4 {
        let (mut rest, mut cuts) = (page, Vec::new());
        while !rest.is_empty() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let (piece, later) = rest.split_at((state % 23) as usize % (rest.len() + 1));
            cuts.push(piece);
            rest = later;
        }
        let (cut, result, _) = pieces(settings, cuts.iter().copied());
        result.unwrap();
        assert_eq!(lossy(&cut), lossy(&whole), "cut as {:?}", cuts.iter().map(|c| c.len()).collect::<Vec<_>>());
    }
    whole
}

fn rewrite(page: &str) -> String {
    lossy(&rewrite_bytes(&settings(), page.as_bytes()))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn rewriter_may_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Rewriter>();
}
