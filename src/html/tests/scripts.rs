//! Inline scripts.

use super::*;

#[test]
fn scripts_of_a_refused_service_are_emptied() {
    for (before, after) in [
        ("<script>track('init', 1)</script>x", "<script></script>x"),
        ("<script type=module>\n track( 'init')\n</SCRIPT >x", "<script type=module></SCRIPT >x"),
        ("<script type='text/javascript' nonce=n><!-- <script> track('init') </script>x", ""),
        ("<svg><script>a<g>;track('init')</script></svg>x", "<svg><script></script></svg>x"),
        ("<script>track('init')", "<script>"),
    ] {
        let out = rewrite(before);
        if after.is_empty() {
            assert!(!out.contains("track"), "{out}");
        } else {
            assert_eq!(out, after, "{before}");
        }
        assert_eq!(lossy(&rewrite_bytes(&granted(), before.as_bytes())), before);
    }
}

#[test]
fn text_is_judged_where_the_address_is_none_for_browsers() {
    for (before, after) in [
        ("<script href=/own.js>track('init')</script>", "<script href=/own.js></script>"),
        ("<script xlink:href=/own.js>track('init')</script>", "<script xlink:href=/own.js></script>"),
        ("<svg><script src=/own.js>track('init')</script></svg>", "<svg><script src=/own.js></script></svg>"),
        ("<svg><g><script src=/own.js x>track('init')</script></svg>", "<svg><g><script src=/own.js x></script></svg>"),
    ] {
        assert_eq!(rewrite(before), after);
        let own = before.replace("track", "own");
        assert_eq!(rewrite(&own), own);
    }
}

/// Optimising plug-ins make them of inline snippets.
#[test]
fn scripts_and_frames_of_data_urls_are_judged_like_inline_ones() {
    for element in [
        "<script src=\"data:text/javascript,track(%27init%27,1)\"></script>",
        "<script defer src='data:text/javascript;base64,dHJhY2soJ2luaXQnLDEp'></script>",
        "<script type=module src='\n dat&#9;a:,track(\"init\")'></script>",
        "<script type=rocketlazyloadscript data-rocket-src=\"data:text/javascript;base64,dHJhY2soJ2luaXQnLDEp\"></script>",
        "<script data-src=\"data:text/javascript;base64,dHJhY2soJ2luaXQnLDEp\"></script>",
        "<svg><script href=\"data:,track('init')\"/></svg>",
        "<object data=\"data:text/html,<img src=https://bad.example/i>\">x</object>",
        "<embed src=\"data:text/html,<script>track('init')</script>\">",
        "<iframe src=\"data:text/html,<script src=https://bad.example/x></script>\"></iframe>",
        "<iframe src=\"data:text/html;base64,PHNjcmlwdD50cmFjaygnaW5pdCcpPC9zY3JpcHQ+\"></iframe>",
        "<iframe src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><script>track('init')</script></svg>\"></iframe>",
        "<iframe src=\"data:text/html,<iframe src='data:text/html,%253cscript>track(%2527init%2527)%253c/script>'>\"></iframe>",
    ] {
        let out = rewrite(&format!("<b>{element}</b>x"));
        assert!(!out.contains("data:") && out.ends_with("</b>x"), "{element}: {out}");
        let neutral = Settings { gating: Gating::Neutralise, ..settings() };
        let out = lossy(&rewrite_bytes(&neutral, element.as_bytes()));
        assert!(out.contains("data-consentry-needs=\"service:bad\"") && !out.contains(" src=\"data:"), "{out}");
        let own =
            element.replace("bad.example", "good.example").replace("track", "own").replace("dHJhY2so", "b3duMnMo");
        let own = own.replace("PHNjcmlwdD50cmFjaygnaW5pdCcp", "PHNjcmlwdD5vd24xMigneeeeeCcp");
        assert_eq!(rewrite(&own), own);
        assert_eq!(lossy(&rewrite_bytes(&granted(), element.as_bytes())), element);
    }
    for other in [
        "<img src=\"data:image/svg+xml,track('init')\">",
        "<iframe src=\"data:text/plain,<script>track('init')</script>\"></iframe>",
        "<script src='data:text/javascript;base64,!'></script>",
        "<a href=\"data:text/html,<script>track('init')</script>\">x</a>",
    ] {
        assert_eq!(rewrite(other), other);
    }
}

#[test]
fn speculation_rules_of_a_refused_service_are_emptied() {
    for rules in [
        "{\"prefetch\":[{\"source\":\"list\",\"urls\":[\"/own\",\"https://bad.example/x\"]}]}",
        "{\"prerender\":[{\"where\":{\"href_matches\":\"https:\\/\\/bad.example\\/*\"}}]}",
        "{\"prefetch\":[{\"urls\":[\"\\u002f/bad.example\"]}]}",
        "{\"prefetch\":[{\"urls\":[\"../t/x\"]}]}",
    ] {
        let page = format!("<script nonce=n type=' SpeculationRules '>{rules}</script>x");
        assert_eq!(rewrite(&page), "<script nonce=n type=' SpeculationRules '></script>x");
        assert_eq!(lossy(&rewrite_bytes(&granted(), page.as_bytes())), page);
    }
}

#[test]
fn scripts_that_write_a_refused_script_are_emptied() {
    for script in [
        "document.write('<script src=\"//bad.example/x.js\"><\\/script>')",
        "document.write(\"<scr\"+\"ipt src='https://bad.example/x.js'></scr\"+\"ipt>\")",
        "document.write(unescape(\"%3Cscript src='//bad.example/x.js'%3E%3C/script%3E\"))",
        "document.writeln('<iframe src=//bad.example/f></iframe>')",
    ] {
        assert_eq!(rewrite(&format!("<script>{script}</script>x")), "<script></script>x", "{script}");
    }
}

