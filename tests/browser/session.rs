//! Signing in with a session cookie that is stricter than the shop knows.

use thirtyfour::SameSite;

use crate::elsewhere::NEIGHBOUR;
use crate::visitor::{Scripts, Visitor, visit};

#[test]
fn signing_in_and_out_works_with_the_hardened_cookie() {
    visit(Scripts::On, async |visitor| {
        sign_in(&visitor).await;
        let session = visitor.cookie("PHPSESSID").await.unwrap();
        assert_eq!(session.http_only, Some(true));
        assert_eq!(session.secure, Some(true));
        assert_eq!(session.same_site, Some(SameSite::Strict));
        // The exception of the policy: the shop's script reads its token, and its cart works by it.
        assert_eq!(visitor.cookie("XSRF-TOKEN").await.unwrap().http_only, Some(false));
        visitor.open("/").await;
        visitor.click("button[value=meadow]").await;
        visitor.reads("nav .cart", "1").await;
        assert_eq!(visitor.address().await, format!("{}/", visitor.site));

        visitor.open("/account").await;
        visitor.click("form[action='/logout'] button").await;
        visitor.reads("nav", "Sign in").await;
        visitor.open("/account").await;
        visitor.arrives(&format!("{}/login", visitor.site)).await;
    });
}

#[test]
fn a_link_from_elsewhere_arrives_signed_in() {
    visit(Scripts::On, async |visitor| {
        sign_in(&visitor).await;
        let account = format!("{}/account", visitor.site);
        let neighbour = format!("https://{NEIGHBOUR}/?to={account}");
        visitor.browser.goto(&*neighbour).await.unwrap();
        let before = visitor.value("history.length").await.as_u64().unwrap();
        for round in 0..2 {
            visitor.click("#link").await;
            visitor.reads("h1", "Welcome back, demo").await;
            assert_eq!(visitor.address().await, account);
            // The page that leads on has left no trace: one step back is where the link was.
            assert_eq!(visitor.value("history.length").await, before + 1, "round {round}");
            visitor.browser.back().await.unwrap();
            visitor.reads("#link", "Their shop").await;
            assert_eq!(visitor.address().await, neighbour);
        }
        visitor.browser.forward().await.unwrap();
        visitor.reads("h1", "Welcome back, demo").await;
        visitor.browser.refresh().await.unwrap();
        visitor.reads("h1", "Welcome back, demo").await;
    });
}

#[test]
fn a_link_from_elsewhere_arrives_signed_in_without_scripts() {
    visit(Scripts::Off, async |visitor| {
        sign_in(&visitor).await;
        visitor.browser.goto(format!("https://{NEIGHBOUR}/?to={}/account", visitor.site)).await.unwrap();
        visitor.click("#link").await;
        visitor.reads("h1", "Welcome back, demo").await;
    });
}

#[test]
fn a_stranger_from_elsewhere_is_asked_to_sign_in() {
    visit(Scripts::On, async |visitor| {
        visitor.browser.goto(format!("https://{NEIGHBOUR}/?to={}/account", visitor.site)).await.unwrap();
        visitor.click("#link").await;
        visitor.arrives(&format!("{}/login", visitor.site)).await;
        // Once more, now with a session that nobody signed in to.
        visitor.browser.goto(format!("https://{NEIGHBOUR}/?to={}/account", visitor.site)).await.unwrap();
        visitor.click("#link").await;
        visitor.arrives(&format!("{}/login", visitor.site)).await;
    });
}

async fn sign_in(visitor: &Visitor) {
    visitor.open("/login").await;
    visitor.write("input[name=user]", "demo").await;
    visitor.write("input[name=password]", "demo").await;
    visitor.click("main button").await;
    visitor.reads("h1", "Welcome back, demo").await;
}
