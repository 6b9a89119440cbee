//! What visitors with other means than eyes and a mouse meet: axe-core on all that we show, the keyboard alone, and what a
//! screen reader is told, in order.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::looks::{example, picture, picture_of_window};
use crate::support::origin::{Answer, respond};
use crate::visitor::{Scripts, Visitor, eventually, visit_policy, visit_site};

const ON: &str = "banner: true\nsettings_link: true";

/// How a page is looked at: the tag of its language, its colours, the window in CSS pixels, and device pixels for each.
const VIEWS: [(&str, &str, (u32, u32), u32); 7] = [
    ("en", "light", (1280, 900), 1),
    ("en", "dark", (320, 640), 1),
    // A window of 1280 by 900 at 400 %.
    ("de", "light", (320, 225), 4),
    ("de", "dark", (320, 225), 4),
    ("ar", "dark", (1280, 900), 1),
    ("ar", "light", (320, 640), 1),
    ("fr", "forced", (1280, 900), 1),
];

fn pages(target: &str) -> Answer {
    let lang = target.trim_start_matches('/').split('/').next().unwrap();
    let dir = if lang == "ar" { "rtl" } else { "ltr" };
    let links =
        if target.ends_with("/links") { "<p><a href=/en/more>Leaves</a></p>".repeat(60) } else { String::new() };
    let html = format!(
        "<!doctype html><html lang={lang} dir={dir}><head><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <meta name=color-scheme content='light dark'><title>Tea</title><link rel=icon href=data:,><style>body {{ background: Canvas }} iframe {{ max-width: 100% }}</style></head>\
         <body><main><h1>Tea</h1><p>Leaves.</p><a href=/en/more>More</a>\
         <iframe title=Film src=https://www.youtube.com/embed/1 width=300 height=200></iframe>{links}</main></body></html>"
    );
    respond(200, &[("content-type", "text/html")], html)
}

#[test]
fn axe_finds_nothing_where_visitors_are_asked() {
    let axe = axe();
    visit_policy(Scripts::On, &example("msgro"), ON, pages, async |visitor| {
        for view in VIEWS {
            look(&visitor, view).await;
            let lang = view.0;
            visitor.open(&format!("/{lang}")).await;
            healthy(&visitor, &axe, &format!("the banner, {view:?}")).await;
            assert_eq!(visitor.value("document.getElementById('consentry').lang").await, lang);
            let colours = visitor.value(COLOURS).await;
            let same = |colour: &Value| *colour == colours[0];
            assert!(colours.as_array().unwrap().iter().all(same), "{view:?}: {colours}");
            visitor.browser.enter_frame(0).await.unwrap();
            assert_eq!(visitor.value("document.documentElement.lang").await, lang);
            healthy(&visitor, &axe, &format!("the placeholder, {view:?}")).await;
            visitor.browser.enter_default_frame().await.unwrap();
            visitor.open(&format!("/_consent/?language={lang}")).await;
            healthy(&visitor, &axe, &format!("the centre, {view:?}")).await;
        }
        // The check can fail.
        look(&visitor, VIEWS[0]).await;
        visitor.value("document.querySelector('h1').style.color = '#ddd'").await;
        assert_ne!(violations(&visitor, &axe).await, json!([]));
    });
}

#[test]
fn axe_finds_nothing_where_visitors_read() {
    let axe = axe();
    visit_policy(Scripts::On, &example("msgro"), ON, pages, async |visitor| {
        visitor.open("/_consent/").await;
        visitor.click("button[value=accept-all]").await;
        eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
        for view in VIEWS {
            look(&visitor, view).await;
            for page in ["policy", "receipt"] {
                visitor.open(&format!("/_consent/{page}?language={}", view.0)).await;
                healthy(&visitor, &axe, &format!("{page} {view:?}")).await;
            }
        }
        // What has little in it of its own: once bright, once in the dark.
        for view in &VIEWS[..2] {
            look(&visitor, *view).await;
            for path in ["/en", "/_consent/", "/_consent/withdrawn", "/_consent/nothing"] {
                visitor.open(path).await;
                healthy(&visitor, &axe, &format!("{path} {view:?}")).await;
            }
        }
    });
}

#[test]
fn axe_finds_nothing_where_another_tool_asks() {
    let axe = axe();
    visit_site(Scripts::On, "consent_tool: onetrust", pages, async |visitor| {
        for view in VIEWS {
            look(&visitor, view).await;
            visitor.open(&format!("/_consent/?language={}", view.0)).await;
            healthy(&visitor, &axe, &format!("{view:?}")).await;
        }
        look(&visitor, VIEWS[0]).await;
        picture(&visitor, 1280, "tool-1280-light").await;
    });
}

