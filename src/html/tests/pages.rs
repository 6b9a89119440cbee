//! Elements and attributes: what goes, and that nothing else does.

use super::*;

/// `before => after`; what stands around both must stay.
#[track_caller]
fn becomes(cases: &[(&str, &str)]) {
    for (before, after) in cases {
        let (page, wanted) = (format!("<p>x\n{before}<i>y</i>"), format!("<p>x\n{after}<i>y</i>"));
        assert_eq!(rewrite(&page), wanted, "{before}");
        // With the grant, everything stays.
        assert_eq!(lossy(&rewrite_bytes(&granted(), page.as_bytes())), page, "{before}");
    }
}

#[track_caller]
fn stays(cases: &[&str]) {
    becomes(&cases.iter().map(|case| (*case, *case)).collect::<Vec<_>>());
}

#[test]
fn elements_that_load_from_a_refused_service_go() {
    becomes(&[
        ("<script src=//bad.example/x.js></script>", ""),
        ("<SCRIPT async\nSRC='https://cdn.bad.example/x.js'>fallback</sCript\n>", ""),
        ("<img src=https://bad.example/i>", ""),
        ("<img src=\"https://bad.example/i\"/>", ""),
        ("<image src=//bad.example/i>", ""),
        ("<embed src=//bad.example/e>", ""),
        ("<object data=//bad.example/o><p>fallback</p><object></object></object>", ""),
        ("<video src=//bad.example/v><source src=/v>text</video>", ""),
        ("<audio src=//bad.example/v></audio>", ""),
        ("<video><source src=//bad.example/v><track src=//bad.example/t></video>", "<video></video>"),
        ("<input type=IMAGE src=//bad.example/i>", ""),
        ("<link rel=stylesheet href=//bad.example/c.css>", ""),
        ("<link rel='dns-prefetch' href=//bad.example>", ""),
        ("<link rel=\"shortcut ICON\" href=//bad.example/i>", ""),
        ("<link rel=preload as=image imagesrcset='//bad.example/1 1x'>", ""),
        ("<meta http-equiv=Refresh content='3; url=//bad.example/'>", ""),
        ("<svg><image href=//bad.example/i /></svg>", "<svg></svg>"),
        ("<svg><image xlink:href=//bad.example/i></image><g/></svg>", "<svg><g/></svg>"),
        ("<svg><script href=//bad.example/i /><g/></svg>", "<svg><g/></svg>"),
        ("<svg><filter><feImage href=//bad.example/i /></filter></svg>", "<svg><filter></filter></svg>"),
        ("<template><img src=//bad.example/i></template>", "<template></template>"),
        ("<select><script src=//bad.example/i></script></select>", "<select></select>"),
        ("<img data-src=//bad.example/i>", ""),
        ("<img data-lazy-src=//bad.example/i src=data:,>", ""),
        ("<img src=/i data-src=//bad.example/i>", ""),
        ("<script data-src=//bad.example/i></script>", ""),
        ("<script type=litespeed/javascript data-litespeed-src=//bad.example/i></script>", ""),
        (
            "<script type=nitropack/inlinescript nitro-src=//bad.example/i></script><img nitro-lazy-src=//bad.example/i>",
            "",
        ),
        ("<img data-phast-src=//bad.example/i><img nitro-lazy-srcset='//bad.example/i 2x'>", ""),
        ("<script type=javascript/blocked data-wpmeteor-src=//bad.example/i></script>", ""),
        ("<amp-pixel src=//bad.example/i></amp-pixel><amp-iframe src=//bad.example/i><p>x</p></amp-iframe>", ""),
        (
            "<amp-ad src=//bad.example/i></amp-ad><amp-img src=/i><amp-analytics config=//bad.example/i></amp-analytics>",
            "<amp-img src=/i>",
        ),
        ("<img data-cfsrc=//bad.example/i><img data-pagespeed-lazy-src=//bad.example/i>", ""),
        ("<svg><use href='//bad.example/s.svg#a'/><g/></svg>", "<svg><g/></svg>"),
        ("<svg><use xlink:href='//bad.example/s.svg#a'></use><use href=#b /></svg>", "<svg><use href=#b /></svg>"),
        ("<portal src=//bad.example/></portal><fencedframe src=//bad.example/></fencedframe>", ""),
        ("<link rel='next' href=//bad.example/><link rel=modulepreload href=//bad.example/m>", ""),
        ("<link rel=preload as=image href='' imagesrcset='//bad.example/1 1x'>", ""),
        (
            "<div><template shadowrootmode=open><img src=//bad.example/><slot></slot></template></div>",
            "<div><template shadowrootmode=open><slot></slot></template></div>",
        ),
    ]);
}

