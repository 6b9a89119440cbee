//! CSS in a page whose policy has it read.

use super::*;

#[test]
fn blocked_urls_go_out_of_style_sheets_and_attributes() {
    let settings = styled();
    for (before, after) in [
        ("<style>a{b:url(//bad.example/x)}</style>x", "<style>a{b:url(data:,)}</style>x"),
        ("<STYLE media=x>@import '//bad.example/c.css';</style >x", "<STYLE media=x>@import 'data:,';</style >x"),
        ("<style>a{b:url(//bad.example/x", "<style>a{b:url(data:,"),
        ("<style>a{b:url(c)}<img src=//bad.example/></style>", "<style>a{b:url(c)}<img src=//bad.example/></style>"),
        ("<svg><style>a{b:url(//bad.example/x)}</style></svg>", "<svg><style>a{b:url(data:,)}</style></svg>"),
        (
            "<svg><style>a{b:url(&quot;//bad.example&#x2f;x&quot;)}</style></svg>",
            "<svg><style>a{b:url(data:,)}</style></svg>",
        ),
        (
            "<base href=//bad.example/><style>a{b:url(x)}</style>",
            "<base href=//bad.example/><style>a{b:url(data:,)}</style>",
        ),
        (
            "<noscript><style>@import url(//bad.example)</style></noscript>",
            "<noscript><style>@import url(data:,)</style></noscript>",
        ),
        (
            "<template><style>a{b:url(//bad.example)}</style></template>",
            "<template><style>a{b:url(data:,)}</style></template>",
        ),
        // Browsers ignore the tag in a select, and see markup.
        (
            "<select><style>a{b:url(//bad.example)}<img src=//bad.example/></style></select>",
            "<select><style>a{b:url(data:,)}</style></select>",
        ),
        ("<div class=a style='b:url(//bad.example)'>x</div>", "<div class=a style=\"b:url(data:,)\">x</div>"),
        ("<x-y style=b:url(&quot;//bad.example&quot;)>x</x-y>", "<x-y style=\"b:url(&quot;data:,&quot;)\">x</x-y>"),
        ("<img src=/i style='b:url(//bad.example)' alt=x>", "<img src=/i style=\"b:url(data:,)\" alt=x>"),
        ("<input style='b:url(//bad.example)'>", "<input style=\"b:url(data:,)\">"),
        (
            "<svg style='b:url(//bad.example)'><g style='b:url(//bad.example)'/></svg>",
            "<svg style=\"b:url(data:,)\"><g style=\"b:url(data:,)\"/></svg>",
        ),
        ("<script style='b:url(//bad.example)'>x</script>", "<script style=\"b:url(data:,)\">x</script>"),
        (
            "<div style='b:url(/own)' title='url(//bad.example)'>x</div>",
            "<div style='b:url(/own)' title='url(//bad.example)'>x</div>",
        ),
        (
            "<style type=text/css>/* url(//bad.example) */</style>",
            "<style type=text/css>/* url(//bad.example) */</style>",
        ),
    ] {
        assert_eq!(lossy(&rewrite_bytes(&settings, before.as_bytes())), after, "{before}");
        // Where the policy does not ask, CSS is none of our business.
        if !before.contains("<img src=//bad") {
            assert_eq!(rewrite(before), before);
        }
    }
}

#[test]
fn box_of_a_blocked_frame_brings_nothing_back() {
    let out = lossy(&rewrite_bytes(
        &styled(),
        b"<iframe src=//bad.example/ style='width:1em;b:url(//bad.example)'></iframe>",
    ));
    assert!(out.contains("width:1em;b:url(data:,)") && !out.contains("bad.example"), "{out}");
    let settings = Settings { gating: Gating::Neutralise, ..styled() };
    let out = lossy(&rewrite_bytes(&settings, b"<img src=//bad.example/ style='b:url(//bad.example)'>"));
    assert_eq!(
        out,
        "<img data-consentry-needs=\"service:bad\" data-consentry-src=//bad.example/ style=\"b:url(data:,)\">"
    );
}

#[test]
fn endless_token_is_an_error_or_passes() {
    let limits = Limits { memory: 8 << 10, ..Limits::default() };
    for (length, error) in [(6 << 10, None), (64 << 10, Some(Error::Memory))] {
        let page = format!("<style>a{{b:url(/{})}}</style>", "x".repeat(length));
        let (out, result, _) = pieces(&Settings { limits, ..styled() }, page.as_bytes().chunks(500));
        assert_eq!(result.err(), error);
        assert!(error.is_none() == (out.len() == page.len()));
        let (out, result, _) =
            pieces(&Settings { limits, on_error: OnError::Pass, ..styled() }, page.as_bytes().chunks(500));
        assert_eq!((lossy(&out), result), (page, Ok(())));
    }
    // An image in the sheet is no such token.
    let page = format!("<style>a{{b:url(data:image/png;base64,{})}}</style>", "x".repeat(64 << 10));
    let (out, result, changed) = pieces(&Settings { limits, ..styled() }, page.as_bytes().chunks(500));
    assert_eq!((lossy(&out), result, changed), (page, Ok(()), false));
}
