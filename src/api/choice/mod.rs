//! `POST choice`: takes the visitor's decision, as a form of ours or as JSON, and sets the consent cookie.
//! `DELETE choice`: takes everything back.

mod decision;
mod state;

use aws_lc_rs::rand;
use bytes::Bytes;
use cookie::{Cookie, SameSite};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};

use super::{Visit, json, origin, record, withdraw};
use crate::body::{Body, Received};
use crate::config::Site;
use crate::consent::{self, Basis, Choice, ConsentId, Record, encode};
use crate::filter::forwarded::client_address;
use crate::own;
use crate::receipt::Method;

pub(super) use state::state;

pub(super) const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

pub(super) async fn post(visit: &Visit<'_>, headers: &HeaderMap, body: Received) -> Response<Body> {
    match decide(visit, headers, body).await {
        Ok(response) => response,
        Err(status) => refused(visit, status),
    }
}

/// Takes everything back, without a form.
pub(super) async fn delete(visit: &Visit<'_>, headers: &HeaderMap) -> Response<Body> {
    let withdrawn = async {
        allowed(visit, headers)?;
        let choice = Choice::reject_all(&visit.site.policy, consent_id(visit)?, visit.now);
        record::keep(visit, headers, &choice, Method::Withdraw).await?;
        Ok(choice)
    };
    match withdrawn.await {
        Ok(choice) => accepted(visit, headers, &choice, Method::Withdraw, &Then::Back("/".into())),
        Err(status) => refused(visit, status),
    }
}

fn refused(visit: &Visit<'_>, status: StatusCode) -> Response<Body> {
    let mut response = super::failed(visit, status);
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(60_u32.div_ceil(visit.a_minute)));
    }
    response
}

/// Whether this page, or app, may change the choice, and not too often.
fn allowed(visit: &Visit<'_>, headers: &HeaderMap) -> Result<(), StatusCode> {
    // Two tools that both take decisions would undo each other's.
    if visit.site.consent_tool.is_some() && !visit.site.is_bridged() {
        return Err(StatusCode::CONFLICT);
    }
    if !origin::is_same(headers, visit.authority) && origin::app(visit, headers).is_none() {
        return Err(StatusCode::FORBIDDEN);
    }
    let client = client_address(headers, visit.peer, visit.trusted);
    if visit.rates.take(client, visit.a_minute, visit.now) { Ok(()) } else { Err(StatusCode::TOO_MANY_REQUESTS) }
}

/// What whoever sent a decision waits for.
enum Then {
    /// A page of the site.
    Back(String),
    /// No page: a script told of it.
    Script,
}

async fn decide(visit: &Visit<'_>, headers: &HeaderMap, body: Received) -> Result<Response<Body>, StatusCode> {
    let form = take(visit, headers, body).await?;
    // What was proven has to say in which language it was asked.
    let visit = &visit.spoken_as(&form);
    let (choice, method, then) = decision::read(visit, &form, consent_id(visit)?).ok_or(StatusCode::BAD_REQUEST)?;
    if matches!(then, Then::Script) && stands_already(visit, &choice) {
        return Ok(nothing());
    }
    record::keep(visit, headers, &choice, method).await?;
    Ok(accepted(visit, headers, &choice, method, &then))
}

/// A script tells of the same decision on many pages: one receipt is enough.
fn stands_already(visit: &Visit<'_>, choice: &Choice) -> bool {
    visit.decision.basis == Basis::Choice
        && matches!(visit.record, Record::Choice(standing) if standing.answers_as(choice))
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    own::headers(response.headers_mut());
    response
}

/// A decision as the fields of a form, whatever it came as.
async fn take(visit: &Visit<'_>, headers: &HeaderMap, body: Received) -> Result<Bytes, StatusCode> {
    allowed(visit, headers)?;
    let json = is_json(headers);
    // A form of an app would lead its visitor away from it.
    if !json && (kind(headers) != FORM || !origin::is_same(headers, visit.authority)) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = collect(visit, body).await?;
    if json { json::to_form(&body).map(Bytes::from).ok_or(StatusCode::BAD_REQUEST) } else { Ok(body) }
}

/// The one of the choice before, or a fresh one.
fn consent_id(visit: &Visit<'_>) -> Result<ConsentId, StatusCode> {
    match visit.record {
        Record::Choice(choice) if choice.id != ConsentId::FOREIGN => Ok(choice.id),
        _ => new_id().ok_or(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The body of a form that a page of this very site posted.
pub(super) async fn form(visit: &Visit<'_>, headers: &HeaderMap, body: Received) -> Result<Bytes, StatusCode> {
    if !origin::is_same(headers, visit.authority) {
        return Err(StatusCode::FORBIDDEN);
    }
    // `text/plain` and friends are what a foreign page can post without leave.
    if kind(headers) != FORM {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    collect(visit, body).await
}

/// The media type, without its parameters.
fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(headers: &HeaderMap) -> bool {
    kind(headers) == JSON
}

async fn collect(visit: &Visit<'_>, body: Received) -> Result<Bytes, StatusCode> {
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

/// An id for a visitor who has none.
fn new_id() -> Option<ConsentId> {
    let mut id = [0; 16];
    rand::fill(&mut id).ok()?;
    Some(ConsentId(id))
}

/// The choice of a visitor who went on to a second page, where the law takes that for consent.
pub fn implied(visit: &Visit<'_>) -> Option<Choice> {
    Some(consent::implied(&visit.site.policy, visit.signals, new_id()?, visit.now))
}

/// Records the choice that a visitor implies by going on to a second page, as `headers` asked for it, and gives the
/// cookie that remembers it; `None` if it cannot be proven, and so does not hold.
pub async fn keep_implied(visit: &Visit<'_>, headers: &HeaderMap, choice: &Choice) -> Option<HeaderValue> {
    record::keep(visit, headers, choice, Method::Implied).await.ok()?;
    Some(remembered(visit, choice))
}

fn accepted(visit: &Visit<'_>, headers: &HeaderMap, choice: &Choice, method: Method, then: &Then) -> Response<Body> {
    let site = visit.site;
    let withdrawn = method == Method::Withdraw;
    let back = match then {
        Then::Back(path) => path,
        Then::Script => "/",
    };
    let mut response = if matches!(then, Then::Script) {
        nothing()
    } else if is_json(headers) || !headers.contains_key(CONTENT_TYPE) {
        let record = Record::Choice(choice.clone());
        state::state_of(visit, &consent::grant_in(visit.country, &site.policy, &record, visit.signals, visit.now))
    } else if withdrawn {
        super::redirect(StatusCode::SEE_OTHER, &withdraw::address(visit, back))
    } else {
        super::redirect(StatusCode::SEE_OTHER, back)
    };
    // Else "Back" would bring pages of the old mind to life again, from the browser's memory, trackers and all.
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    response.headers_mut().insert(SET_COOKIE, remembered(visit, choice));
    if withdrawn {
        withdraw::clear(visit, headers, back, &mut response);
    }
    response
}

/// The `Set-Cookie` that remembers a choice: a refusal exactly as long as an acceptance.
pub(super) fn remembered(visit: &Visit<'_>, choice: &Choice) -> HeaderValue {
    let site = visit.site;
    cookie(site, &encode(choice, visit.keys, &site.name), site.policy.parts().choice_lifetime)
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
