//! The box in the place of a film: its size, its button, and the policies under which it must work.

use thirtyfour::Key;

use crate::support::origin::{Answer, respond};
use crate::visitor::{Scripts, Visitor, eventually, visit_site};

const FILM: &str = "<!doctype html><meta charset=utf-8><title>Film</title><link rel=icon href=data:,>\
<style nonce=page>iframe { max-width: 100%; border: 0 } .wide { position: relative; padding-top: 56.25% } \
.wide iframe { position: absolute; inset: 0; width: 100%; height: 100% } button { display: none }</style>\
<base href=https://elsewhere.example/>\
<form action=/search><iframe id=film src=https://v.adnet.example/film width=560 height=315></iframe></form>\
<div class=wide><iframe id=map src=https://v.adnet.example/map></iframe></div>\
<img src=https://px.counter.example/p.gif alt>";

const STRICT: [(&str, bool); 7] = [
    ("img-src * data:", true),
    ("default-src 'self'; style-src 'nonce-page'; img-src * data:; base-uri *", true),
    ("default-src 'none'; style-src 'nonce-page'; img-src * data:; form-action 'self'", true),
    ("default-src 'none'; style-src 'nonce-page'; img-src * data:; form-action 'none'; frame-src 'none'", false),
    ("frame-src https://v.adnet.example; child-src 'none'; form-action https://pay.example", false),
    ("script-src 'nonce-x' 'strict-dynamic'; object-src 'none'; base-uri 'none'; form-action 'self'", true),
    ("default-src 'none'; style-src 'sha256-AAAA' 'nonce-page'; img-src data:; form-action 'self'", true),
];

fn pages(target: &str) -> Answer {
    let html = ("content-type", "text/html");
    let nothing = "<!doctype html><title>Nothing</title>";
    match target.strip_prefix("/strict/").or_else(|| target.strip_prefix("/meta/")).map(str::parse::<usize>) {
        Some(Ok(number)) if target.starts_with("/strict") => {
            respond(200, &[html, ("content-security-policy", STRICT[number].0)], FILM)
        }
        Some(Ok(number)) => {
            let meta = format!("<meta http-equiv=Content-Security-Policy content=\"{}\">", STRICT[number].0);
            respond(200, &[html], FILM.replace("<title>", &format!("{meta}<title>")))
        }
        _ if target.starts_with("/film") => respond(200, &[html, ("referrer-policy", "no-referrer")], FILM),
        _ => respond(200, &[html], nothing),
    }
}

#[test]
fn button_brings_this_service_alone_with_scripts_and_without() {
    for scripts in [Scripts::On, Scripts::Off] {
        visit_site(scripts, "", pages, async |visitor| {
            visitor.open("/film?a=1&b=%20").await;
            visitor.browser.enter_frame(0).await.unwrap();
            visitor.reads("main", "Adnet is not loaded").await;
            visitor.click("button").await;
            returned(&visitor).await;
        });
    }
}

#[test]
fn button_works_by_keyboard_and_its_focus_shows() {
    visit_site(Scripts::On, "", pages, async |visitor| {
        visitor.open("/film?a=1&b=%20").await;
        visitor.browser.action_chain().send_keys(Key::Tab).perform().await.unwrap();
        assert_eq!(visitor.value("document.activeElement.id").await, "film");
        visitor.browser.enter_frame(0).await.unwrap();
        assert_eq!(visitor.value("document.activeElement.textContent").await, "Allow Adnet");
        assert_eq!(visitor.value("document.activeElement.matches(':focus-visible')").await, true);
        assert_ne!(visitor.value("getComputedStyle(document.activeElement).outlineStyle").await, "none");
        visitor.browser.action_chain().send_keys(Key::Enter).perform().await.unwrap();
        returned(&visitor).await;
    });
}

/// Back on the page, with the films of the one service and nothing of the other.
async fn returned(visitor: &Visitor) {
    visitor.browser.enter_default_frame().await.unwrap();
    visitor.arrives(&format!("{}/film?a=1&b=%20", visitor.site)).await;
    let both = ["/film", "/map"].map(|path| ("v.adnet.example".to_owned(), path.to_owned()));
    eventually("both films", async || {
        both.iter().all(|film| visitor.elsewhere.requests().contains(film)).then_some(())
    })
    .await;
    assert_eq!(visitor.elsewhere.requested().len(), 1, "{:?}", visitor.elsewhere.requests());
}

#[test]
fn box_has_the_size_that_the_style_sheets_give_frames() {
    visit_site(Scripts::On, "", pages, async |visitor| {
        for width in [1000, 360] {
            let size = serde_json::json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
            visitor.devtools("Emulation.setDeviceMetricsOverride", size).await;
            visitor.open("/film").await;
            let sizes = "[film, map].map(frame => [frame.clientWidth, frame.clientHeight])";
            let room = visitor.value("document.body.clientWidth").await.as_u64().unwrap();
            let expected = [[room.min(560), 315], [room, (room * 5625 + 5000) / 10000]];
            assert_eq!(visitor.value(sizes).await, serde_json::json!(expected), "{width}");
            let root = "document.documentElement";
            assert_eq!(visitor.value(&format!("{root}.scrollWidth > {root}.clientWidth")).await, false);
        }
    });
}

#[test]
fn box_works_under_strict_policies_and_breaks_none() {
    visit_site(Scripts::On, "", pages, async |visitor| {
        for kind in ["strict", "meta"] {
            for (number, (policy, form)) in STRICT.iter().enumerate() {
                visitor.open(&format!("/{kind}/{number}")).await;
                visitor.browser.enter_frame(0).await.unwrap();
                visitor.reads("main", "Adnet is not loaded").await;
                let buttons = visitor.value("document.querySelectorAll('button').length").await;
                assert_eq!(buttons, u32::from(*form), "{kind} {policy}");
                // Whatever the page's policy, one way out leads to our page.
                visitor.reads("a", "Cookie settings").await;
                visitor.browser.enter_default_frame().await.unwrap();
                let complaints = visitor.complaints().await;
                let ours = |line: &&String| !line.contains("base-uri") && !line.contains("elsewhere.example");
                assert_eq!(complaints.iter().filter(ours).count(), 0, "{kind} {policy}: {complaints:?}");
            }
        }
        visitor.open("/strict/3").await;
        visitor.browser.enter_frame(0).await.unwrap();
        visitor.click("a").await;
        visitor.browser.enter_default_frame().await.unwrap();
        visitor.arrives(&format!("{}/_consent/?return_to=%2Fstrict%2F3", visitor.site)).await;
        visitor.open("/strict/2").await;
        visitor.browser.enter_frame(0).await.unwrap();
        visitor.click("button").await;
        visitor.browser.enter_default_frame().await.unwrap();
        visitor.arrives(&format!("{}/strict/2", visitor.site)).await;
        assert!(visitor.cookie("__Host-consentry").await.is_some());
    });
}
