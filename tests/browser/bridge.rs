//! The bridge in a browser: what visitors choose in a consent tool that keeps its record to itself is enforced.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::origin::{Answer, respond};
use crate::visitor::{Scripts, eventually, visit_site};

/// As much of the tool's interface as the bridge uses, with the events that its buttons would fire.
const OSANO: &str =
    "var listeners = {}, consent; setTimeout(() => { window.Osano = { cm: { addEventListener: (name, f) => {
    (listeners[name] ??= []).push(f); if (name === 'osano-cm-initialized') f(consent); } } }; }, 300);
  function save(answers) { consent = answers; listeners['osano-cm-consent-saved'].forEach(f => f(answers)); }";

const USERCENTRICS: &str = "function save(analytics, type) {
    const consent = { status: 'SOME', type }, one = (category, name, given) => ({ category, name, consent: { given } });
    const services = { a: one('analytics', 'Counter', analytics), b: one('marketing', 'Adnet', false) };
    dispatchEvent(new CustomEvent('UC_CONSENT', { detail: { consent, services } })); }";

const TERMLY: &str = "var told; window.Termly = { on: (name, f) => { if (name === 'consent') told = f; } };
  function save(consentState) { told({ consentState }); }";

fn script(tool: &str) -> String {
    format!("var changes = 0; document.addEventListener('consentry:change', () => changes++);{tool}")
}

fn page(tool: &'static str) -> impl Fn(&str) -> Answer {
    move |_| {
        let headers = [
            ("content-type", "text/html"),
            ("set-cookie", "_ga=1"),
            ("set-cookie", "_fbp=1"),
            ("content-security-policy", "default-src 'self'; script-src 'nonce-page'; img-src data:"),
        ];
        let page = format!(
            "<!doctype html><html><head><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>\
             <script nonce=page>{}</script></head><body><h1>Tea</h1></body></html>",
            script(tool)
        );
        respond(200, &headers, page)
    }
}

#[test]
fn what_is_chosen_in_the_tool_holds_from_the_next_page_on() {
    let osano =
        |analytics: &str| format!("save({{ ESSENTIAL: 'ACCEPT', ANALYTICS: '{analytics}', MARKETING: 'DENY' }})");
    let usercentrics = |analytics: bool| format!("save({analytics}, 'EXPLICIT')");
    let termly = |analytics: bool| format!("save({{ essential: true, analytics: {analytics}, advertising: false }})");
    for (tool, fake, before, accept, withdraw) in [
        ("osano", OSANO, "1", osano("ACCEPT"), osano("DENY")),
        ("usercentrics", USERCENTRICS, "save(true, 'IMPLICIT')", usercentrics(true), usercentrics(false)),
        ("termly", TERMLY, "1", termly(true), termly(false)),
    ] {
        visit_site(Scripts::On, &format!("consent_tool: {tool}"), page(fake), async |visitor| {
            let listens = match tool {
                "osano" => "!!window.listeners?.['osano-cm-consent-saved']",
                "usercentrics" => "document.readyState === 'complete'",
                _ => "!!window.told",
            };
            let listening = async || {
                eventually("the bridge listens", async || (visitor.value(listens).await == true).then_some(())).await;
            };
            let told = async |times: u32| {
                let changes = async || (visitor.value("changes").await == times).then_some(());
                eventually("the bridge tells", changes).await;
            };
            visitor.open("/").await;
            listening().await;
            visitor.value(before).await;
            visitor.idle().await;
            assert_eq!(visitor.cookies().await, [""; 0], "{tool}: nobody has decided");
            visitor.value(&accept).await;
            told(1).await;
            visitor.open("/").await;
            assert_eq!(visitor.cookies().await, ["__Host-consentry", "_ga"], "{tool}");
            listening().await;
            visitor.value(&accept).await;
            visitor.value(&withdraw).await;
            told(1).await;
            visitor.open("/").await;
            assert_eq!(visitor.cookies().await, ["__Host-consentry"], "{tool}: withdrawn");
            assert_eq!(visitor.complaints().await, [""; 0], "{tool}");
        });
    }
}

/// Policies under which the bridge listens, and those under which it must keep away: it could only fill the console.
fn policies() -> [(String, bool); 5] {
    let hash = STANDARD.encode(digest(&SHA256, script(OSANO).as_bytes()));
    [
        ("script-src 'nonce-page' 'strict-dynamic'; object-src 'none'; base-uri 'none'".to_owned(), true),
        ("default-src 'none'; script-src 'nonce-page'; connect-src 'self'; img-src data:".to_owned(), true),
        (format!("default-src 'self'; script-src 'self' 'sha256-{hash}'; img-src data:"), true),
        (format!("default-src 'self'; script-src 'sha256-{hash}'; img-src data:"), false),
        ("default-src 'none'; script-src 'nonce-page'; img-src data:".to_owned(), false),
    ]
}

#[test]
fn bridge_keeps_to_the_policy_of_the_page() {
    let pages = |target: &str| {
        let html = ("content-type", "text/html");
        let number = target.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
        let Some(number) = number else { return respond(200, &[html], "<!doctype html><title>Home</title>") };
        let (policy, page) = (policies()[number].0.clone(), page(OSANO)(target));
        let (mut head, body) = page.into_parts();
        head.headers.remove("content-security-policy");
        head.headers.insert("content-security-policy", policy.parse().unwrap());
        Answer::from_parts(head, body)
    };
    visit_site(Scripts::On, "consent_tool: osano", pages, async |visitor| {
        for (number, (policy, listens)) in policies().iter().enumerate() {
            visitor.open(&format!("/{number}")).await;
            visitor.idle().await;
            let there = visitor.value("!!document.querySelector('script[src*=\"/_consent/\"]')").await;
            assert_eq!(there, *listens, "{policy}");
            if *listens {
                let heard = "!!window.listeners?.['osano-cm-consent-saved']";
                eventually("the bridge listens", async || (visitor.value(heard).await == true).then_some(())).await;
            }
            assert_eq!(visitor.complaints().await, [""; 0], "{policy}");
        }
    });
}
