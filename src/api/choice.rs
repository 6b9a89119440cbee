//! `POST choice`: takes the visitor's decision from a form of ours and sets the consent cookie.
//! `GET choice`: says what holds now, for scripts, which cannot read that cookie.

use aws_lc_rs::rand;
use bytes::Bytes;
use cookie::{Cookie, SameSite};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Map;

use super::{Visit, record};
use crate::body::Body;
use crate::config::Site;
use crate::consent::{self, Basis, Choice, ConsentId, Item, Record, encode};
use crate::own;
use crate::page::local_path;
use crate::page::preferences::Ticks;
use crate::policy::{CategoryId, Owner, ServiceId};
use crate::receipt::Method;

pub(super) const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn post(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Response<Body> {
    // Two tools that both take decisions would undo each other's.
    if visit.site.consent_tool.is_some() && !visit.site.is_bridged() {
        return super::failed(visit, StatusCode::CONFLICT);
    }
    match decide(visit, headers, body).await {
        Ok(response) => response,
        Err(status) => super::failed(visit, status),
    }
}

/// What whoever posted a decision waits for.
enum Then {
    /// A page of the site.
    Back(String),
    /// No page: a script told of it.
    Script,
}

async fn decide(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<Response<Body>, StatusCode> {
    let (choice, method, then) = take(visit, headers, body).await?;
    let answer = match then {
        Then::Back(path) => super::redirect(StatusCode::SEE_OTHER, &path),
        Then::Script if stands_already(visit, &choice) => return Ok(nothing()),
        Then::Script => nothing(),
    };
    record::keep(visit, headers, &choice, method).await?;
    Ok(accepted(visit, &choice, answer))
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

async fn take(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<(Choice, Method, Then), StatusCode> {
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
fn read(visit: &Visit<'_>, form: &[u8], id: ConsentId) -> Option<(Choice, Method, Then)> {
    let policy = &visit.site.policy;
    let fields: Vec<_> = url::form_urlencoded::parse(form).collect();
    let all = |name: &str| fields.iter().filter(|(n, _)| n == name).map(|(_, value)| &**value).collect::<Vec<_>>();
    let back = local_path(all("return_to").first().copied().unwrap_or("/"));
    let mut back = utf8_percent_encode(back, NOT_IN_LOCATION).to_string();
    let (choice, method) = match *all("decision").first()? {
        "tool" => {
            let tool = visit.site.consent_tool.as_ref().filter(|tool| tool.format().is_bridged())?;
            let answers = [("granted", true), ("refused", false)];
            let groups =
                answers.into_iter().flat_map(|(name, answer)| all(name).into_iter().map(move |g| (g.into(), answer)));
            let groups: Vec<(Box<str>, bool)> = groups.collect();
            let choice = (!groups.is_empty()).then(|| tool.told(groups, policy, id, visit.now))?;
            return Some((choice, Method::Custom, Then::Script));
        }
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
        "grant" => {
            let (choice, held_back) = one_more(visit, &all("category"), &all("service"), id)?;
            if held_back {
                // Back on the page nothing would have changed; our own page says why.
                let to: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
                back = format!("{}?return_to={to}", visit.site.prefix);
            }
            (choice, Method::Custom)
        }
        _ => return None,
    };
    Some((choice, method, Then::Back(back)))
}

/// The button of a placeholder: one category or service in addition to what stands, and whether a signal of the
/// browser keeps it off all the same.
fn one_more(visit: &Visit<'_>, categories: &[&str], services: &[&str], id: ConsentId) -> Option<(Choice, bool)> {
    let policy = &visit.site.policy;
    let mut items = Vec::new();
    let owner = match (categories, services) {
        ([key], []) => {
            let category = policy.category_named(key)?;
            items.push(Item::category(key));
            // With its services, as a tick on our page means it.
            let of_it = policy.parts().services.iter().filter(|service| service.category == category);
            items.extend(of_it.map(|service| Item::service(&service.id)));
            Owner { category, service: None }
        }
        ([], [key]) => {
            let service = policy.service_named(key)?;
            items.push(Item::service(key));
            Owner { category: policy.service(service).category, service: Some(service) }
        }
        _ => return None,
    };
    let (first, more) = items.split_first()?;
    let standing = match visit.record {
        Record::Choice(choice) if visit.decision.basis == Basis::Choice => choice.with(*first),
        _ => Choice::of_one(policy, &visit.decision.grant, *first, id, visit.now),
    };
    let choice = more.iter().fold(standing, |choice, item| choice.with(*item));
    let then = consent::grant(policy, &Record::Choice(choice.clone()), visit.signals, visit.now);
    Some((choice, !then.grant.allows(owner)))
}

/// What holds for this visitor now: for each category and service that the policy names, whether it may be used.
pub(super) fn state(visit: &Visit<'_>) -> Response<Body> {
    let policy = &visit.site.policy;
    let parts = policy.parts();
    let grant = &visit.decision.grant;
    let categories = (0..).map(CategoryId).zip(&parts.categories);
    let categories: Map<_, _> =
        categories.map(|(id, category)| (category.id.to_string(), grant.has_category(id).into())).collect();
    let services = (0..).map(ServiceId).zip(&parts.services);
    let services: Map<_, _> = services
        .map(|(id, service)| {
            let owner = Owner { category: service.category, service: Some(id) };
            (service.id.to_string(), grant.allows(owner).into())
        })
        .collect();
    let state = serde_json::json!({
        "version": parts.version,
        "chosen": visit.decision.basis == Basis::Choice,
        "categories": categories,
        "services": services,
    });
    let mut response = Response::new(Body::full(state.to_string()));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `Location` holds a URI reference: visible ASCII.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

fn accepted(visit: &Visit<'_>, choice: &Choice, mut response: Response<Body>) -> Response<Body> {
    let site = visit.site;
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
