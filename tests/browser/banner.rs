//! The banner in a page: three answers that look alike, first in order, moving nothing; with scripts and without, under
//! strict policies and under style sheets that fight it.

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::looks::{picture, size};
use crate::support::origin::{Answer, respond};
use crate::support::proxy::POLICY;
use crate::visitor::{Scripts, Visitor, eventually, visit_policy, visit_site};

const ON: &str = "banner: true\nsettings_link: true";
const NEUTRAL: &str = "banner: true\nsettings_link: true\ngating: neutralise\nconsent_mode: basic";

const TEXT: &str = "<h1>Tea</h1><p><a id=link href=/other>Other</a> Leaves and water.</p><p>More of it.</p>";

/// Style sheets of sites that fight what is not theirs.
const LEGACY: &str = "html { font-size: 62.5% } * { margin: 3px; letter-spacing: 4px; text-transform: uppercase }
button { display: none !important; background: red } button:first-of-type { display: block; font-size: 40px }
section, form { display: none !important } a { color: #ccc !important; font-size: 8px !important; display: inline !important }
[name=decision][value=accept-all] { background: green !important; padding: 30px !important; --c-button: green }
#consentry button + button { opacity: .2 !important; transform: scale(.5) } body > * { position: static !important }
button::before { content: 'x'; display: block; height: 40px }";

/// The same in cascade layers, whose important rules beat all without a layer, of whatever weight.
const LAYERS: &str = "@layer base, more; @layer base { *:focus { outline: none !important }
button { font-size: 9px !important; background: #ddd !important; color: #eee !important } }
@layer { body > *, section *, form, a { display: none !important; opacity: 0 !important } }
@layer more { #consentry#consentry#consentry#consentry { position: static !important; all: unset !important } }";

const STRICT: [(&str, bool, bool); 7] = [
    ("default-src 'self'; img-src data:", true, true),
    ("default-src 'none'; img-src data:", false, true),
    ("default-src 'none'; img-src data:; form-action 'none'", false, false),
    ("style-src 'nonce-page'; script-src 'nonce-page' 'strict-dynamic'; base-uri 'none'", true, true),
    ("default-src 'self'; img-src data:; connect-src 'none'", true, true),
    ("script-src 'sha256-AAAA'; style-src 'unsafe-inline'", false, true),
    ("default-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'", true, true),
];

fn page(style: &str, more: &str) -> String {
    format!(
        "<!doctype html><html><head><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Tea</title>\
         <link rel=icon href=data:,><style>{style}</style></head><body>{TEXT}{more}\
         <script>counter('run')</script><footer><p>Since 1999</p></footer></body></html>"
    )
}

fn pages(target: &str) -> Answer {
    let html = ("content-type", "text/html; charset=iso-8859-1");
    match target.strip_prefix("/strict/").or_else(|| target.strip_prefix("/meta/")).map(str::parse::<usize>) {
        Some(Ok(number)) => {
            let text = page("", "").replace("<style></style>", "").replace("<script>counter('run')</script>", "");
            if target.starts_with("/strict") {
                return respond(200, &[html, ("content-security-policy", STRICT[number].0)], text);
            }
            let meta = format!("<meta http-equiv=Content-Security-Policy content=\"{}\"><title>", STRICT[number].0);
            respond(200, &[html], text.replace("<title>", &meta))
        }
        _ if target == "/legacy" => respond(200, &[html], page(LEGACY, "")),
        _ if target == "/layers" => respond(200, &[html], page(LAYERS, "")),
        _ if target == "/long" => respond(200, &[html], page("", &"<p>Tea.</p>".repeat(200))),
        _ => {
            let ran = "<script>var ran = 0, counter = what => { if (what === 'run') ran++; }</script>";
            respond(200, &[html], page("", "").replace("<title>", &format!("{ran}<title>")))
        }
    }
}

const BUTTONS: &str = "[...document.querySelectorAll('#consentry .consentry-button')]";

/// What an eye compares: size, place in a line, colours, type.
async fn looks(visitor: &Visitor) -> Vec<Value> {
    let script = format!(
        "{BUTTONS}.map(button => {{
            const style = getComputedStyle(button), {{ width, height }} = button.getBoundingClientRect();
            const names = ['color', 'backgroundColor', 'borderTopColor', 'borderTopWidth', 'borderRadius', 'fontSize',
                'fontWeight', 'fontFamily', 'opacity', 'filter', 'boxShadow', 'textDecorationLine', 'textTransform',
                'letterSpacing', 'paddingTop', 'paddingLeft', 'visibility', 'display', 'transform', 'cursor', 'outlineStyle'];
            return [Math.round(width), Math.round(height), ...names.map(name => style[name])];
        }})"
    );
    visitor.value(&script).await.as_array().unwrap().clone()
}