#[test]
fn attributes_go_where_only_they_are_the_tracker() {
    becomes(&[
        ("<a href=/x ping=//bad.example/p>t</a>", "<a href=/x>t</a>"),
        ("<a ping='//bad.example/p'href=/x>t</a>", "<a href=/x>t</a>"),
        ("<a\n ping=//bad.example/p\n href=/x>t</a>", "<a\n href=/x>t</a>"),
        ("<a ping='/own //bad.example/p' href=/x>t</a>", "<a ping=\"/own\" href=/x>t</a>"),
        ("<area href=/x ping=//bad.example/p>", "<area href=/x>"),
        ("<img src=/i attributionsrc=//bad.example/a alt=\u{e9}>", "<img src=/i alt=\u{e9}>"),
        ("<script src=/s attributionsrc='//bad.example/a'></script>", "<script src=/s></script>"),
        ("<video poster=//bad.example/p src=/v></video>", "<video src=/v></video>"),
        ("<img src=/i srcset='/a 1x, //bad.example/b 2x'>", "<img src=/i srcset=\"/a 1x\">"),
        ("<img src=/i srcset='//bad.example/b 2x' alt=x>", "<img src=/i alt=x>"),
        ("<img srcset='//bad.example/b 2x, //bad.example/c' alt=x>", ""),
        ("<img src='' srcset='//bad.example/b 2x'>", ""),
        ("<picture><source srcset='//bad.example/b'><img src=/i></picture>", "<picture><img src=/i></picture>"),
        (
            "<img src=/i data-srcset='//bad.example/b, /c?a&amp;b\u{e9}'>",
            "<img src=/i data-srcset=\"/c?a&amp;b&#233;\">",
        ),
        ("<body background=//bad.example/b class=c>", "<body class=c>"),
        (
            "<object data=/o codebase=//bad.example/ archive='/a //bad.example/b'></object>",
            "<object data=/o archive=\"/a\"></object>",
        ),
        ("<applet codebase=//bad.example/ code=x></applet>", "<applet code=x></applet>"),
        ("<a href=/x attributionsrc='//bad.example/a'>t</a>", "<a href=/x>t</a>"),
        ("<link rel=preload as=image href=/i imagesrcset='//bad.example/1 1x'>", "<link rel=preload as=image href=/i>"),
        ("<table background=//bad.example/><tr background=//bad.example/></table>", "<table><tr></table>"),
        ("<script attributionsrc=//bad.example/>own()</script>", "<script>own()</script>"),
        ("<a/ping='//bad.example/p'/href=/x>t</a>", "<a//href=/x>t</a>"),
    ]);
}

#[test]
fn what_contacts_nobody_stays() {
    stays(&[
        "<a href=//bad.example/>t</a>",
        "<form action=//bad.example/f><input src=//bad.example/i><button formaction=//bad.example/></form>",
        "<link rel=canonical href=//bad.example/><link href=//bad.example/>",
        "<meta name=x content='0;url=//bad.example/'><meta http-equiv=refresh content=5>",
        "<!-- <img src=//bad.example/i> --><!--[if IE]><img src=//bad.example/i><![endif]-->",
        "<textarea><img src=//bad.example/i></textarea><title><img src=//bad.example/></title>",
        "<style>a{}<img src=//bad.example/></style>",
        "<img src=/i src=//bad.example/i>",
        "<img alt='<img src=//bad.example/i>'>",
        "<img src=https://notbad.example/i><img src=https://bad.example.org/>",
        "<img src=data:image/png;base64,AAAA//bad.example/ src>",
        "<img src=https://[bad.example/><img src='https://a b/'><img src>",
        "<iframe src=/own><img src=//bad.example/i></iframe>",
        "<p \u{0} <q <<a>> </ p></p/></><?x?><!x><![CDATA[x]]>&amp;&bogus",
    ]);
}

