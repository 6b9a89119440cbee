//! What we add, and where: `[H]` in the head, `[B]` where the body begins, `[L]` in the footer, `[E]` at the end.

use super::*;

fn wanting() -> Settings {
    let markup = |spot: &Spot, _: &str| if *spot == Spot::Within { "[L]" } else { "[E]" }.to_owned();
    let link = Link { within: Anchor::parse("footer").unwrap(), markup: Arc::new(markup), at_end: true };
    let body = Banner(Arc::new(|_: &Csp, _: &str| "[B]".to_owned()));
    Settings { insert: Insertions { head: Some("[H]".into()), body: Some(body), link: Some(link) }, ..granted() }
}

fn inserted(settings: &Settings, page: &str) -> String {
    lossy(&rewrite_bytes(settings, page.as_bytes()))
}

#[test]
fn each_stands_where_browsers_make_the_place_for_it() {
    for (page, expected) in [
        (
            "<!doctype html><html><head></head><body class=a>Tea</body></html>",
            "<!doctype html><html><head>[H]</head><body class=a>[B]Tea[E]</body></html>",
        ),
        // No tags of their own for head and body.
        ("<title>a<b></title><p>Tea", "[H]<title>a<b></title>[B]<p>Tea[E]"),
        (
            "<!-- <p> --><meta charset=utf-8>\n<link rel=icon href=x>\nTea",
            "<!-- <p> -->[H]<meta charset=utf-8>\n<link rel=icon href=x>\n[B]Tea[E]",
        ),
        ("Tea", "[H][B]Tea[E]"),
        (
            "\u{feff} <!doctype html>\n<HTML lang='a>b' x=\">\" y=a\"b>\n<div>Tea</div>",
            "\u{feff} <!doctype html>\n<HTML lang='a>b' x=\">\" y=a\"b>\n[H][B]<div>Tea</div>[E]",
        ),
        ("<!--><p>x", "<!-->[H][B]<p>x[E]"),
        ("<!--a--!><?x y?></p><p>x", "<!--a--!><?x y?></p>[H][B]<p>x[E]"),
        ("<!----x-->\n<!---->y", "<!----x-->\n<!---->[H][B]y[E]"),
        (
            "<head><style>p{}<body></style><script>'<p>'</script><template><p></p></template></head>\n<table></table>",
            "<head>[H]<style>p{}<body></style><script>'<p>'</script><template><p></p></template></head>\n[B]<table></table>[E]",
        ),
        (
            "<head><noscript><img src=/a></noscript></head><body>x</body>",
            "<head>[H]<noscript><img src=/a></noscript></head><body>[B]x[E]</body>",
        ),
        (
            "<script>document.write('<body>')</script><svg></svg>",
            "[H]<script>document.write('<body>')</script>[B]<svg></svg>[E]",
        ),
        ("<a href=/>x</a>", "[H][B]<a href=/>x</a>[E]"),
        ("<textarea><body></textarea>", "[H][B]<textarea><body></textarea>[E]"),
        ("", "[H][B][E]"),
        // The footer, and the first of them alone.
        (
            "<body><footer>a</footer><footer>b</footer></body>",
            "[H]<body>[B]<footer>a[L]</footer><footer>b</footer></body>",
        ),
        (
            "<body><template><footer>a</footer></template><footer>b</footer>",
            "[H]<body>[B]<template><footer>a</footer></template><footer>b[L]</footer>",
        ),
        (
            "<body><dialog><p><footer>a</footer></dialog><footer>b</footer>",
            "[H]<body>[B]<dialog><p><footer>a</footer></dialog><footer>b[L]</footer>",
        ),
        (
            "<body><dialog><footer>a</footer></dialog>b</body>",
            "[H]<body>[B]<dialog><footer>a</footer></dialog>b[E]</body>",
        ),
        ("<body><footer>a", "[H]<body>[B]<footer>a[E]"),
        ("<body><div><footer>a</div></body>", "[H]<body>[B]<div><footer>a[L]</div></body>"),
        // A frameset has no such places.
        ("<head></head><frameset><frame src=/a></frameset>", "<head>[H]</head><frameset><frame src=/a></frameset>"),
    ] {
        assert_eq!(inserted(&wanting(), page), expected, "{page}");
    }
}

