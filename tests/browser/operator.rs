//! The page of those who run this: it stays fresh by itself, works by keyboard, and fits.

use std::fs;
use std::time::Duration;

use serde_json::json;
use tempfile::tempdir;
use thirtyfour::prelude::*;

use crate::looks::{picture, size};
use crate::support::{Client, HOST, Origin, Proxy};
use crate::visitor::{Scripts, Visitor, eventually, run};

const PAGE: &str = "<html><script src=https://px.adnet.example/a.js></script><img src=//cdn.elsewhere.example/i.png>";

/// A proxy that can be looked at, with two sites of which one has an origin that is away.
async fn watched() -> (Proxy, Origin) {
    let cookies = [
        ("content-type", "text/html"),
        ("set-cookie", "_ga=1; Max-Age=999999999"),
        ("set-cookie", "SHOPSID=1"),
        ("set-cookie", "a-cookie-with-a-name-that-is-rather-long-and-that-nobody-has-ever-heard-of=1"),
    ];
    let origin = Origin::fixed(200, &cookies, PAGE).await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let builder = Proxy::builder().top("admin: { listen: 127.0.0.1:0 }").site(HOST, origin.address, "");
    (builder.site("away.example", away, "mode: observe").start(), origin)
}

/// Visits, choices and failures, until the future is dropped.
async fn busy(proxy: &Proxy) {
    let (mut visitor, mut lost) = (Client::h2(proxy).await, Client::h1_to(proxy, "away.example").await);
    for round in 0.. {
        visitor.navigate(&format!("/page{}", round % 5), &[("sec-fetch-site", "cross-site")]).await;
        if round % 10 == 0 {
            let decision =
                if round % 30 == 0 { "accept-all" } else { "save&shown_category=analytics&category=analytics" };
            visitor.choose(&format!("decision={decision}")).await;
            lost.get("/", &[]).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Visits go on until the page has so many samples to draw.
async fn sampled(proxy: &Proxy, visitor: &Visitor, samples: u64) {
    visitor.open("/").await;
    let count =
        "const done = arguments[0]; fetch('/api/traffic').then(r => r.json()).then(t => done(t.samples.length))";
    let enough = async {
        // One at a time: each is five seconds away from the last.
        for wanted in 1..=samples {
            eventually("another sample", async || {
                let found = visitor.browser.execute_async(count, Vec::new()).await.unwrap().json().as_u64();
                (found? >= wanted).then_some(())
            })
            .await;
        }
    };
    tokio::select! { () = enough => {} () = busy(proxy) => {} }
}

async fn operator(proxy: &Proxy, scripts: Scripts) -> Visitor {
    let site = format!("http://localhost:{}", proxy.admin.unwrap().port());
    Visitor::at(site, None, tempdir().unwrap(), scripts).await
}

async fn reads(visitor: &Visitor, css: &str) -> String {
    visitor.value(&format!("document.querySelector({})?.textContent ?? ''", json!(css))).await.as_str().unwrap().into()
}

#[test]
fn it_says_that_nothing_has_come_yet_and_then_what_comes() {
    run(async {
        let (proxy, _origin) = watched().await;
        let visitor = operator(&proxy, Scripts::On).await;
        visitor.open("/").await;
        for (part, said) in [
            ("#no-traffic", "No request has come yet"),
            ("#acted", "Nothing was removed"),
            ("#choices", "Nobody has chosen"),
            ("#sites", "not asked yet"),
            ("#findings", "No cookie and no tag"),
        ] {
            eventually(said, async || reads(&visitor, part).await.contains(said).then_some(())).await;
        }
        let scale = "const texts = [...document.querySelectorAll('[data-plot=requests] svg text')]; \
                     return texts.length && texts.filter(text => !/:/.test(text.textContent)).map(text => text.textContent)";
        let scale = eventually("a plot of nothing", async || {
            let texts = visitor.browser.execute(scale, Vec::new()).await.unwrap();
            texts.json().as_array().cloned()
        });
        assert_eq!(scale.await, ["0"], "what is not there has no scale");
        picture(&visitor, 1280, "operator-empty").await;
        let come = async {
            // Nobody presses anything.
            for (part, said) in [
                ("#acted", "marketing"),
                ("#choices", "100 %"),
                ("#sites", "failing"),
                ("#alerts", "origin of away.example fails"),
                ("#drift", "SameSite=Strict"),
                ("#findings", "a-cookie-with-a-name"),
            ] {
                eventually(said, async || reads(&visitor, part).await.contains(said).then_some(())).await;
            }
            let is_drawn = async |name: &str| {
                let path = format!("document.querySelectorAll('[data-plot={name}] svg path').length > 1");
                eventually(name, async || (visitor.value(&path).await == true).then_some(())).await;
            };
            for name in ["requests", "added", "acted"] {
                is_drawn(name).await;
            }
            let rate: f64 = reads(&visitor, "[data-now=requests]").await.trim().parse().unwrap();
            assert!(rate > 0.5, "{rate}");
        };
        tokio::select! { () = come => {} () = busy(&proxy) => {} }
        proxy.write("consentry.yaml", "listen: [\n");
        proxy.reload();
        eventually("the refusal", async || reads(&visitor, "#alerts").await.contains("is wrong").then_some(())).await;
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}

#[test]
fn it_works_by_keyboard_and_copies_rules() {
    run(async {
        let (proxy, _origin) = watched().await;
        let visitor = operator(&proxy, Scripts::On).await;
        sampled(&proxy, &visitor, 2).await;
        visitor.open("/").await;
        let origin =
            json!({ "origin": visitor.site, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        visitor.devtools("Browser.grantPermissions", origin).await;

        let plot = "[data-plot=requests] svg";
        let plot = eventually(plot, async || visitor.browser.find(By::Css(plot)).await.ok()).await;
        visitor.value("document.querySelector('[data-plot=requests] svg').focus()").await;
        plot.send_keys(Key::Left).await.unwrap();
        let said = reads(&visitor, "[data-plot=requests] output").await;
        assert!(said.contains("all ") && said.contains("5xx "), "{said:?}");
        let label =
            visitor.value("document.querySelector('[data-plot=requests] svg').getAttribute('aria-label')").await;
        assert!(label.as_str().unwrap().contains("Now: all "), "{label}");

        let shown = "[...document.querySelectorAll('#inventory tbody tr')].filter(row => !row.hidden).length";
        assert!(visitor.value(shown).await.as_u64().unwrap() > 2);
        visitor.write("#find", "rather-long").await;
        assert_eq!(visitor.value(shown).await, 1);
        visitor.click("#inventory tr:not([hidden]) summary").await;
        visitor.click("#inventory tr:not([hidden]) .copy").await;
        visitor.reads("#inventory tr:not([hidden]) .copy", "Copied").await;
        let copied = "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)))";
        let copied = visitor.browser.execute_async(copied, Vec::new()).await.unwrap().json().to_string();
        assert!(copied.contains("a-cookie-with-a-name") && copied.contains("category:"), "{copied}");

        // A filter asks the server at once.
        let kind = "const kind = document.querySelector('select[name=kind]'); kind.value = 'tag'; \
                    kind.dispatchEvent(new Event('change', { bubbles: true }))";
        visitor.browser.execute(kind, Vec::new()).await.unwrap();
        eventually("only tags", async || {
            let kinds = "[...document.querySelectorAll('#inventory tbody td:nth-child(2)')].map(td => td.textContent)";
            let kinds = visitor.value(kinds).await;
            let kinds = kinds.as_array()?;
            (!kinds.is_empty() && kinds.iter().all(|kind| kind == "tag")).then_some(())
        })
        .await;
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}

#[test]
fn it_fits_wide_and_narrow_windows_in_both_schemes_and_without_scripts() {
    run(async {
        let (proxy, _origin) = watched().await;
        let visitor = operator(&proxy, Scripts::On).await;
        sampled(&proxy, &visitor, 5).await;
        for scheme in ["light", "dark"] {
            let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            visitor.devtools("Emulation.setEmulatedMedia", feature).await;
            for width in [1280, 360] {
                size(&visitor, width, 900).await;
                visitor.open("/").await;
                let drawn = "document.querySelectorAll('[data-plot] svg').length === 3";
                eventually("plots", async || (visitor.value(drawn).await == true).then_some(())).await;
                let root = "document.documentElement";
                let beyond = visitor.value(&format!("{root}.scrollWidth - {root}.clientWidth")).await;
                assert_eq!(beyond, 0, "it scrolls sideways at {width}");
                picture(&visitor, width, &format!("operator-{width}-{scheme}")).await;
            }
        }
        drop(visitor);
        let visitor = operator(&proxy, Scripts::Off).await;
        visitor.open("/?kind=tag").await;
        let text = visitor.browser.find(By::Css("main")).await.unwrap().text().await.unwrap();
        assert!(text.contains("px.adnet.example") && text.contains("100 %"), "{text}");
    });
    assert!(fs::exists(concat!(env!("CARGO_TARGET_TMPDIR"), "/screenshots/operator-360-dark.png")).unwrap());
}
