//! Pages that browsers read as XML.

use super::*;

#[test]
fn tags_that_close_themselves_hide_nothing() {
    let settings = Settings { xml: true, ..settings() };
    for (before, after) in [
        ("<script src='/own.js' /><img src='//bad.example/'/><p>x</p>", "<script src='/own.js' /><p>x</p>"),
        ("<script src='//bad.example/' /><p>x</p>", "<p>x</p>"),
        ("<title/><img src='//bad.example/'/><style/>", "<title/><style/>"),
        ("<noscript/><iframe src='/x'/><img src='//bad.example/'/>", "<noscript/><iframe src='/x'/>"),
        ("<object data='//bad.example/'/><p>x</p>", "<p>x</p>"),
        (
            "<svg><script href='/x'/></svg><script>track('init')</script>",
            "<svg><script href='/x'/></svg><script></script>",
        ),
        (
            "<p><script>//<![CDATA[\na && b <c/>\n//]]></script></p>",
            "<p><script>//<![CDATA[\na && b <c/>\n//]]></script></p>",
        ),
    ] {
        let page = |inner: &str| format!("<?xml version='1.0'?><html><body>{inner}</body></html>");
        assert_eq!(lossy(&rewrite_bytes(&settings, page(before).as_bytes())), page(after), "{before}");
    }
    // HTML minds no slash: this is all one script.
    let html = "<script src='/own.js' /><img src='//bad.example/'/>";
    assert_eq!(rewrite(html), html);
}
