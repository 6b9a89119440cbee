//! Routes a request of the admin listener to its answer.

use std::net::IpAddr;

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::query::Query;
use super::{View, explain, guard, metrics, status};
use crate::body::Body;
use crate::policy::{FindingAction, FindingKind};
use crate::telemetry::drift::drift;
use crate::telemetry::findings::{Known, Row};
use crate::telemetry::paste;

/// What is said: a status, its media type, and the text.
type Said = (StatusCode, &'static str, String);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// Of OpenMetrics 1.0.0.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a request; `own` is the address that the client connected to.
pub(super) fn answer<B>(view: &View, own: IpAddr, request: &Request<B>) -> Response<Body> {
    let Some(admin) = &view.config.admin else { return response((StatusCode::NOT_FOUND, TEXT, String::new()), true) };
    let path = request.uri().path();
    // Whoever asks for these is a machine that restarts or routes round us, and learns one bit.
    let open = matches!(path, "/healthz" | "/readyz");
    let said = match guard::admit(admin, own, request, open) {
        Err((status, text)) => (status, TEXT, format!("{text}\n")),
        Ok(()) => route(view, path, request.uri()),
    };
    response(said, *request.method() == Method::HEAD)
}

fn route(view: &View, path: &str, uri: &Uri) -> Said {
    let ok = |text: &str| (StatusCode::OK, TEXT, format!("{text}\n"));
    match path {
        "/healthz" => ok("alive"),
        "/readyz" if view.stop.is_cancelled() => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n".into()),
        "/readyz" => ok("ready"),
        "/metrics" => (StatusCode::OK, METRICS, metrics::text(view)),
        "/api/findings" => in_json(findings(view, uri)),
        "/api/drift" => in_json(drifts(view, uri)),
        "/api/status" => in_json(Ok(status::status(view))),
        "/api/explain" => in_json(explain::explain(&view.config, uri)),
        "/" => ok("/healthz /readyz /metrics /api/status /api/findings /api/drift /api/explain"),
        _ => (StatusCode::NOT_FOUND, TEXT, "there is nothing here\n".into()),
    }
}

fn in_json(value: Result<Value, String>) -> Said {
    let (status, value) = match value {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    };
    (status, JSON, format!("{value}\n"))
}

fn response((status, kind, text): Said, head: bool) -> Response<Body> {
    let length = text.len();
    let mut response = Response::new(if head { Body::Empty } else { Body::full(text) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    match status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"))),
        StatusCode::UNAUTHORIZED => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        _ => {}
    }
    response
}

/// All rows, or those that the query asks for; with YAML that declares what nobody knows.
fn findings(view: &View, uri: &Uri) -> Result<Value, String> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        row: &'a Row,
        #[serde(skip_serializing_if = "Option::is_none")]
        paste: Option<String>,
    }
    let query = Query::read(uri, &["site", "kind", "action", "unclassified"])?;
    let site = query.one("site")?;
    let kinds = [FindingKind::Cookie, FindingKind::Tag, FindingKind::Snippet].map(|kind| (kind.word(), kind));
    let kind = query.word("kind", &kinds)?;
    let actions =
        [FindingAction::Keep, FindingAction::Strip, FindingAction::Harden, FindingAction::Cap, FindingAction::Expire];
    let action = query.word("action", &actions.map(|action| (action.word(), action)))?;
    let unclassified = query.word("unclassified", &[("", true), ("true", true), ("false", false)])?;
    let report = view.book.report();
    let asked = report.rows.iter().filter(|row| {
        site.is_none_or(|site| *row.site == *site)
            && kind.is_none_or(|kind| row.kind == kind)
            && action.is_none_or(|action| row.action == action)
            && unclassified.is_none_or(|unclassified| (row.known == Known::Nobody) == unclassified)
    });
    let show = |row| Shown { row, paste: pasted(view, row) };
    let rows: Vec<_> = asked.map(show).collect();
    Ok(json!({ "overflow": report.overflow, "findings": rows }))
}

fn pasted(view: &View, row: &Row) -> Option<String> {
    let site = view.config.sites.iter().find(|site| site.name == row.site)?;
    (row.known == Known::Nobody).then(|| paste::unknown(&site.policy, row.kind, &row.name))
}

/// Where the running policy and what was seen differ.
fn drifts(view: &View, uri: &Uri) -> Result<Value, String> {
    let query = Query::read(uri, &["site"])?;
    let sites = &view.config.sites;
    let sites = match query.one("site")? {
        Some(host) => vec![crate::explain::choose(sites, Some(host))?.site],
        None => sites.clone(),
    };
    let report = view.book.report();
    let drift: Vec<_> = sites.iter().flat_map(|site| drift(&site.name, &site.policy, &report.rows)).collect();
    let names: Vec<_> = sites.iter().map(|site| &site.name).collect();
    Ok(json!({ "sites": names, "drift": drift }))
}
