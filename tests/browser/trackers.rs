//! Who gets to know of the visit: the hosts that the browser asks, and the cookies that it keeps.

use std::collections::BTreeSet;

use crate::visitor::{Scripts, Visitor, eventually, visit};

/// Pages with all of the shop's tags, by each way in which they leave the origin.
const PAGES: [&str; 5] = ["/", "/gzip", "/br", "/slow", "/video"];

const ANALYTICS: [&str; 2] = ["static.hotjar.com", "www.googletagmanager.com"];
const MARKETING: [&str; 2] = ["connect.facebook.net", "snap.licdn.com"];
const FUNCTIONAL: [&str; 2] = ["widget.intercom.io", "www.youtube.com"];

#[test]
fn nobody_learns_of_a_visit_before_consent() {
    visit(Scripts::On, async |visitor| {
        for page in PAGES {
            visitor.open(page).await;
            visitor.settle().await;
            assert_eq!(visitor.elsewhere.requests(), [], "{page}");
            let all = [&ANALYTICS[..], &MARKETING, &FUNCTIONAL].concat();
            assert_eq!(visitor.elsewhere.greeted(&all), [""; 0], "{page}");
            // The page is whole: the shop's own words and its own script are there.
            visitor.reads(".brand", "Harbour Lane").await;
            visitor.reads(".foot", "Harbour Lane Tea is a demo").await;
            assert_eq!(visitor.value("window.shop.currency").await, "EUR", "{page}");
        }
        // In the place of the film, which is the last page of these, is a box that says who would show it.
        visitor.browser.enter_frame(0).await.unwrap();
        visitor.reads("main", "YouTube is not loaded").await;
        visitor.browser.enter_default_frame().await.unwrap();
        assert_eq!(visitor.cookies().await, ["PHPSESSID", "XSRF-TOKEN", "__Host-consentry-session"]);
    });
}

#[test]
fn choosing_analytics_brings_those_of_analytics_and_no_others() {
    visit(Scripts::On, async |visitor| {
        visitor.choose(&["analytics"], "save").await;
        for page in PAGES {
            visitor.elsewhere.forget();
            visitor.open(page).await;
            requested(&visitor, page, &ANALYTICS).await;
        }
        assert!(visitor.cookie("_ga").await.is_some());
        assert!(visitor.cookie("_fbp").await.is_none());
    });
}

#[test]
fn accepting_brings_all_and_rejecting_sends_all_away() {
    visit(Scripts::On, async |visitor| {
        visitor.choose(&[], "accept-all").await;
        visitor.elsewhere.forget();
        visitor.open("/video").await;
        requested(&visitor, "/video", &[&ANALYTICS[..], &MARKETING, &FUNCTIONAL].concat()).await;
        for name in ["_ga", "_fbp"] {
            assert!(visitor.cookie(name).await.is_some(), "{name}");
        }
        // The policy does not know it, and so nobody can have agreed to it.
        assert!(visitor.cookie("partner_ref").await.is_none());

        visitor.choose(&[], "reject-all").await;
        visitor.settle().await;
        visitor.elsewhere.forget();
        for page in PAGES {
            visitor.open(page).await;
            visitor.settle().await;
            assert_eq!(visitor.elsewhere.requests(), [], "{page}");
        }
        assert_eq!(
            visitor.cookies().await,
            ["PHPSESSID", "XSRF-TOKEN", "__Host-consentry", "__Host-consentry-session"]
        );
    });
}

#[test]
fn choosing_needs_no_script() {
    visit(Scripts::Off, async |visitor| {
        visitor.open("/").await;
        assert_eq!(visitor.elsewhere.requests(), []);
        visitor.choose(&["analytics"], "save").await;
        visitor.open("/").await;
        // Without scripts Tag Manager has an iframe; Meta and LinkedIn would have pixels.
        let all = eventually("the iframe of Tag Manager", async || {
            let all = visitor.elsewhere.requests();
            all.iter().any(|(_, path)| path == "/ns.html").then_some(all)
        })
        .await;
        assert!(all.iter().all(|(host, _)| host == "www.googletagmanager.com"), "{all:?}");
    });
}

#[test]
fn pages_of_the_old_mind_do_not_come_back() {
    visit(Scripts::On, async |visitor| {
        let foreign = "[...document.querySelectorAll('[src]')].filter(e => !e.src.startsWith(origin)).length";
        visitor.open("/video").await;
        assert_eq!(visitor.value(foreign).await, 0);
        visitor.choose(&[], "accept-all").await;
        back(&visitor, &["/_consent/", "/video"]).await;
        assert_ne!(visitor.value(foreign).await, 0);
        for page in ["/", "/gzip", "/live"] {
            visitor.open(page).await;
        }
        visitor.choose(&[], "reject-all").await;
        visitor.settle().await;
        visitor.elsewhere.forget();
        // Neither from the cache nor from the memory in which browsers keep whole pages, running.
        back(&visitor, &["/_consent/"]).await;
        for page in ["/live", "/gzip", "/", "/video"] {
            back(&visitor, &[page]).await;
            visitor.settle().await;
            assert_eq!(visitor.value(foreign).await, 0, "{page}");
        }
        assert_eq!(visitor.elsewhere.requests(), []);
    });
}

/// Goes back step by step over these pages.
async fn back(visitor: &Visitor, pages: &[&str]) {
    for page in pages {
        visitor.browser.back().await.unwrap();
        visitor.arrives(&format!("{}{page}", visitor.site)).await;
    }
}

/// Waits until all these hosts were asked, and looks whether any others were.
async fn requested(visitor: &Visitor, page: &str, hosts: &[&str]) {
    let expected: BTreeSet<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    eventually(&format!("{page} asks {expected:?}"), async || {
        visitor.elsewhere.requested().is_superset(&expected).then_some(())
    })
    .await;
    visitor.settle().await;
    assert_eq!(visitor.elsewhere.requested(), expected, "{page}: {:?}", visitor.elsewhere.requests());
    let all = [&ANALYTICS[..], &MARKETING, &FUNCTIONAL].concat();
    assert!(visitor.elsewhere.greeted(&all).iter().all(|host| hosts.contains(host)), "{page} greets others too");
}