/// What browsers would drop, or show as text, is not finished by what we add.
#[test]
fn nothing_is_appended_to_what_is_not_finished() {
    for unfinished in [
        "<img src=\"https://bad.example/i",
        "<img src=https://bad.example/i",
        "<img src='https://bad.example/i' alt",
        "<img src='https://bad.example/i' alt=",
        "<img src='https://bad.example/i'",
        "<img src='https://bad.example/i'/",
        "<div class=a",
        "</p",
        "</p class='",
        "<i",
        "<",
        "<!",
        "<!-- x",
        "<!-- x --",
        "<!doctype",
        "<?x",
        "<script>x",
        "<script>x</script",
        "<script src=/a><!--<script>",
        "<style>x",
        "<textarea>x",
        "<title>x</titl",
        "<xmp>x<p>",
        "<plaintext>x</plaintext>",
        "<noscript>x",
        "<noembed>",
        "<noframes>",
        "<iframe>",
        "<iframe src=/x><p>",
        "<template><p>x",
        "<svg><style>",
        "<svg><![CDATA[x",
        "<select><option>x",
        "<select><textarea>x",
        "<svg/><textarea>x",
    ] {
        for selector in ["footer", "footer .legal"] {
            let mut wanting = wanting();
            let link = wanting.insert.link.as_mut().unwrap();
            link.within = Anchor::parse(selector).unwrap();
            let page = |front: &str| format!("{front}<p>a</p><svg/><b>b</b>{unfinished}");
            let expected = format!("[H]<body>[B]<p>a</p><svg/><b>b</b>{unfinished}");
            assert_eq!(inserted(&wanting, &page("<body>")), expected);
            assert_eq!(inserted(&wanting, &page("")), expected.replace("<body>", ""));
        }
    }
    for front in ["<title>Tea", "<head><style>", "<script>", "<meta charset='", "<html lang='", "<!-- x"] {
        assert!(!inserted(&wanting(), front).contains("[E]"), "{front}");
    }
    for finished in [
        "<p>Tea",
        "<br>",
        "x<svg/>",
        "<svg></svg>",
        "a & b > c",
        "<!-- x -->",
        "<script></script>",
        "<title>x</title>x",
    ] {
        assert!(inserted(&wanting(), finished).ends_with("[E]"), "{finished}");
    }
}

#[test]
fn charsets_and_xml_are_heeded() {
    let page = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head/><body><p/></body></html>";
    let settings = Settings { xml: true, ..wanting() };
    let expected = "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head/>[H]<body>[B]<p/>[E]</body></html>";
    let written = inserted(&settings, page);
    assert!(written == expected || written == expected.replace("<head/>[H]", "<head>[H]</head>"), "{written}");
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let out = rewrite_bytes(&wanting(), &utf16("<head></head><body>\u{e9}</body>"));
    assert_eq!(out, utf16("<head>[H]</head><body>[B]\u{e9}[E]</body>"));
}

#[test]
fn pages_in_pages_get_nothing() {
    let page = "<body><iframe srcdoc=\"<body><footer>a</footer>\"></iframe></body>";
    assert_eq!(inserted(&wanting(), page), page.replace("<body><i", "[H]<body>[B]<i").replace("</body>", "[E]</body>"));
}

#[test]
fn banner_knows_the_policies_that_the_page_itself_adds() {
    let body = Banner(Arc::new(|csp: &Csp, _: &str| {
        let url = Url::parse("https://shop.example/").unwrap();
        format!("[{}]", csp.allows_form(&url, &url))
    }));
    let settings = Settings { insert: Insertions { body: Some(body), ..Insertions::default() }, ..granted() };
    assert_eq!(inserted(&settings, "<body>x"), "<body>[true]x");
    let meta = "<meta http-equiv=content-security-policy content=\"form-action 'none'\">";
    assert_eq!(inserted(&settings, &format!("{meta}<body>x")), format!("{meta}<body>[false]x"));
}

#[test]
fn speaks_as_the_page_does_where_it_can() {
    let said = |language: &str| format!("[{language}]");
    let body = Banner(Arc::new(move |_: &Csp, language: &str| said(language)));
    let link = Link {
        within: Anchor::parse("footer").unwrap(),
        markup: Arc::new(move |_: &Spot, language: &str| said(language)),
        at_end: true,
    };
    let offered = ["en", "de", "pt-br"].map(Into::into);
    let speech = Speech { language: "en".into(), offered: offered.into(), ..Speech::default() };
    let insert = Insertions { head: None, body: Some(body), link: Some(link) };
    let settings = Settings { speech, insert, ..granted() };
    for (page, language) in [
        ("<html lang=de>Tea", "de"),
        ("<!doctype html><HTML class=x LANG='de-AT'><head><title>x</title></head><body>Tea", "de"),
        ("<html xml:lang=pt><body>Tea", "pt-br"),
        ("<html lang=ja><body>Tea", "en"),
        ("<html lang=''><body>Tea", "en"),
        ("<html><body>Tea", "en"),
        ("Tea", "en"),
        ("<html lang=de><body><html lang=en>Tea", "de"),
        ("<body><svg><html lang=de></svg>Tea", "en"),
    ] {
        let out = inserted(&settings, page);
        assert_eq!(out.matches(&said(language)).count(), 2, "{page} became {out}");
    }
    // Placeholders too, whatever they stand in.
    let frame = "<iframe src=https://bad.example/1></iframe>";
    let refused = Settings { grant: Grant::none(), ..settings };
    let german = inserted(&refused, &format!("<html lang=de><body>{frame}<noscript>{frame}</noscript>"));
    assert_eq!(
        german.matches("erlauben</button").count() + german.matches("erlauben&lt;/button").count(),
        2,
        "{german}"
    );
}
