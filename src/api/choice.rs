//! `POST choice`: takes the visitor's decision from a form of our own page and sets the consent cookie.

use aws_lc_rs::rand;
use bytes::Bytes;
use cookie::{Cookie, SameSite};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Visit, record};
use crate::body::Body;
use crate::config::Site;
use crate::consent::{Choice, ConsentId, Record, encode};
use crate::page::local_path;
use crate::page::preferences::Ticks;
use crate::receipt::Method;

pub(super) const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn post(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Response<Body> {
    match decide(visit, headers, body).await {
        Ok((choice, back)) => accepted(visit, &choice, &back),
        Err(status) => super::failed(visit, status),
    }
}

async fn decide(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<(Choice, String), StatusCode> {
    let (choice, method, back) = take(visit, headers, body).await?;
    record::keep(visit, headers, &choice, method).await?;
    Ok((choice, back))
}

async fn take(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<(Choice, Method, String), StatusCode> {
    let form = form(visit, headers, body).await?;
    let id = match visit.record {
        Record::Choice(choice) => choice.id,
        _ => {
            let mut id = [0; 16];
            rand::fill(&mut id).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
            ConsentId(id)
        }
    };
    read(visit, &form, id).ok_or(StatusCode::BAD_REQUEST)
}

/// The body of a form that a page of this very site posted.
pub(super) async fn form(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<Bytes, StatusCode> {
    if !is_same_origin(headers, visit.authority) {
        return Err(StatusCode::FORBIDDEN);
    }
    // `text/plain` and friends are what a foreign page can post without leave.
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = Limited::new(Body::stream(body, visit.idle), visit.limit);
    let body = body.collect().await.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::REQUEST_TIMEOUT
        }
    })?;
    Ok(body.to_bytes())
}

/// A page of this very origin posts it. Browsers say so in `Sec-Fetch-Site` or `Origin`; whoever says neither
/// is no browser with our page open, and any doubt is a no.
fn is_same_origin(headers: &HeaderMap, authority: &str) -> bool {
    let all =
        |name: &HeaderName, good: &dyn Fn(&[u8]) -> bool| headers.get_all(name).iter().all(|v| good(v.as_bytes()));
    let site = all(&SEC_FETCH_SITE, &|value| value == b"same-origin");
    let origin = all(&ORIGIN, &|value| {
        value.strip_prefix(b"https://").is_some_and(|rest| rest.eq_ignore_ascii_case(authority.as_bytes()))
    });
    site && origin && (headers.contains_key(SEC_FETCH_SITE) || headers.contains_key(ORIGIN))
}

/// The form's meaning; `None` if it names what the policy does not have, or no decision.
fn read(visit: &Visit<'_>, form: &[u8], id: ConsentId) -> Option<(Choice, Method, String)> {
    let policy = &visit.site.policy;
    let fields: Vec<_> = url::form_urlencoded::parse(form).collect();
    let all = |name: &str| fields.iter().filter(|(n, _)| n == name).map(|(_, value)| &**value).collect::<Vec<_>>();
    let (choice, method) = match *all("decision").first()? {
        "accept-all" => (Choice::accept_all(policy, id, visit.now), Method::AcceptAll),
        "reject-all" => (Choice::reject_all(policy, id, visit.now), Method::RejectAll),
        "withdraw" => (Choice::reject_all(policy, id, visit.now), Method::Withdraw),
        "save" => {
            let ticks = Ticks {
                categories: all("category"),
                services: all("service"),
                shown_categories: all("shown_category"),
                shown_services: all("shown_service"),
            };
            (Choice::of_grant(policy, &ticks.grant(policy).ok()?, id, visit.now), Method::Custom)
        }
        _ => return None,
    };
    let back = local_path(all("return_to").first().copied().unwrap_or("/"));
    Some((choice, method, utf8_percent_encode(back, NOT_IN_LOCATION).to_string()))
}

/// `Location` holds a URI reference: visible ASCII.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

fn accepted(visit: &Visit<'_>, choice: &Choice, back: &str) -> Response<Body> {
    let site = visit.site;
    let mut response = super::redirect(StatusCode::SEE_OTHER, back);
    // A refusal is remembered exactly as long as an acceptance.
    let cookie = cookie(site, &encode(choice, visit.keys, &site.name), site.policy.parts().choice_lifetime);
    response.headers_mut().insert(SET_COOKIE, cookie);
    // Else "Back" would bring pages of the old mind to life again, from the browser's memory, trackers and all.
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    response
}

/// The consent cookie, for so many seconds; 0 takes it back.
pub(super) fn cookie(site: &Site, value: &str, seconds: u64) -> HeaderValue {
    let mut cookie = Cookie::build((&*site.cookie.name, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(seconds.cast_signed()));
    if let Some(domain) = site.cookie.domain.as_deref() {
        cookie = cookie.domain(domain);
    }
    HeaderValue::try_from(cookie.to_string()).expect("names are checked tokens, the value is base64url")
}
