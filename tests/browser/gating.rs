//! `gating: client` in a browser: what is granted is freed, in order, under the page's own policy, and nothing else.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::origin::{Answer, respond};
use crate::visitor::{Scripts, eventually, visit_site};

/// What the page runs itself, and what waits in it.
const OWN: &str = "var order = [], counter = what => order.push(what), adnet = counter;";
const WAITING: [&str; 2] = ["counter('first')", "counter('second'); document.write('<p id=gone>')"];
const OTHER: &str = "adnet('never')";

fn page(nonce: &str) -> String {
    format!(
        "<!doctype html><html><head><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>\
         <script{nonce}>{OWN}</script><script{nonce}>{}</script>\
         <script{nonce} src=https://js.counter.example/a.js></script><script{nonce}>{}</script>\
         <script{nonce}>{OTHER}</script></head><body><h1>Tea</h1><img src=https://px.counter.example/p.svg alt>\
         <iframe src=https://v.adnet.example/film width=300 height=200></iframe></body></html>",
        WAITING[0], WAITING[1]
    )
}

/// Policies under which what is granted is freed.
fn freeing() -> Vec<String> {
    let hashes = [OWN, WAITING[0], WAITING[1], OTHER]
        .map(|text| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes()))))
        .join(" ");
    let rest = "img-src https: data:; frame-src https:; style-src 'self'";
    vec![
        "img-src *".to_owned() + " data:",
        format!("default-src 'self'; script-src 'self' 'nonce-page' https://js.counter.example; {rest}"),
        format!("default-src 'none'; script-src 'nonce-page' 'strict-dynamic'; connect-src 'self'; {rest}"),
        format!("default-src 'self'; script-src 'self' {hashes} https://js.counter.example; {rest}"),
        format!(
            "script-src 'nonce-page' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types consentry; {rest}"
        ),
    ]
}

/// Policies that leave our script no way: all stays inert, and nobody hears of it.
const INERT: [&str; 3] = [
    "default-src 'none'; img-src data:",
    "script-src 'nonce-page'; connect-src 'none'",
    "script-src https://js.counter.example",
];

fn pages(target: &str) -> Answer {
    let html = ("content-type", "text/html");
    let number = |prefix| target.strip_prefix(prefix).and_then(|rest: &str| rest.parse::<usize>().ok());
    if let Some(number) = number("/free/") {
        return respond(200, &[html, ("content-security-policy", &freeing()[number])], page(" nonce=page"));
    }
    if let Some(number) = number("/meta/") {
        let meta = format!("<meta http-equiv=Content-Security-Policy content=\"{}\"><title>", freeing()[number]);
        return respond(200, &[html], page(" nonce=page").replace("<title>", &meta));
    }
    if let Some(number) = number("/inert/") {
        let own = if INERT[number].contains("nonce") { page(" nonce=page") } else { page("").replace(OWN, "counter(") };
        return respond(200, &[html, ("content-security-policy", INERT[number])], own);
    }
    respond(200, &[html], "<!doctype html><title>Home</title><link rel=icon href=data:,>")
}

#[test]
fn what_is_granted_is_freed_in_order_under_the_policy_of_the_page() {
    visit_site(Scripts::On, "gating: client", pages, async |visitor| {
        let policies = freeing().len();
        let addresses: Vec<_> = ["free", "meta"]
            .iter()
            .flat_map(|kind| (0..policies).map(move |number| format!("/{kind}/{number}")))
            .collect();
        for address in &addresses {
            visitor.open(address).await;
            let asked = "performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/choice'))";
            eventually("the script asks", async || (visitor.value(asked).await == true).then_some(())).await;
            visitor.idle().await;
            assert_eq!(visitor.value("order").await, json!([]), "{address}");
            assert_eq!(visitor.elsewhere.requests(), [], "{address}");
            visitor.browser.enter_frame(0).await.unwrap();
            visitor.reads("main", "Adnet is not loaded").await;
            visitor.browser.enter_default_frame().await.unwrap();
            assert_eq!(visitor.complaints().await, [""; 0], "{address}");
        }
        visitor.choose(&["analytics"], "save").await;
        for address in &addresses {
            visitor.elsewhere.forget();
            visitor.open(address).await;
            let freed = eventually("both snippets", async || {
                let order = visitor.value("order").await;
                (order.as_array()?.len() >= 2).then_some(order)
            })
            .await;
            assert_eq!(freed, json!(["first", "second"]), "{address}");
            eventually("script and pixel", async || (visitor.elsewhere.requested().len() == 2).then_some(())).await;
            // What a late `document.write` says is not let loose on a page that is complete.
            visitor.reads("h1", "Tea").await;
            let left =
                visitor.value("[...document.querySelectorAll('[data-consentry-needs]')].map(e => e.localName)").await;
            assert_eq!(left, json!(["script", "iframe"]), "{address}");
            assert_eq!(visitor.complaints().await, [""; 0], "{address}");
        }
        // The frame comes when it is allowed, by the button in it.
        visitor.open(&addresses[0]).await;
        visitor.browser.enter_frame(0).await.unwrap();
        visitor.click("button").await;
        visitor.browser.enter_default_frame().await.unwrap();
        eventually("the film", async || {
            visitor.elsewhere.requests().iter().any(|(_, path)| path == "/film").then_some(())
        })
        .await;
        assert_eq!(visitor.value("document.querySelector('iframe').hasAttribute('srcdoc')").await, false);
        eventually("the other's snippet", async || {
            (visitor.value("order").await == json!(["first", "second", "never"])).then_some(())
        })
        .await;
    });
}

#[test]
fn where_the_policy_leaves_no_way_all_stays_inert_in_silence() {
    visit_site(Scripts::On, "gating: client", pages, async |visitor| {
        visitor.choose(&[], "accept-all").await;
        for (number, policy) in INERT.iter().enumerate() {
            visitor.open(&format!("/inert/{number}")).await;
            visitor.idle().await;
            assert_eq!(visitor.complaints().await, [""; 0], "{policy}");
            assert_eq!(visitor.elsewhere.requests(), [], "{policy}");
            visitor.reads("h1", "Tea").await;
        }
    });
}