async fn asked(visitor: &Visitor) -> bool {
    visitor.value("document.getElementById('consentry') !== null").await == true
}

async fn gone(visitor: &Visitor) {
    eventually("the banner goes", async || (!asked(visitor).await).then_some(())).await;
}

/// Luminance contrast of text and ground (WCAG 2.2 §1.4.3).
const CONTRAST: &str = "(([a, b]) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05))(
    [getComputedStyle(document.querySelector('#consentry button')).color,
     getComputedStyle(document.querySelector('#consentry button')).backgroundColor].map(text =>
        text.match(/[\\d.]+/g).slice(0, 3).map(n => n / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0)))";

#[test]
fn three_answers_look_alike_whatever_the_site_says_of_buttons() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        for scheme in ["light", "dark"] {
            let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            visitor.devtools("Emulation.setEmulatedMedia", feature).await;
            for width in [1280, 320] {
                size(&visitor, width, 900).await;
                for path in ["/legacy", "/layers", "/"] {
                    visitor.open(path).await;
                    let looks = looks(&visitor).await;
                    assert_eq!(looks.len(), 3);
                    assert!(looks[0] == looks[1] && looks[1] == looks[2], "{path} {width}: {looks:#?}");
                    assert!(looks[0][1].as_u64().unwrap() >= 44 && looks[0][0].as_u64().unwrap() >= 120, "{looks:?}");
                    assert!(visitor.value(CONTRAST).await.as_f64().unwrap() >= 4.5, "{path} {scheme}");
                    let names = visitor.value(&format!("{BUTTONS}.map(b => b.textContent)")).await;
                    assert_eq!(names, json!(["Accept all", "Reject all", "Choose"]));
                    let root = "document.documentElement";
                    assert_eq!(visitor.value(&format!("{root}.scrollWidth - {root}.clientWidth")).await, 0, "{path}");
                    // Nothing is cut off, nothing lies over it, and it stands at the foot of the window.
                    let hit = format!(
                        "{BUTTONS}.every(b => {{ const r = b.getBoundingClientRect(); return b.contains(
                            document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)); }})"
                    );
                    assert_eq!(visitor.value(&hit).await, true, "{path} {width}");
                    let name = format!("banner{}-{width}-{scheme}", path.replace('/', "-"));
                    picture(&visitor, width, &name).await;
                }
            }
        }
        visitor.open("/layers").await;
        for _ in 0..2 {
            visitor.browser.action_chain().send_keys(Key::Tab).perform().await.unwrap();
        }
        let focus = "[document.activeElement.value, getComputedStyle(document.activeElement).outline]";
        let focus = visitor.value(focus).await;
        assert_eq!(focus[0], "accept-all");
        assert!(focus[1].as_str().unwrap().contains("solid 3px"), "{focus}");
    });
}

#[test]
fn banner_is_first_in_order_holds_no_focus_and_moves_nothing() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        visitor.open("/long").await;
        let region = "document.getElementById('consentry')";
        assert_eq!(visitor.value(&format!("document.body.firstElementChild === {region}")).await, true);
        assert_eq!(visitor.value("document.activeElement === document.body").await, true);
        assert_eq!(
            visitor.value(&format!("{region}.querySelectorAll('[checked],input:not([type=hidden])').length")).await,
            0
        );
        let mut order = Vec::new();
        for _ in 0..5 {
            visitor.browser.action_chain().send_keys(Key::Tab).perform().await.unwrap();
            order.push(visitor.value("document.activeElement.textContent").await);
        }
        assert_eq!(order, ["Cookie policy", "Accept all", "Reject all", "Choose", "Other"]);
        // As Cumulative Layout Shift is defined: what follows a key press within half a second is no surprise.
        let shifts = "const done = arguments[0], moved = [];
            new PerformanceObserver(list => list.getEntries().filter(e => !e.hadRecentInput).forEach(e => moved.push(
                [e.value, e.startTime, e.sources.map(s => [s.node?.nodeName, s.previousRect, s.currentRect])])))
                .observe({ type: 'layout-shift', buffered: true });
            requestAnimationFrame(() => setTimeout(() => done(moved), 50));";
        let moved = visitor.browser.execute_async(shifts, Vec::new()).await.unwrap();
        assert_eq!(*moved.json(), json!([]));
        // Scrolling is no consent, and no cookie came before the choice.
        visitor.value("scrollTo(0, 1e6)").await;
        assert!(asked(&visitor).await && visitor.cookies().await.is_empty());
        // The end of the page can be scrolled out from behind the banner.
        let free = "document.querySelector('footer').getBoundingClientRect().bottom <= document.querySelector('.consentry-box').getBoundingClientRect().top";
        assert_eq!(visitor.value(free).await, true);
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}