#[test]
fn tags_in_a_script_of_svg_are_tags() {
    for (before, after) in [
        ("<svg><script>a<image href=//bad.example/ />b</script></svg>", "<svg><script>ab</script></svg>"),
        ("<svg><script>a<a ping='//bad.example/'>b</a></script></svg>", "<svg><script>a<a>b</a></script></svg>"),
        ("<svg><script><image/>track('init')</script></svg>", "<svg><script></script></svg>"),
        (
            "<svg><script><![CDATA['<image href=//bad.example/ >']]></script>",
            "<svg><script><![CDATA['<image href=//bad.example/ >']]></script>",
        ),
    ] {
        assert_eq!(rewrite(before), after, "{before}");
    }
}

#[test]
fn script_behind_a_frameset_is_judged_as_text_and_as_markup() {
    for (before, after) in [
        ("<p>x<frameset><script>track('init')</script>y", "<p>x<frameset><script></script>y"),
        ("<p>x<frameset><script>own()</script>y", "<p>x<frameset><script>own()</script>y"),
        ("<frameset><script><frame src=/t/x></script>", "<frameset><script><frame></script>"),
    ] {
        assert_eq!(rewrite(before), after);
    }
}

#[test]
fn other_scripts_stay() {
    for page in [
        "<script>let x = '<a href=//bad.example/i>';</script>",
        "<script src=/own.js>track('init')</script>",
        "<script type=application/ld+json>{\"x\":\"track('init'\"}</script>",
        "<script type=' Application/JSON; charset=x'>track('init')</script>",
        "<script type=importmap>track('init')</script><script type=speculationrules>track('init')</script>",
        "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"/next\",\"//good.example/\"]}]}</script>",
        "<script>self.__next_f.push([1,\"track('init')\"])</script>",
        "<script>\n(self.__next_f=self.__next_f||[]).push([1,\"track('init')\"])</script>",
        "<script></script><script>&amp;\r\n\u{0}</script>",
        "<script><!-- <script> </script> --></script>x",
    ] {
        assert_eq!(rewrite(page), page);
    }
}

#[test]
fn scripts_that_nobody_runs_stay() {
    for kind in
        ["text/x-magento-init", "text/html", "text/ng-template", "text/plain data-category=ads", "x-shader/x-vertex"]
    {
        for page in [
            format!("<script type={kind}>track('init')<p></script>x"),
            format!("<script type={kind} src=//bad.example/x data-src=//bad.example/y></script>x"),
            format!("<svg><script type={kind} href=//bad.example/x>track('init')</script></svg>"),
            format!("<frameset><script type={kind} src=//bad.example/x></script>"),
        ] {
            assert_eq!(rewrite(&page), page);
            let neutral = Settings { gating: Gating::Neutralise, ..settings() };
            assert_eq!(lossy(&rewrite_bytes(&neutral, page.as_bytes())), page);
        }
        let page = |attribute: &str| format!("<script type={kind} src=//bad.example/x{attribute}></script>");
        assert_eq!(rewrite(&page(" attributionsrc=//bad.example/a")), page(""));
    }
}

#[test]
fn scripts_that_a_plug_in_runs_later_are_judged() {
    for kind in [
        "rocketlazyloadscript",
        "litespeed/javascript",
        "pmdelayedscript",
        "text/partytown",
        "12ab-text/javascript",
        "text/delayscript",
        "javascript/blocked data-wpmeteor-type=text/javascript",
        // Our own script frees it.
        "text/plain data-consentry-needs=category:necessary",
    ] {
        let (start, end) = (format!("<script type={kind}"), "</script>x");
        assert_eq!(rewrite(&format!("{start}>track('init'){end}")), format!("{start}>{end}"));
        for source in ["src", "data-src", "data-wpmeteor-src"] {
            assert_eq!(rewrite(&format!("{start} {source}=//bad.example/x>{end}")), "x", "{kind} {source}");
        }
    }
}

#[test]
fn long_script_is_judged_in_overlapping_windows() {
    let mut settings = settings();
    settings.limits.inline_script = 64;
    for before in 0..200 {
        let page = format!("<script>{};track('init');{}</script><b>", "a".repeat(before), "z".repeat(150));
        let out = lossy(&rewrite_bytes(&settings, page.as_bytes()));
        assert!(!out.contains("track('init'") && out.ends_with("</script><b>"), "{before}: {out}");
        assert!(out.len() < before + 60, "what follows goes too: {out}");
    }
    let page = format!("<script>{}</script>", "a;".repeat(300));
    assert_eq!(lossy(&rewrite_bytes(&settings, page.as_bytes())), page);
    let page = format!("<script>self.__next_f.push([1,\"{}track('init')\"])</script>", "a;".repeat(300));
    assert_eq!(lossy(&rewrite_bytes(&settings, page.as_bytes())), page);
}

#[test]
fn only_the_script_being_read_is_held() {
    let mut rewriter = Rewriter::new(settings());
    let mut out = Vec::new();
    rewriter.write(b"<head><title>t</title><scri", &mut out).unwrap();
    assert_eq!(lossy(&out), "<head><title>t</title>");
    rewriter.write(b"pt>let a = 1;", &mut out).unwrap();
    assert_eq!(lossy(&out), "<head><title>t</title><script>");
    rewriter.write(b"</script>text", &mut out).unwrap();
    assert_eq!(lossy(&out), "<head><title>t</title><script>let a = 1;</script>text");
    rewriter.write(b"<noscript><p>a", &mut out).unwrap();
    assert!(out.ends_with(b"<noscript><p>a"), "{}", lossy(&out));
}
