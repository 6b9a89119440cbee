//! Any page, cut anywhere: the outcome is that of the whole page, and a visitor who granted everything gets the
//! bytes that came.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use consentry::config::{self, CertificateFiles};
use consentry::html::{Error, Gating, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::{Grant, Policy};
use libfuzzer_sys::fuzz_target;
use url::Url;

const CONFIG: &str = "
listen: 127.0.0.1:0
sites:
  - host: shop.example
    origin: http://127.0.0.1:1
    policy:
      styles: true
      services:
        bad: { category: marketing, hosts: ['*.b.io', 'shop.example/t*'], inline: ['bad('] }
";

static POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    let (config, _) = config::parse(CONFIG, "fuzz.yaml", Path::new(""), 0, CertificateFiles::Skip)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::clone(&config.sites[0].policy)
});

/// What left, whether all of it could be rewritten, and whether something was taken out.
fn rewrite<'a>(grant: &Grant, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Result<(), Error>, bool) {
    let mut rewriter = Rewriter::new(Settings {
        policy: Arc::clone(&POLICY),
        grant: grant.clone(),
        url: Url::parse("https://shop.example/a/page.html").expect("a constant"),
        charset: None,
        limits: Limits::default(),
        on_error: OnError::Abort,
        preferences: "/_consent/".into(),
        csp: Default::default(),
        speech: Speech::default(),
        asks: true,
        insert: consentry::html::Insertions::default(),
        gating: Gating::Remove,
        xml: false,
    });
    let mut out = Vec::new();
    let write = || {
        for piece in pieces {
            rewriter.write(piece, &mut out)?;
        }
        rewriter.end(&mut out)
    };
    let result = write();
    (out, result, rewriter.changed())
}

fuzz_target!(|data: &[u8]| {
    let Some((&[cut, step], page)) = data.split_first_chunk() else { return };
    let refused = Grant::none();
    let (whole, result, changed) = rewrite(&refused, std::iter::once(page));
    let (first, rest) = page.split_at(usize::from(cut).min(page.len()));
    let pieces = std::iter::once(first).chain(rest.chunks(usize::from(step).max(1)));
    let (cut, cut_result, cut_changed) = rewrite(&refused, pieces);
    assert_eq!(cut_result.is_ok(), result.is_ok(), "{result:?} whole, {cut_result:?} cut");
    if result.is_ok() {
        assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(&whole));
        assert_eq!(cut_changed, changed);
        assert_eq!(changed, whole != page, "changed() tells the truth");
    }
    let mut all = Grant::none();
    for key in ["necessary", "functional", "analytics", "marketing"] {
        all.grant_category(POLICY.category_named(key).expect("the categories that a policy has by itself"));
    }
    let (same, result, changed) = rewrite(&all, page.chunks(usize::from(step).max(1)));
    if result.is_ok() {
        assert!(same == page && !changed, "nothing is refused, and yet something changed");
    }
});
