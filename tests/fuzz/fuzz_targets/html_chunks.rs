//! Any page, cut anywhere: the outcome is that of the whole page, with and without the prefilter, and a visitor who
//! granted everything gets the bytes that came.
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
      styles: STYLES
      services:
        bad: { category: marketing, hosts: ['*.b.io', 'shop.example/t*'], inline: ['bad('] }
";

/// Where styles are read, the parser reads everything.
static POLICIES: LazyLock<[Arc<Policy>; 2]> = LazyLock::new(|| ["true", "false"].map(policy));

fn policy(styles: &str) -> Arc<Policy> {
    let (config, _) = config::parse(&CONFIG.replace("STYLES", styles), "fuzz.yaml", Path::new(""), 0, CertificateFiles::Skip)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::clone(&config.sites[0].policy)
}

/// What left, whether all of it could be rewritten, and whether something was taken out.
fn rewrite<'a>(
    rewriter: fn(Settings) -> Rewriter,
    policy: &Arc<Policy>,
    grant: &Grant,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<u8>, Result<(), Error>, bool) {
    let mut rewriter = rewriter(Settings {
        policy: Arc::clone(policy),
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
    for policy in &*POLICIES {
        let refused = Grant::none();
        let (whole, result, changed) = rewrite(Rewriter::unfiltered, policy, &refused, std::iter::once(page));
        let (first, rest) = page.split_at(usize::from(cut).min(page.len()));
        let pieces = std::iter::once(first).chain(rest.chunks(usize::from(step).max(1)));
        let (cut, cut_result, cut_changed) = rewrite(Rewriter::new, policy, &refused, pieces);
        assert_eq!(cut_result.is_ok(), result.is_ok(), "{result:?} whole, {cut_result:?} cut");
        if result.is_ok() {
            assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(&whole));
            assert_eq!(cut_changed, changed);
            assert_eq!(changed, whole != page, "changed() tells the truth");
        }
        let mut all = Grant::none();
        for key in ["necessary", "functional", "analytics", "marketing"] {
            all.grant_category(policy.category_named(key).expect("the categories that a policy has by itself"));
        }
        let pieces = page.chunks(usize::from(step).max(1));
        let (same, result, changed) = rewrite(Rewriter::new, policy, &all, pieces);
        if result.is_ok() {
            assert!(same == page && !changed, "nothing is refused, and yet something changed");
        }
    }
});
