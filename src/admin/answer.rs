//! Routes a request of the admin listener to its answer.

use std::net::IpAddr;

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde_json::{Value, json};

use super::exposition::Syntax;
use super::query::Query;
use super::{View, explain, findings, guard, metrics, page, status};
use crate::body::Body;
use crate::telemetry::drift::drift;

/// What is said: a status, its media type, and the text.
type Said = (StatusCode, &'static str, String);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// The page needs its own style, script and data, and nothing else.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; \
                   base-uri 'none'; frame-ancestors 'none'";

/// Answers a request; `own` is the address that the client connected to.
pub(super) fn answer<B>(view: &View, own: IpAddr, request: &Request<B>) -> Response<Body> {
    let config = view.config();
    let Some(admin) = &config.admin else { return response((StatusCode::NOT_FOUND, TEXT, String::new()), true) };
    let path = request.uri().path();
    // Whoever asks for these is a machine that restarts or routes round us, and learns one bit.
    let open = matches!(path, "/healthz" | "/readyz");
    let said = match guard::admit(admin, own, request, open) {
        Err((status, text)) => (status, TEXT, format!("{text}\n")),
        Ok(()) => route(view, path, request.uri(), Syntax::accepted(request.headers())),
    };
    response(said, *request.method() == Method::HEAD)
}

fn route(view: &View, path: &str, uri: &Uri, syntax: Syntax) -> Said {
    let ok = |text: &str| (StatusCode::OK, TEXT, format!("{text}\n"));
    match path {
        "/healthz" => ok("alive"),
        "/readyz" if view.stop.is_cancelled() => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n".into()),
        "/readyz" => ok("ready"),
        "/metrics" => (StatusCode::OK, syntax.media_type(), metrics::text(view, syntax)),
        "/api/findings" => in_json(findings::findings(view, uri)),
        "/api/drift" => in_json(drifts(view, uri)),
        "/api/status" => in_json(Ok(status::status(view))),
        "/api/explain" => in_json(explain::explain(&view.config(), uri)),
        "/api/choices" => in_json(Ok(status::choices(view))),
        "/api/traffic" => in_json(Ok(metrics::traffic(view))),
        "/" => match page::page(view, uri) {
            Ok(page) => (StatusCode::OK, "text/html; charset=utf-8", page),
            Err(error) => (StatusCode::BAD_REQUEST, TEXT, format!("{error}\n")),
        },
        "/page.css" => (StatusCode::OK, "text/css; charset=utf-8", page::STYLE.into()),
        "/page.js" => (StatusCode::OK, "text/javascript; charset=utf-8", page::SCRIPT.into()),
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
        (CONTENT_SECURITY_POLICY, CSP),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    match status {
        StatusCode::METHOD_NOT_ALLOWED => drop(headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"))),
        StatusCode::UNAUTHORIZED => {
            drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Consentry\"")))
        }
        _ => {}
    }
    response
}

/// Where the running policy and what was seen differ.
fn drifts(view: &View, uri: &Uri) -> Result<Value, String> {
    let query = Query::read(uri, &["site"])?;
    let config = view.config();
    let sites = &config.sites;
    let sites = match query.one("site")? {
        Some(host) => vec![crate::explain::choose(sites, Some(host))?.site],
        None => sites.clone(),
    };
    let report = view.told.book.report();
    let drift: Vec<_> = sites.iter().flat_map(|site| drift(&site.name, &site.policy, &report.rows)).collect();
    let names: Vec<_> = sites.iter().map(|site| &site.name).collect();
    Ok(json!({ "sites": names, "drift": drift }))
}