/// M6: what a refused service has stored goes on the next page, and nothing else.
#[test]
fn refusing_clears_what_services_have_stored() {
    let policy = POLICY.replace("cookies: { _fbp: 90 days },", "cookies: { _fbp: 90 days }, storage: ['adnet_*'],");
    visit_policy(Scripts::On, &policy, ON, pages, async |visitor| {
        visitor.open("/").await;
        visitor.value("localStorage.setItem('adnet_id', 1), sessionStorage.setItem('adnet_x', 1), localStorage.setItem('own', 1)").await;
        visitor.open("/other").await;
        let stored = "[...Object.keys(localStorage), ...Object.keys(sessionStorage)].join()";
        assert_eq!(visitor.value(stored).await, "adnet_id,own,adnet_x", "nobody was asked yet");
        visitor.click("#consentry button[value=reject-all]").await;
        eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
        visitor.open("/").await;
        eventually("what is left", async || (visitor.value(stored).await == "own").then_some(())).await;
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}

#[test]
fn answers_work_without_scripts() {
    for (answer, choice) in [("accept-all", true), ("reject-all", true), ("choose", false)] {
        visit_site(Scripts::Off, ON, pages, async |visitor| {
            visitor.open("/other").await;
            visitor.open("/tea?a=1&b=%20").await;
            if choice {
                visitor.click(&format!("#consentry button[value={answer}]")).await;
                eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
                visitor.arrives(&format!("{}/tea?a=1&b=%20", visitor.site)).await;
                visitor.reads("h1", "Tea").await;
                let source = visitor.browser.source().await.unwrap();
                assert!(!source.contains("id=\"consentry\"") && source.contains("consentry-settings"), "{source}");
                // Nor does a page from before the choice come back out of the browser's memory.
                for _ in 0..2 {
                    visitor.browser.back().await.unwrap();
                    visitor.reads("h1", "Tea").await;
                    assert!(!visitor.browser.source().await.unwrap().contains("id=\"consentry\""), "{answer}");
                }
                assert_eq!(visitor.address().await, format!("{}/other", visitor.site));
            } else {
                visitor.click("#consentry a.consentry-button").await;
                visitor.reads("h1", "Cookie settings").await;
                visitor.click("button[value=save]").await;
                visitor.arrives(&format!("{}/tea?a=1&b=%20", visitor.site)).await;
            }
            // The way back.
            visitor.click("footer .consentry-settings").await;
            visitor.reads("h1", "Cookie settings").await;
        });
    }
}

#[test]
fn neutralised_tags_run_without_a_reload_and_others_are_told() {
    visit_site(Scripts::On, NEUTRAL, pages, async |visitor| {
        visitor.open("/").await;
        let listen = "(() => { window.told = []; window.mark = 1; window.back = consentry.onChange(s => told.push(s.categories.analytics));
            document.addEventListener('consentry:change', e => told.push(e.detail.chosen)); return consentry.get().categories; })()";
        let before = json!({ "necessary": true, "functional": false, "analytics": false, "marketing": false });
        assert_eq!(visitor.value(listen).await, before);
        assert_eq!(visitor.value("ran").await, 0);
        let first = "[...dataLayer].map(entry => [...(entry.event ? [entry.event] : entry)])[0]";
        let defaults = visitor.value(first).await;
        assert_eq!([&defaults[0], &defaults[1]], ["consent", "default"]);
        assert_eq!(defaults[2]["ad_storage"], "denied");
        assert_eq!(defaults[2]["security_storage"], "granted");
        visitor.click("#consentry button[value=accept-all]").await;
        gone(&visitor).await;
        eventually("the tag runs", async || (visitor.value("ran").await == 1).then_some(())).await;
        assert_eq!(visitor.value("[mark, told]").await, json!([1, [true, true]]), "no reload, and all are told");
        let rest = visitor.value("dataLayer.slice(-2).map(e => e.event ?? [e[0], e[1], e[2].analytics_storage])").await;
        assert_eq!(rest, json!([["consent", "update", "granted"], "consentry_consent"]));
        assert_eq!(visitor.value("consentry.get().categories.marketing && consentry.get().chosen").await, true);
        // On the next page it is told at once.
        visitor.open("/next").await;
        let types = visitor.value("[...dataLayer].slice(0, 2).map(e => [e[1], e[2].ad_storage])").await;
        assert_eq!(types, json!([["default", "denied"], ["update", "granted"]]));
        assert_eq!(visitor.value("ran").await, 1);
        visitor.value("consentry.open()").await;
        visitor.arrives(&format!("{}/_consent/?return_to=%2Fnext", visitor.site)).await;
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}

#[test]
fn removed_tags_come_by_a_reload_and_a_refusal_needs_none() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        visitor.open("/").await;
        visitor.value("window.mark = 1").await;
        visitor.click("#consentry button[value=reject-all]").await;
        gone(&visitor).await;
        assert_eq!(visitor.value("[window.mark, ran]").await, json!([1, 0]));
        // Neither back nor forward, nor the browser's memory of whole pages, brings it up again.
        visitor.open("/other").await;
        visitor.browser.back().await.unwrap();
        visitor.reads("h1", "Tea").await;
        gone(&visitor).await;

        visitor.browser.delete_all_cookies().await.unwrap();
        visitor.open("/").await;
        visitor.click("#link").await;
        visitor.arrives(&format!("{}/other", visitor.site)).await;
        visitor.click("#consentry button[value=accept-all]").await;
        eventually("the tag", async || {
            let ran = visitor.browser.execute("return window.ran ?? 0", Vec::new()).await.ok()?;
            (*ran.json() == 1).then_some(())
        })
        .await;
        assert!(!asked(&visitor).await);
        visitor.browser.back().await.unwrap();
        visitor.arrives(&format!("{}/", visitor.site)).await;
        gone(&visitor).await;
    });
}

