//! Properties over markup soup.

use proptest::prelude::*;

use super::*;

/// Bits of markup that, put together, open, close and break things.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let bits = prop::sample::select(vec![
        &b"<script>"[..],
        b"</script>",
        b"<script src=//bad.example/>",
        b"<script type=module ",
        b"track('init'",
        b"<noscript>",
        b"</noscript>",
        b"<iframe src=//bad.example/>",
        b"</iframe>",
        b"<iframe srcdoc='",
        b"'",
        b"\"",
        b"<img src=//bad.example/ ",
        b"<img src=/i srcset='/a 1x, //bad.example/b 2x'",
        b">",
        b"<",
        b"</",
        b"/>",
        b"=",
        b"<svg>",
        b"</svg>",
        b"<math>",
        b"<title>",
        b"</title>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<object data=//bad.example/>",
        b"</object>",
        b"<div>",
        b"</div>",
        b"<p>",
        b"<a ping=//bad.example/ href=x>",
        b"<base href=//bad.example/>",
        b"<textarea>",
        b"</textarea>",
        b"<style>",
        b"</style>",
        b"<template>",
        b"&lt;",
        b"&#60",
        b" ",
        b"\n",
        b"x",
        b"\xe9",
        b"\xff\xfe",
        b"\0",
        b"<meta charset=shift_jis>",
        b"<link rel=preload href=//bad.example/>",
        b"<body background=//bad.example/>",
        b"<table>",
    ]);
    prop::collection::vec(bits, 0..40).prop_map(|bits| bits.concat())
}

fn two(settings: &Settings, page: &[u8], cut: usize) -> (Vec<u8>, Result<(), Error>) {
    let (one, two) = page.split_at(cut.min(page.len()));
    let (out, result, _) = pieces(settings, [one, two].into_iter());
    (out, result)
}

proptest! {
    #[test]
    fn outcome_is_the_same_for_any_cut(page in soup(), cut in 0_usize..400, pass: bool, utf16: bool) {
        let mut settings = settings();
        settings.on_error = if pass { OnError::Pass } else { OnError::Abort };
        settings.limits.inline_script = 16;
        settings.limits.depth = 2;
        settings.charset = utf16.then_some(encoding_rs::UTF_16LE);
        let whole = pieces(&settings, std::iter::once(&page[..]));
        let bytewise = pieces(&settings, page.chunks(1));
        let cut = two(&settings, &page, cut);
        prop_assert_eq!(&whole.1, &cut.1);
        prop_assert_eq!(&whole.1, &bytewise.1);
        // What left before an error may differ by what was being held.
        if whole.1.is_ok() {
            prop_assert_eq!(lossy(&whole.0), lossy(&cut.0));
            prop_assert_eq!(lossy(&whole.0), lossy(&bytewise.0));
            prop_assert_eq!(whole.2, whole.0 != page);
        }
    }

    #[test]
    fn nothing_blocked_is_nothing_changed(page in soup(), cut in 0_usize..400) {
        let mut settings = granted();
        settings.on_error = OnError::Pass;
        let (out, result) = two(&settings, &page, cut);
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(out, page);
    }
}
