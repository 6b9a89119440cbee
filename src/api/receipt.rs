//! `receipt`: the visitor's own record, to see, to take along and to delete. Whose it is, the signed cookie says.

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, SET_COOKIE, VARY};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};

use super::{Visit, choice, failed, in_language, redirect, withdraw};
use crate::body::{Body, Received};
use crate::consent::{Choice, ConsentId, Record};
use crate::own;
use crate::page::receipt::{About, ReceiptPage, Shown};
use crate::policy::Law;
use crate::receipt::{Entry, Receipt, csv};

/// The record as a page, or with `?format=json` or `csv` as a file.
pub(super) async fn show(visit: &Visit<'_>, head: &Parts) -> Response<Body> {
    let history = match of_visitor(visit) {
        Some(id) => visit.receipts.history(&visit.site.name, id).await,
        None => Ok(Vec::new()),
    };
    let Ok(history) = history else { return failed(visit, StatusCode::SERVICE_UNAVAILABLE) };
    let query = head.uri.query().unwrap_or_default();
    let asked = |key: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == key);
    let mut response = match asked("format").as_ref().map(|(_, format)| &**format) {
        None | Some("html") => {
            let deleted = asked("deleted").is_some() && of_visitor(visit).is_none();
            let shown = Shown { consent: of_visitor(visit), deleted, refuses: keeps_refusal(visit) };
            let about = About {
                site: visit.authority,
                prefix: &visit.site.prefix,
                policy: &visit.site.policy,
                language: visit.language,
                named: visit.named,
                texts: visit.texts(),
            };
            let mut page = in_language(visit, ReceiptPage::new(about, &history, shown).render());
            if deleted {
                withdraw::with_script(&mut page);
            }
            page
        }
        Some("json") => file(json(&history), "application/json", "attachment; filename=\"consent.json\""),
        Some("csv") => {
            let lines: String = history.iter().map(csv::line).collect();
            file(csv::HEADER.to_owned() + &lines, "text/csv; charset=utf-8", "attachment; filename=\"consent.csv\"")
        }
        Some(_) => return failed(visit, StatusCode::BAD_REQUEST),
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("Cookie"));
    response
}

/// The receipts in their canonical form, so that each still has its hash.
fn json(history: &[Receipt]) -> String {
    let receipts: Vec<_> = history.iter().map(|receipt| Entry::Choice(receipt.clone()).canonical()).collect();
    format!("[{}]\n", receipts.join(",\n"))
}

fn file(text: String, kind: &'static str, name: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(name));
    response
}

/// Deletes the record, and takes back the choice that it proved, with all that was stored under it.
pub(super) async fn erase(visit: &Visit<'_>, headers: &HeaderMap, body: Received) -> Response<Body> {
    let form = match choice::form(visit, headers, body).await {
        Ok(form) => form,
        Err(status) => return failed(visit, status),
    };
    if !url::form_urlencoded::parse(&form).any(|(name, value)| name == "action" && value == "delete") {
        return failed(visit, StatusCode::BAD_REQUEST);
    }
    if let Some(id) = of_visitor(visit)
        && let Err(error) = visit.receipts.erase(&visit.site.name, id).await
    {
        tracing::warn!(%error, site = %visit.site.name, "A visitor's record could not be deleted.");
        return failed(visit, StatusCode::SERVICE_UNAVAILABLE);
    }
    let visit = &visit.spoken_as(&form);
    let to = format!("{}receipt?deleted=1{}", visit.site.prefix, visit.on());
    let mut response = redirect(StatusCode::SEE_OTHER, &to);
    let left = if keeps_refusal(visit) {
        let refusal = Choice::reject_all(&visit.site.policy, ConsentId::FOREIGN, visit.now);
        choice::remembered(visit, &refusal)
    } else {
        choice::cookie(visit.site, "", 0)
    };
    response.headers_mut().insert(SET_COOKIE, left);
    withdraw::clear(visit, headers, "/", &mut response);
    response
}

/// Whether a refusal that names nobody stays behind: where the law grants what nobody refused, no choice would be consent
/// to everything. Another tool's record is not ours to add to.
fn keeps_refusal(visit: &Visit<'_>) -> bool {
    let site = visit.site;
    site.policy.parts().law_in(visit.country) != Law::OptIn && (site.consent_tool.is_none() || site.is_bridged())
}

/// Also of a choice that no longer holds: it is theirs all the same.
fn of_visitor(visit: &Visit<'_>) -> Option<ConsentId> {
    match visit.record {
        Record::Choice(choice) if choice.id != ConsentId::FOREIGN => Some(choice.id),
        _ => None,
    }
}