#[test]
fn urls_are_read_as_browsers_read_them() {
    for url in [
        "&#x68;ttps://bad.example/",
        "&#104ttps&colon;&sol;&sol;bad.example/",
        "//bad&period;example",
        "//bad&#46example",
        "ht\ttps:/\n/bad.exam\r\nple/",
        "\\\\bad.example\\x",
        "https:\\/bad.example",
        "https:////bad.example/",
        "HTTPS://BAD.Example/",
        "//user:pw@bad.example/",
        "//bad.example./",
        "//bad.example:443/",
        "//bad.example:8443/",
        "  \u{1}//bad.example/",
        "//caf\u{e9}.example/",
        "//xn--caf-dma.example/",
        "//%62ad.example/",
        "//\u{ff42}ad.example/",
        "//bad\u{3002}example/",
        "//bad.example?x",
        "//bad.example#x",
        "/t/pixel.gif",
        "../t/pixel.gif",
        "https:/t/x",
        "wss://bad.example/",
    ] {
        let page = format!("<b><img src=\"{url}\"></b>");
        assert_eq!(rewrite(&page), "<b></b>", "{url}");
    }
}

#[test]
fn refresh_is_read_as_browsers_read_it() {
    for content in [
        "0;URL='//bad.example/'",
        "0; url = &quot;//bad.example/&quot; x",
        "5,//bad.example/",
        "0 \t;\nuRl=//bad.example",
        ".5;url=http&colon;//bad.example",
        "0;&#117;rl=//bad.example",
        "0 ../t/x",
    ] {
        let content = if content.contains('\'') { format!("\"{content}\"") } else { format!("'{content}'") };
        assert_eq!(rewrite(&format!("<meta content={content} http-equiv=ReFresh>x")), "x", "{content}");
    }
}

#[test]
fn first_base_counts_from_where_it_stands() {
    for (before, after) in [
        ("<base href=//bad.example/><img src=i>", "<base href=//bad.example/>"),
        ("<base target=x><base href=//bad.example/><img src=i>", "<base target=x><base href=//bad.example/>"),
        (
            "<base href=/own/><base href=//bad.example/><img src=i>",
            "<base href=/own/><base href=//bad.example/><img src=i>",
        ),
        ("<img src=i><base href=//bad.example/><img src=i>", "<img src=i><base href=//bad.example/>"),
        (
            "<base href=data:x><base href=//bad.example/><img src=i>",
            "<base href=data:x><base href=//bad.example/><img src=i>",
        ),
        ("<base href=/t/x><img src=i>", "<base href=/t/x>"),
        (
            "<base href=//bad.example/><iframe srcdoc='<img src=i>'></iframe>",
            "<base href=//bad.example/><iframe srcdoc=\"\"></iframe>",
        ),
        (
            "<base href=//bad.example/><noscript><img src=i></noscript>",
            "<base href=//bad.example/><noscript></noscript>",
        ),
    ] {
        assert_eq!(rewrite(before), after, "{before}");
    }
}

#[test]
fn removal_ends_where_the_parent_ends() {
    becomes(&[
        ("<div><object data=//bad.example/>x</div>z", "<div></div>z"),
        ("<svg><script href=//bad.example/>x</svg>z", "<svg></svg>z"),
    ]);
    assert_eq!(rewrite("<b>x</b><script src=//bad.example/>never closed"), "<b>x</b>");
    assert_eq!(rewrite("<b>x</b><script src=//bad.example/>x</script"), "<b>x</b>");
    assert_eq!(rewrite("<b>x</b><img src=//bad.example/"), "<b>x</b><img src=//bad.example/");
}

