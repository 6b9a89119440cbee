//! How pages look, as far as a program can tell: they fit, and the console has nothing to say.
//!
//! Leaves pictures in `target/tmp/screenshots` for people to look at.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::visitor::{Scripts, Visitor, eventually, visit};

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
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    fs::create_dir_all(&folder).unwrap();
    let height = visitor.value("document.documentElement.scrollHeight").await.as_u64().unwrap();
    size(visitor, width, height).await;
    let taken = visitor.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
    size(visitor, width, 900).await;
    let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
    fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
}
