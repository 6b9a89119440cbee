//! `POST choice`: takes the visitor's decision, as a form of ours or as JSON, and sets the consent cookie.
//! `DELETE choice`: takes everything back.
//! `GET choice`: says what holds now, for scripts, which cannot read that cookie.

use aws_lc_rs::rand;
use bytes::Bytes;
use cookie::{Cookie, SameSite};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Map;

use super::{Visit, json, origin, record, withdraw};
use crate::body::Body;
use crate::config::Site;
use crate::consent::{self, Ask, Basis, Choice, ConsentId, Decision, Item, Record, encode};
use crate::filter::forwarded::client_address;
use crate::own;
use crate::page::local_path;
use crate::page::preferences::Ticks;
use crate::policy::{CategoryId, Owner, ServiceId};
use crate::receipt::Method;

pub(super) const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

pub(super) async fn post(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Response<Body> {
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

async fn decide(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<Response<Body>, StatusCode> {
    let (choice, method, then) = take(visit, headers, body).await?;
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

async fn take(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<(Choice, Method, Then), StatusCode> {
    allowed(visit, headers)?;
    let json = is_json(headers);
    // A form of an app would lead its visitor away from it.
    if !json && (kind(headers) != FORM || !origin::is_same(headers, visit.authority)) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = collect(visit, body).await?;
    let form = if json { json::to_form(&body).ok_or(StatusCode::BAD_REQUEST)?.into() } else { body };
    read(visit, &form, consent_id(visit)?).ok_or(StatusCode::BAD_REQUEST)
}

/// The one of the choice before, or a fresh one.
fn consent_id(visit: &Visit<'_>) -> Result<ConsentId, StatusCode> {
    match visit.record {
        Record::Choice(choice) => Ok(choice.id),
        _ => new_id().ok_or(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The body of a form that a page of this very site posted.
pub(super) async fn form(visit: &Visit<'_>, headers: &HeaderMap, body: Incoming) -> Result<Bytes, StatusCode> {
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

async fn collect(visit: &Visit<'_>, body: Incoming) -> Result<Bytes, StatusCode> {
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
        answer @ ("accept-new" | "reject-new") => (rest(visit, answer == "accept-new", id), Method::Custom),
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

/// The banner's answer on what an earlier choice left open. Where none stands any more it is an answer on everything.
fn rest(visit: &Visit<'_>, grant: bool, id: ConsentId) -> Choice {
    let policy = &visit.site.policy;
    match (&visit.decision.ask, visit.record) {
        (Ask::New(categories, services), Record::Choice(choice)) => {
            let categories = categories.iter().map(|id| Item::category(&policy.category(*id).id));
            let services = services.iter().map(|id| Item::service(&policy.service(*id).id));
            choice.answering(&categories.chain(services).collect::<Vec<_>>(), grant)
        }
        (Ask::Nothing, Record::Choice(choice)) => choice.clone(),
        _ if grant => Choice::accept_all(policy, id, visit.now),
        _ => Choice::reject_all(policy, id, visit.now),
    }
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
    state_of(visit, visit.decision)
}

fn state_of(visit: &Visit<'_>, decision: &Decision) -> Response<Body> {
    let policy = &visit.site.policy;
    let parts = policy.parts();
    let grant = &decision.grant;
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
        "chosen": decision.basis == Basis::Choice,
        "categories": categories,
        "services": services,
    });
    let mut response = Response::new(Body::full(state.to_string()));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

/// `Location` holds a URI reference: visible ASCII.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

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
        state_of(visit, &consent::grant_in(visit.country, &site.policy, &record, visit.signals, visit.now))
    } else if withdrawn {
        super::redirect(StatusCode::SEE_OTHER, &withdraw::address(&site.prefix, back))
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
fn remembered(visit: &Visit<'_>, choice: &Choice) -> HeaderValue {
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
