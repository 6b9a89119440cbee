//! Signing in and out, with the session id changed on the way as PHP's manual advises.

use http::{Response, StatusCode};

use super::body::Body;
use super::pages;
use super::session::{Session, token};
use super::shop::{Shop, Visit, see_other};
use super::{cookies, pages::field};

/// The only account, for anyone to use: nothing of worth stands behind it.
const USER: &str = "demo";
const PASSWORD: &str = "demo";

/// Checks the form and moves the cart into a new session.
pub(super) fn sign_in(shop: &Shop, visit: &mut Visit, body: &[u8]) -> Response<Body> {
    let right = field(body, "user").is_some_and(|user| user == USER)
        && field(body, "password").is_some_and(|password| password == PASSWORD);
    if !right {
        let mut page = pages::login(visit, Some("That name and password do not match. Try demo and demo."));
        *page.status_mut() = StatusCode::FORBIDDEN;
        return page;
    }
    visit.id = shop.with(|sessions| {
        let before = sessions.close(&visit.id).unwrap_or_else(|| visit.session.clone());
        sessions.open(Session { user: Some(USER.into()), ..before })
    });
    visit.set.session(cookies::SESSION, &visit.id);
    see_other("/account")
}

/// Ends the session and deletes its cookies.
pub(super) fn sign_out(shop: &Shop, visit: &mut Visit) -> Response<Body> {
    shop.with(|sessions| sessions.close(&visit.id));
    // A token that the browser still sends belongs to no session any more.
    visit.session = Session { csrf: token().into(), ..Session::default() };
    for name in [cookies::SESSION, cookies::CSRF, cookies::CART] {
        visit.set.delete(name);
    }
    see_other("/")
}
