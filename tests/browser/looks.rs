//! How pages look, as far as a program can tell: they fit, and the console has nothing to say.
//!
//! Leaves pictures in `target/tmp/screenshots` for people to look at.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::origin::{Answer, respond};
use crate::visitor::{Scripts, Visitor, eventually, visit, visit_policy};

const PAGES: [(&str, &str); 6] = [
    ("shop", "/"),
    ("video", "/video"),
    ("login", "/login"),
    ("settings", "/_consent/"),
    ("settings-open", "/_consent/"),
    ("error", "/_consent/nothing"),
];

#[test]
fn pages_fit_wide_and_narrow_windows_in_both_schemes() {
    visit(Scripts::On, async |visitor| {
        for scheme in ["light", "dark"] {
            let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            visitor.devtools("Emulation.setEmulatedMedia", feature).await;
            for width in [1280, 360] {
                size(&visitor, width, 900).await;
                for (name, path) in PAGES {
                    visitor.open(path).await;
                    if name.ends_with("-open") {
                        visitor.value("document.querySelectorAll('details').forEach(box => box.open = true)").await;
                    }
                    let root = "document.documentElement";
                    let beyond = visitor.value(&format!("{root}.scrollWidth - {root}.clientWidth")).await;
                    assert_eq!(beyond, 0, "{path} scrolls sideways at {width}");
                    picture(&visitor, width, &format!("{name}-{width}-{scheme}")).await;
                }
            }
        }
    });
}

#[test]
fn our_pages_raise_no_complaint() {
    visit(Scripts::On, async |visitor| {
        for page in ["/_consent/", "/_consent/?return_to=/video", "/"] {
            visitor.open(page).await;
            assert_eq!(visitor.complaints().await, [""; 0], "{page}");
        }
        visitor.choose(&["analytics"], "save").await;
        visitor.settle().await;
        assert_eq!(visitor.complaints().await, [""; 0]);
        // The check can fail: the browser does report a policy that is broken.
        visitor.open("/_consent/").await;
        visitor.value("document.body.append(Object.assign(new Image(), { src: '/badge.png' }))").await;
        eventually("a complaint", async || {
            visitor.complaints().await.iter().any(|line| line.contains("Content Security Policy")).then_some(())
        })
        .await;
    });
}

pub(crate) async fn size(visitor: &Visitor, width: u32, height: u64) {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
    visitor.devtools("Emulation.setDeviceMetricsOverride", size).await;
}

/// The whole page, not only what the window shows of it.
pub(crate) async fn picture(visitor: &Visitor, width: u32, name: &str) {
    let height = visitor.value("document.documentElement.scrollHeight").await.as_u64().unwrap();
    size(visitor, width, height).await;
    let taken = visitor.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
    size(visitor, width, 900).await;
    save(name, &taken);
}

/// A picture of the window as it is.
pub(crate) async fn picture_of_window(visitor: &Visitor, name: &str) {
    let taken = visitor.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
    save(name, &taken);
}

fn save(name: &str, taken: &Value) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    fs::create_dir_all(&folder).unwrap();
    let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
    fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
}

/// The policy of one of the shipped examples, for any host.
pub(crate) fn example(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/examples/policies/{name}.yaml"));
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.starts_with("domains:")).map(|line| format!("{line}\n")).collect()
}

const EXAMPLES: [&str; 5] = ["chatsync", "mailjet", "messagebird", "mgs-wa", "msgro"];

/// Each of the published policies, end to end: asked in its words, answered, recorded.
#[test]
fn examples_ask_and_remember_in_their_own_words() {
    for name in EXAMPLES {
        visit_policy(Scripts::On, &example(name), "banner: true\nsettings_link: true", front, async |visitor| {
            for scheme in ["light", "dark"] {
                let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                visitor.devtools("Emulation.setEmulatedMedia", feature).await;
                for width in [1280, 360] {
                    size(&visitor, width, 900).await;
                    for (page, path) in [("banner", "/"), ("centre", "/_consent/"), ("policy", "/_consent/policy")] {
                        visitor.open(path).await;
                        let root = "document.documentElement";
                        let beyond = visitor.value(&format!("{root}.scrollWidth - {root}.clientWidth")).await;
                        assert_eq!(beyond, 0, "{name} {path} scrolls sideways at {width}");
                        let view = format!("{name}-{page}-{width}-{scheme}");
                        if page == "banner" {
                            window(&visitor, &view).await
                        } else {
                            picture(&visitor, width, &view).await
                        }
                        visitor.value("document.querySelectorAll('details').forEach(box => box.open = true)").await;
                        let beyond = visitor.value(&format!("{root}.scrollWidth - {root}.clientWidth")).await;
                        assert_eq!(beyond, 0, "{name} {path}, opened, scrolls sideways at {width}");
                        if page == "centre" && scheme == "light" {
                            picture(&visitor, width, &format!("{view}-open")).await;
                        }
                    }
                }
            }
            size(&visitor, 1280, 900).await;
            visitor.open("/").await;
            visitor.click("#consentry button[value=reject-all]").await;
            eventually("the choice", async || visitor.cookie("__Host-consentry").await).await;
            visitor.open("/_consent/").await;
            visitor.click("button[value=accept-all]").await;
            visitor.arrives(&format!("{}/", visitor.site)).await;
            visitor.open("/_consent/receipt").await;
            let record = visitor.value("document.querySelector('main').textContent").await.as_str().unwrap().to_owned();
            assert!(record.find("You accepted all") < record.find("You rejected all"), "{name}: {record}");
            picture(&visitor, 1280, &format!("{name}-receipt-1280")).await;
            size(&visitor, 360, 900).await;
            picture(&visitor, 360, &format!("{name}-receipt-360")).await;
        });
    }
}

fn front(_: &str) -> Answer {
    let page = "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>\
        <meta name=color-scheme content='light dark'><title>Tea</title><link rel=icon href=data:,><style>body { margin: 0;\
        font-family: Georgia, serif; padding: 2rem clamp(1rem, 8vw, 8rem); line-height: 1.6 } iframe { border: 0; max-width: 100% }\
        </style></head><body><h1>Leaves and water</h1><p>We have sold tea at the harbour since 1999.</p>\
        <iframe src=https://www.youtube.com/embed/1 width=560 height=315></iframe><p>More of it, further down.</p>\
        <footer><p>Since 1999</p></footer></body></html>";
    respond(200, &[("content-type", "text/html")], page)
}

/// What the window shows.
async fn window(visitor: &Visitor, name: &str) {
    let taken = visitor.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
    save(name, &taken);
}