#[test]
fn noscript_is_html_of_its_own() {
    becomes(&[
        ("<noscript><img height=1 src=//bad.example/i><p>\u{e9}</noscript>", "<noscript><p>\u{e9}</noscript>"),
        ("<noscript><iframe src=//bad.example/ns height=0></iframe></noscript>", "<noscript></noscript>"),
        (
            "<noscript><!-- <img src=//bad.example/i> --></noscript>",
            "<noscript><!-- <img src=//bad.example/i> --></noscript>",
        ),
        ("<svg><noscript><image href=//bad.example/i /></noscript></svg>", "<svg><noscript></noscript></svg>"),
    ]);
    assert_eq!(rewrite("<noscript><img src=//bad.example/>open"), "<noscript>open");
    stays(&["<noscript></noscript>", "<noscript>a<b</noscript>", "<noscript><!--</noscript>"]);
}

#[test]
fn srcdoc_is_html_in_an_attribute() {
    becomes(&[
        (
            "<iframe title=t srcdoc='&lt;img src=&quot;//bad.example/i&quot;&gt;<p>\u{e9}&amp;amp;'></iframe>",
            "<iframe title=t srcdoc=\"&lt;p&gt;&#233;&amp;amp;\"></iframe>",
        ),
        (
            "<iframe srcdoc=\"<iframe srcdoc='<img src=//bad.example/i>x'></iframe>\"></iframe>",
            "<iframe srcdoc=\"&lt;iframe srcdoc=&quot;x&quot;&gt;&lt;/iframe&gt;\"></iframe>",
        ),
    ]);
    // Edits of one tag are done in its order, whichever was decided first.
    assert_eq!(
        rewrite("<iframe srcdoc='<img src=//bad.example/>' data-srcset='/a, //bad.example/b' title=t></iframe>"),
        "<iframe srcdoc=\"\" data-srcset=\"/a\" title=t></iframe>"
    );
    stays(&["<iframe srcdoc='&lt;p&gt;&eacute;'></iframe>"]);
}

#[test]
fn blocked_frame_becomes_a_box_of_its_size() {
    let html = rewrite("<p><iframe src=//bad.example/v width=560 height='315' title=x>old</iframe>y</p>");
    assert!(html.starts_with("<p><iframe ") && html.ends_with("</iframe>y</p>"), "{html}");
    for part in ["width=\"560\"", "height=\"315\"", "Bad &amp; Co", "https://shop.example/_consent/choice&quot;"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("bad.example"), "{html}");
    let lazy = rewrite("<iframe data-src=//bad.example/v style='width:9em'></iframe>");
    assert!(lazy.contains("style=\"width:9em\"") && !lazy.contains(" data-src"), "{lazy}");
    let facade = rewrite("<iframe src=//bad.example/v srcdoc='<p>'></iframe>");
    assert!(facade.matches("srcdoc").count() == 1 && !facade.contains("srcdoc='<p>'"), "{facade}");
    assert_eq!(
        rewrite("<frameset cols=1,1><frame src=//bad.example/v name=n><frame src=/x></frameset>"),
        "<frameset cols=1,1><frame name=n><frame src=/x></frameset>"
    );
}

#[test]
fn findings_tell_what_went_and_why() {
    let mut rewriter = Rewriter::new(settings());
    let mut out = Vec::new();
    let page = b"<img src=//bad.example/p?id=secret><noscript><img src=//bad.example/p></noscript><script>track('init')</script>";
    rewriter.write(page, &mut out).unwrap();
    rewriter.end(&mut out).unwrap();
    let findings = rewriter.findings();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(!format!("{findings:?}").contains("secret"));
    assert!(rewriter.findings().is_empty(), "each is told once");
}