/// An order is sent once, whatever the visitor answers on the page that confirms it.
#[test]
fn what_answers_a_form_is_not_asked_for_by_sending_it_again() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        visitor.open("/").await;
        // Though the element has the same name.
        assert_eq!(visitor.value("typeof consentry.get").await, "function");
        let order = "(() => { const form = document.createElement('form'); form.method = 'post'; form.action = '/order'; \
            document.body.append(form); form.submit(); })()";
        visitor.value(order).await;
        visitor.arrives(&format!("{}/order", visitor.site)).await;
        visitor.click("#consentry button[value=accept-all]").await;
        eventually("the tag", async || {
            let ran = visitor.browser.execute("return window.ran ?? 0", Vec::new()).await.ok()?;
            (*ran.json() == 1).then_some(())
        })
        .await;
        let how = "performance.getEntriesByType('navigation')[0].type";
        assert_eq!(visitor.value(how).await, "navigate", "a reload would have posted it");
    });
}

#[test]
fn banner_works_under_strict_policies_and_breaks_none() {
    visit_site(Scripts::On, ON, pages, async |visitor| {
        let kinds = ["strict", "meta"].into_iter().flat_map(|kind| STRICT.iter().enumerate().map(move |of| (kind, of)));
        for (kind, (number, (policy, styled, form))) in kinds {
            visitor.browser.delete_all_cookies().await.unwrap();
            visitor.open(&format!("/{kind}/{number}")).await;
            visitor.reads("#consentry", "Cookies on localhost").await;
            let link = visitor.value("document.querySelector('footer a')?.textContent ?? ''").await;
            assert_eq!(link, "Cookie settings", "{kind} {policy}");
            assert_eq!(
                visitor.value("document.querySelectorAll('#consentry button').length").await,
                if *form { 2 } else { 0 }
            );
            // Styled or not, it lies over the page.
            let place = "getComputedStyle(document.querySelector('#consentry dialog') ?? document.getElementById('consentry')).position";
            // Our style sheet comes before a policy that the page brings itself.
            let fixed = *styled || kind == "meta";
            assert_eq!(visitor.value(place).await, if fixed { "fixed" } else { "absolute" }, "{kind} {policy}");
            assert_eq!(visitor.complaints().await, [""; 0], "{kind} {policy}");
            if *form {
                visitor.click("#consentry button[value=reject-all]").await;
                eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
                visitor.reads("h1", "Tea").await;
            } else {
                visitor.click("#consentry a.consentry-button").await;
                visitor.reads("h1", "Cookie settings").await;
                visitor.click("button[value=reject-all]").await;
                visitor.arrives(&format!("{}/{kind}/{number}", visitor.site)).await;
            }
            eventually("the banner is gone", async || {
                let there =
                    visitor.browser.execute("return !!document.getElementById('consentry')", Vec::new()).await.ok()?;
                (*there.json() == false).then_some(())
            })
            .await;
            assert_eq!(visitor.complaints().await, [""; 0], "{kind} {policy}");
        }
    });
}

#[test]
fn shared_pages_get_their_banner_from_the_script() {
    visit_site(Scripts::On, "banner: true\nsettings_link: true\ngating: client", pages, async |visitor| {
        visitor.open("/").await;
        eventually("the banner", async || asked(&visitor).await.then_some(())).await;
        visitor.click("#consentry button[value=accept-all]").await;
        gone(&visitor).await;
        eventually("the tag runs", async || (visitor.value("ran").await == 1).then_some(())).await;
        visitor.open("/").await;
        eventually("the tag runs again", async || (visitor.value("ran").await == 1).then_some(())).await;
        assert!(!asked(&visitor).await);
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}