const COLOURS: &str = "[...document.querySelectorAll('#consentry .consentry-button')].map(button =>
    (style => [style.color, style.backgroundColor, style.borderTopColor])(getComputedStyle(button)))";

/// Emulates a way of looking.
async fn look(visitor: &Visitor, (_, colours, (width, height), scale): (&str, &str, (u32, u32), u32)) {
    let scheme = if colours == "forced" { "dark" } else { colours };
    let forced = if colours == "forced" { "active" } else { "none" };
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "forced-colors", "value": forced },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ]);
    visitor.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
    visitor.devtools("Emulation.setDeviceMetricsOverride", size).await;
}

/// Nothing for axe to find, nothing to scroll to sideways, and everything opened.
async fn healthy(visitor: &Visitor, axe: &str, what: &str) {
    visitor.value("document.querySelectorAll('details').forEach(box => box.open = true)").await;
    let root = "document.documentElement";
    assert_eq!(visitor.value(&format!("{root}.scrollWidth - {root}.clientWidth")).await, 0, "{what} scrolls sideways");
    // Every way of looking here asks for less motion.
    let moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s')
        .length + document.getAnimations().length";
    assert_eq!(visitor.value(moving).await, 0, "{what} moves");
    let found = violations(visitor, axe).await;
    assert_eq!(found, json!([]), "{what}: {found:#}");
}

async fn violations(visitor: &Visitor, axe: &str) -> Value {
    let run = format!(
        "const done = arguments[arguments.length - 1];
        if (!window.axe) {{ {axe} }}
        const kinds = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        // A frame is no page.
        const rules = {{ 'page-has-heading-one': {{ enabled: window.top === window }} }};
        axe.run(document, {{ runOnly: kinds, rules, iframes: false, resultTypes: ['violations'] }}).then(
            found => done(found.violations.map(v => [v.id, v.nodes.map(n => [n.html.slice(0, 200), n.failureSummary])])),
            error => done(String(error)));"
    );
    visitor.browser.execute_async(run, Vec::new()).await.unwrap().json().clone()
}

/// The text of axe-core, which `tests/run` fetches and checks.
fn axe() -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("axe").join("axe.min.js");
    fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("this test needs axe-core: `tests/run` puts it at {} ({error})", file.display()))
}

const FOCUS: &str =
    "(a => [a.textContent || a.labels?.[0]?.textContent, a.matches(':focus-visible') && (s => s.outlineStyle
    !== 'none' && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(a))])(document.activeElement)";

#[test]
fn a_keyboard_is_enough() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        let press = async |key: Key| visitor.browser.action_chain().send_keys(key).perform().await.unwrap();
        visitor.open("/en").await;
        for name in ["Cookie policy", "Accept all", "Reject all", "Choose"] {
            press(Key::Tab).await;
            assert_eq!(visitor.value(FOCUS).await, json!([name, true]), "the focus shows");
        }
        press(Key::Enter).await;
        visitor.reads("h1", "Cookie settings").await;
        // Links, then each switch with what stands below it; those that are locked are passed over.
        let mut order = Vec::new();
        for _ in 0..40 {
            press(Key::Tab).await;
            let now = visitor.value(FOCUS).await;
            assert_eq!(now[1], true, "{now}");
            let name = now[0].as_str().unwrap().split(':').next().unwrap().trim().to_owned();
            order.push(name);
            if order.last().unwrap() == "Withdraw and delete everything" {
                break;
            }
        }
        let expected = [
            "Back to localhost",
            "Cookie policy",
            "Functional",
            "Analytics",
            "1 service",
            "Marketing",
            "1 service",
            "Accept all",
            "Reject all",
            "Save my choice",
            "Withdraw and delete everything",
        ];
        let found: Vec<_> = order.iter().filter(|name| expected.contains(&&***name)).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{order:?}");
        // Space turns a switch, Enter in it saves what is ticked and nothing else.
        visitor.value("document.querySelector('[value=analytics]').focus()").await;
        press(Key::Space).await;
        assert_eq!(visitor.value("document.activeElement.checked").await, true);
        press(Key::Enter).await;
        eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
        visitor.reads("h1", "Tea").await;
        let held = visitor.value("consentry.get().categories").await;
        assert_eq!((&held["analytics"], &held["marketing"]), (&json!(true), &json!(false)));
        // And the banner's answers by Space.
        visitor.browser.delete_all_cookies().await.unwrap();
        visitor.open("/en").await;
        for _ in 0..3 {
            press(Key::Tab).await;
        }
        press(Key::Space).await;
        eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
        eventually("the banner goes", async || {
            (visitor.value("!document.getElementById('consentry')").await == true).then_some(())
        })
        .await;
    });
}

