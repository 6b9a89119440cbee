//! The rewriter against a browser's parser: the result's tree is the original's without what is blocked, and in no
//! markup, however odd, does anything blocked live on.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::browser::{Browser, Tree};
use super::*;

/// Checks a page whose result a browser must read as the original without what is blocked.
#[track_caller]
fn agrees(settings: &Settings, page: &str) -> Result<(), TestCaseError> {
    let out = lossy(&rewrite_bytes(settings, page.as_bytes()));
    for scripting in [true, false] {
        let browser = Browser { settings, scripting };
        let nothing_bad: Vec<Tree> = browser.expect(&out);
        prop_assert_eq!(browser.contacts(&out), Vec::<String>::new(), "left in {}\nof {}", &out, page);
        prop_assert_eq!(nothing_bad, browser.expect(page), "scripting {}: {}\nbecame {}", scripting, page, &out);
    }
    Ok(())
}

/// Checks a page of which only this is asked: nothing blocked lives on.
fn is_clean(settings: &Settings, page: &str) -> Result<(), TestCaseError> {
    let (out, result, _) = pieces(settings, std::iter::once(page.as_bytes()));
    if result == Err(Error::Depth) {
        return Ok(());
    }
    prop_assert_eq!(result, Ok(()), "{}", page);
    let out = lossy(&out);
    for scripting in [true, false] {
        let left = Browser { settings, scripting }.contacts(&out);
        prop_assert_eq!(left, Vec::<String>::new(), "scripting {}: {}\nbecame {}", scripting, page, &out);
    }
    Ok(())
}

fn pick(of: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(of).prop_map(str::to_owned)
}

/// URLs, of which about half are refused, in many spellings.
fn url() -> impl Strategy<Value = String> {
    pick(&[
        "'//bad.example/x'",
        "https://bad.example/?a=1&b",
        "'&#x68;ttps:&#47;&sol;bad.example'",
        "\"h\tt\ntp://BAD.example./\"",
        "'\\\\bad.example\\'",
        "' //u@bad.example:8443'",
        "https:bad.example",
        "/t/x",
        "./x",
        "/own?u=//bad.example",
        "'x y'",
        "''",
        "https://good.example/",
        "data:,//bad.example/",
        "//notbad.example/",
        "'&#x2f;own'",
    ])
}

/// One element without content that anybody could break.
fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        pick(&[
            "text",
            "a &amp; b &lt;img src=//bad.example/&gt;",
            "\u{e9}\u{4e2d}",
            "<!-- <img src=//bad.example/> -->",
            "<!--[if IE]><script src=//bad.example/></script><![endif]-->",
            "<script>track('init')</script>",
            "<script>own('<img src=//bad.example/>')</script>",
            "<script type=application/json>{\"a\":\"track('init'\"}</script>",
            "<script><!-- <script> track('init' </script> --></script>",
            "<style>a{}<img src=//bad.example/></style>",
            "<textarea><img src=//bad.example/></textarea>",
            "<a href=/x ping='/own //bad.example/p'>t</a>",
            "<a/ping='//bad.example/p'/href=/x>t</a>",
            "<img src=/i srcset='/a 1x, //bad.example/b 2x'>",
            "<img src='' srcset='//bad.example/a 1x, //bad.example/b 2x'>",
            "<svg><path d=''/><title>t</title></svg>",
            "<svg><style><g>x</g></style><script href=//bad.example/></script><image xlink:href='//bad.example/'/></svg>",
            "<svg><![CDATA[<img src=//bad.example/>]]></svg>",
            "<math><mi><img src=//bad.example/></mi><annotation-xml encoding=text/html><p>x</p></annotation-xml></math>",
            "<br><hr><wbr>",
            "<select><option>a<option selected>b</select>",
            "<noscript>plain<p>x</p></noscript>",
            "<video controls poster=//bad.example/p><source src=/v></video>",
            "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"/x\"]}]}</script>",
            "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"/x\",\"//bad.example/\"]}]}</script>",
            "<object data=/o codebase=//bad.example/>o</object>",
        ]),
        url().prop_map(|url| format!("<img alt=x SRC={url} >")),
        url().prop_map(|url| format!("<script async src={url}></script>")),
        url().prop_map(|url| format!("<iframe src={url} width=1>x</iframe>")),
        url().prop_map(|url| format!("<link rel=stylesheet href={url} />")),
        url().prop_map(|url| format!("<embed src={url} >")),
        url().prop_map(|url| format!("<input type=image src={url} >")),
        url().prop_map(|url| format!("<noscript><img src={url} ><p>a</p></noscript>")),
        url().prop_map(|url| format!("<template><img src={url} ><b>a</b></template>")),
        url().prop_map(|url| format!("<picture><source srcset={url} ><img src=/i></picture>")),
        url().prop_map(|url| format!("<svg><use href={url} /></svg>")),
        url().prop_map(|url| format!("<svg><image href={url} /><g><a><image xlink:href={url} /></a></g></svg>")),
        url().prop_map(|url| format!("<table background={url} ><tr><td background={url} >c</td></tr></table>")),
    ]
}

