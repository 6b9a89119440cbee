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

/// Each was seen to act in a browser.
#[test]
fn markup_is_read_as_xml_is() {
    let settings = Settings { xml: true, ..settings() };
    for (before, after) in [
        ("<h:script xmlns:h='http://www.w3.org/1999/xhtml' src='//bad.example/'></h:script>x", "x"),
        ("<h:script src='//bad.example/'/><h:p/>x", "<h:p/>x"),
        ("<h:script>track('init')</h:script>", "<h:script></h:script>"),
        ("<script>tra&#99;k(&quot;init&quot;)</script>", "<script></script>"),
        ("<script>tra<!-- x -->ck<![CDATA[('in]]>it')</script>", "<script></script>"),
        ("<script>//<![CDATA[\na('</script>');track('init')\n//]]></script>", "<script></script>"),
        ("<script>own(1)<img src='//bad.example/'/></script>", "<script>own(1)</script>"),
        ("<script src='/own.js'><img src='//bad.example/'/></script>", "<script src='/own.js'></script>"),
        (
            "<script SRC='/own.js' TYPE='text/plain'>track('init')</script>",
            "<script SRC='/own.js' TYPE='text/plain'></script>",
        ),
        ("<img SRC='/own.png' src='//bad.example/'/>x", "x"),
        ("<svg><image l:href='//bad.example/'/></svg>", "<svg></svg>"),
        ("<iframe src='/a'><img src='//bad.example/'/></iframe>", "<iframe src='/a'></iframe>"),
        ("<style>a{}<img src='//bad.example/'/></style>", "<style>a{}</style>"),
        ("<title>a<img src='//bad.example/'/></title>", "<title>a</title>"),
        ("<xmp><b><img src='//bad.example/'/></b></xmp>", "<xmp><b></b></xmp>"),
        ("<plaintext>a</plaintext><img src='//bad.example/'/>", "<plaintext>a</plaintext>"),
        ("<noscript><style><img src='//bad.example/'/></style></noscript>", "<noscript><style></style></noscript>"),
        ("<!--><script>--><img src='//bad.example/'/>", "<!--><script>-->"),
        ("<![CDATA[><script>]]><img src='//bad.example/'/>", "<![CDATA[><script>]]>"),
        ("<?a ><b title='?><img src='//bad.example/'/>", "<?a ><b title='?>"),
        (
            "<svg><foreignObject><script src='/own.js'/><img src='//bad.example/'/></foreignObject></svg>",
            "<svg><foreignObject><script src='/own.js'/></foreignObject></svg>",
        ),
        ("<svg><img src='//bad.example/'/></svg>", "<svg></svg>"),
        (
            "<iframe srcdoc='&lt;script src=/own.js />&lt;img src=//bad.example/>'/>",
            "<iframe srcdoc='&lt;script src=/own.js />&lt;img src=//bad.example/>'/>",
        ),
        ("<iframe srcdoc='&lt;svg/>&lt;img src=//bad.example/>'/>", "<iframe srcdoc=\"&lt;svg/&gt;\"/>"),
    ] {
        let page = |inner: &str| format!("<?xml version='1.0'?><!DOCTYPE html><html><body>{inner}<p/></body></html>");
        assert_eq!(lossy(&rewrite_bytes(&settings, page(before).as_bytes())), page(after), "{before}");
    }
    for own in [
        "<p><!-- <b> --> <![CDATA[ a < b > c <script> ]]></p><?x <y> ?>",
        "<script>//<![CDATA[\nif (a < b && c > d) own('</p>')\n//]]></script>",
        "<style><![CDATA[ a > b {} ]]></style><textarea/><select><option/></select><object data='/x'/><video/>",
        "<h:html><h:head/><h:body><h:script src='/own.js'/><s:svg><s:title/></s:svg></h:body></h:html>",
    ] {
        assert_eq!(lossy(&rewrite_bytes(&settings, own.as_bytes())), own);
    }
}

#[test]
fn what_is_not_read_fails_or_passes() {
    let page = "<!DOCTYPE html [<!ENTITY x 'bad.example'>]><html><img src='//&x;/'/></html>";
    let run = |on_error| {
        let settings = Settings { xml: true, on_error, ..settings() };
        let (mut rewriter, mut out) = (Rewriter::new(settings), Vec::new());
        let result = page.as_bytes().chunks(7).try_for_each(|piece| rewriter.write(piece, &mut out));
        let result = result.and_then(|()| rewriter.end(&mut out));
        (lossy(&out), result, rewriter.gave_up())
    };
    let (out, result, _) = run(OnError::Abort);
    assert!(matches!(result, Err(Error::Malformed(_))) && !out.contains("img"), "{out}");
    let (out, result, gave_up) = run(OnError::Pass);
    assert!(out == page && result.is_ok() && gave_up.is_some(), "{out}");
}

#[test]
fn utf16_is_known_by_its_declaration() {
    let page = |inner: &str| format!("<?xml version=\"1.0\" encoding=\"utf-16\"?><html>\u{e9}{inner}</html>");
    let le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    for xml in [true, false] {
        let settings = Settings { xml, ..settings() };
        for wide in [le, be] {
            let bad = wide(&page("<img src='//bad.example/'/>"));
            assert!(rewrite_bytes(&settings, &bad) == wide(&page("")));
        }
    }
}