#[test]
fn screen_readers_are_told_what_is_asked_and_in_order() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        visitor.open("/en").await;
        let told = told(&visitor).await;
        let expected = [
            "region Cookies on localhost",
            "link Cookie policy",
            "button Accept all",
            "button Reject all",
            "link Choose",
            "main ",
            "heading Tea",
            "link More",
            "link Cookie settings",
        ];
        let mut rest = told.iter();
        for part in expected {
            assert!(rest.any(|line| line == part), "{part} at its place in {told:#?}");
        }
        visitor.open("/_consent/").await;
        let told = self::told(&visitor).await;
        let back = visitor.site.replace("https://", "link Back to ");
        let expected = [
            "main ",
            &*back,
            "heading Cookie settings",
            "heading Necessary",
            "checkbox Necessary (checked, disabled)",
            "heading Functional",
            "checkbox Functional",
            "heading Analytics",
            "checkbox Analytics",
            "DisclosureTriangle 1 service : Analytics",
            "button Accept all",
            "button Reject all",
            "button Save my choice",
            "heading Withdraw your consent",
        ];
        let mut rest = told.iter();
        for part in expected {
            assert!(rest.any(|line| line == part), "{part} at its place in {told:#?}");
        }
        // What a category is for is told with its switch.
        visitor.value("document.querySelectorAll('input[name=category]').forEach(e => e.scrollIntoView())").await;
        let described = "[...document.querySelectorAll('input[name=category]')].every(e =>
            document.getElementById(e.getAttribute('aria-describedby')))";
        assert_eq!(visitor.value(described).await, true);
    });
}

/// WCAG 2.2 §2.4.11: what has the focus is never wholly behind the banner, on small screens and at 400 %, and the banner's
/// own answers are in sight, whatever of its text is not.
#[test]
fn banner_hides_nothing_that_has_the_focus() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        for window in [(320, 568), (320, 640), (375, 667), (320, 256), (700, 360), (1000, 300), (1280, 720)] {
            for lang in ["en", "de"] {
                look(&visitor, (lang, "light", window, 1)).await;
                visitor.open(&format!("/{lang}/links")).await;
                let answers = "[...document.querySelectorAll('.consentry-button')].map(b => b.getBoundingClientRect())
                    .filter(r => r.top >= 0 && r.bottom <= innerHeight && r.left >= 0 && r.right <= innerWidth &&
                        document.elementFromPoint(r.x + 9, r.y + 9)?.closest('.consentry-button') &&
                        document.elementFromPoint(r.right - 9, r.bottom - 9)?.closest('.consentry-button')).length";
                assert_eq!(visitor.value(answers).await, 3, "{lang} {window:?}");
                picture_of_window(&visitor, &format!("focus-{lang}-{}x{}", window.0, window.1)).await;
                let mut covered = Vec::new();
                for _ in 0..45 {
                    visitor.browser.action_chain().send_keys(Key::Tab).perform().await.unwrap();
                    let place = "(e => e.closest('#consentry') ? null : [e.getBoundingClientRect(),
                        document.querySelector('.consentry-box').getBoundingClientRect().top])(document.activeElement)";
                    let place = visitor.value(place).await;
                    if !place.is_null()
                        && (place[0]["top"].as_f64() >= place[1].as_f64() || place[0]["bottom"].as_f64() <= Some(0.0))
                    {
                        covered.push(place);
                    }
                }
                assert!(covered.is_empty(), "{lang} {window:?}: {covered:?}");
            }
        }
    });
}

/// The accessibility tree as lines of role, name and state, in the order in which it is read.
async fn told(visitor: &Visitor) -> Vec<String> {
    let tree = visitor.devtools("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().unwrap();
    let by_id = |id: &Value| nodes.iter().find(|node| node["nodeId"] == *id);
    let mut lines = Vec::new();
    let mut open = vec![&nodes[0]];
    while let Some(node) = open.pop() {
        if node["ignored"] != true {
            let is = |name: &str| {
                let all = node["properties"].as_array().into_iter().flatten();
                all.clone().any(|p| p["name"] == name && [json!(true), json!("true")].contains(&p["value"]["value"]))
            };
            let states: Vec<_> = ["checked", "disabled"].into_iter().filter(|name| is(name)).collect();
            let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
            let text = |key: &str| node[key]["value"].as_str().unwrap_or_default();
            lines.push(format!("{} {}{states}", text("role"), text("name")));
        }
        open.extend(node["childIds"].as_array().into_iter().flatten().rev().filter_map(by_id));
    }
    lines
}