/// Markup as people write it: everything is closed that has to be.
fn tame() -> impl Strategy<Value = String> {
    let tree = leaf().prop_recursive(4, 40, 6, |inner| {
        let inner = prop::collection::vec(inner, 0..6).prop_map(|all| all.concat());
        prop_oneof![
            inner.clone(),
            inner.clone().prop_map(|inner| format!("<div class=a>{inner}</div>")),
            inner.clone().prop_map(|inner| format!("<ul><li>{inner}</li><li>y</li></ul>")),
            inner.clone().prop_map(|inner| format!("<table><tbody><tr><td>{inner}</td></tr></tbody></table>")),
            inner.clone().prop_map(|inner| format!("<svg><foreignObject>{inner}</foreignObject></svg>")),
            inner.clone().prop_map(|inner| format!("<template><div>{inner}</div></template>")),
            (url(), inner.clone()).prop_map(|(url, inner)| format!("<object data={url} ><b>{inner}</b></object>")),
            (url(), inner).prop_map(|(url, inner)| format!("<video src={url} ><i>{inner}</i></video>")),
        ]
    });
    let head = pick(&[
        "",
        "<meta charset=utf-8>",
        "<base href=/own/>",
        "<base href=//bad.example/><base href=/own>",
        "<link rel=preload as=image imagesrcset='//bad.example/1 1x'>",
        "<meta http-equiv=refresh content='0;url=//bad.example/'><noscript><link rel=stylesheet href=//bad.example/></noscript>",
        "<template><base href=//bad.example/></template>",
    ]);
    (head, prop::collection::vec(tree, 0..5)).prop_map(|(head, body)| {
        let body = body.concat();
        format!("<!DOCTYPE html><html><head><title>t</title>{head}</head><body><p>b</p>{body}</body></html>")
    })
}

/// Markup as it is found: anything may be open, closed twice, or stand where it may not.
fn wild() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => leaf(),
        4 => pick(&[
            "<select>", "</select>", "<option>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<caption>",
            "<svg>", "<svg/>", "<math/>", "</svg>", "<math>", "</math>", "<mi>", "</mi>", "<mtext>", "<desc>", "</desc>", "<title>",
            "</title>", "<foreignObject>", "</foreignObject>", "<annotation-xml encoding=text/html>",
            "</annotation-xml>", "<annotation-xml>", "<template>", "</template>", "<p>", "</p>", "<b>", "</b>",
            "<a href=x>", "</a>", "<div>", "</div>", "<button>", "<form>", "</form>", "<li>", "</body>", "</html>",
            "<body background=//bad.example/>",
            "<math></table>", "<frameset>", "</frameset>", "<frame src=//bad.example/>", "<noframes>", "</noframes>", "<font color=x>", "<font>", "<mglyph>", "<object>", "</object>",
            "<object data=//bad.example/>", "<video src=//bad.example/>", "</video>", "<input>", "<keygen>",
            "<head>", "</head>", "<br>", "</br>", "<g>", "</g>", "<title/>", "<script/>", "<style/>",
        ]),
        1 => pick(&[
            "<noscript>", "</noscript>", "<textarea>", "</textarea>", "<style>", "</style>", "<xmp>", "</xmp>",
            "<iframe>", "</iframe>", "<noembed>", "</noembed>", "<script>", "</script>",
            "<![CDATA[", "]]>", "<!x>", "</ x>", "<?x>", "<", "</", "\0", "&", "<!DOCTYPE html>", "<!-->", "--!>",
        ]),
    ];
    prop::collection::vec(bit, 0..16).prop_map(|bits| bits.concat())
}

/// The same cases on each run, so that a new disagreement of two parsers is found by who looks for one
/// (`PROPTEST_RNG_SEED`, the fuzz target) and not by whoever's turn it is in CI.
fn seeded() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(6265),
        chosen => chosen,
    };
    ProptestConfig { rng_seed, ..default }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn tree_is_the_original_without_what_is_blocked(page in tame()) {
        agrees(&settings(), &page)?;
    }

    #[test]
    fn nothing_blocked_lives_on_in_any_markup(page in wild()) {
        is_clean(&settings(), &page)?;
    }
}

/// lol_html takes what follows an empty `<svg/>` for SVG's: CDATA, scripts and titles would be read otherwise than by
/// browsers.
#[test]
fn what_follows_an_empty_svg_is_html() {
    for (before, after) in [
        ("<svg/><![CDATA[><img src=//bad.example/>]]>", "<svg/><![CDATA[>]]>"),
        ("<p><svg class='a>b' /><math/><svg/><img src=//bad.example/>x", "<p><svg class='a>b' /><math/><svg/>x"),
        ("<svg/><script>own('<img src=../t/x>')</script>x", "<svg/><script>own('<img src=../t/x>')</script>x"),
        ("<svg/><script>track('init')</script>x", "<svg/><script></script>x"),
        ("<svg/><textarea><img src=//bad.example/></textarea>", "<svg/><textarea><img src=//bad.example/></textarea>"),
        ("<noscript><svg/><img src=//bad.example/></noscript><i>", "<noscript><svg/></noscript><i>"),
        ("<svg/><base href=//bad.example/><svg/><img src=x><svg/>", "<svg/><base href=//bad.example/><svg/><svg/>"),
    ] {
        assert_eq!(rewrite(before), after, "{before}");
        let settings = settings();
        assert_eq!(Browser { settings: &settings, scripting: true }.contacts(after), Vec::<String>::new());
    }
    let many = "<svg/><img src=//bad.example/>text".repeat(300);
    assert_eq!(rewrite(&many), "<svg/>text".repeat(300));
}
