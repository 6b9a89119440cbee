//! Answers `/_consent/*` (the prefix is the site's to choose): the plain page, its style sheet, the choice, and the
//! script that frees what waits for it.
//! None of these paths ever reaches the origin.

mod choice;
pub mod keys;
pub mod policy;
mod receipt;
mod record;

use std::net::IpAddr;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, LOCATION, REFERER, VARY};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use ipnet::IpNet;

use crate::body::Body;
use crate::config::{self, Site};
use crate::consent::{Basis, Decision, Keys, Record, Signals};
use crate::cookie::UnixTime;
use crate::page::preferences::{Preferences, Visit as Shown};
use crate::policy::Country;
use crate::store::Receipts;
use crate::{filter, own, page};

/// What an answer of ours depends on.
#[derive(Debug)]
pub struct Visit<'a> {
    /// The site that is visited.
    pub site: &'a Site,
    /// The authority that the client asked for.
    pub authority: &'a str,
    /// What the visitor's cookies say.
    pub record: &'a Record,
    /// What follows from that.
    pub decision: &'a Decision,
    /// Where a trusted proxy says that the visitor is.
    pub country: Option<Country>,
    /// What came with the request.
    pub signals: Signals,
    /// Signs choices.
    pub keys: &'a Keys,
    /// Keeps choices.
    pub receipts: &'a Receipts,
    /// What is kept of them.
    pub proof: &'a config::Receipts,
    /// Who connected.
    pub peer: IpAddr,
    /// Peers whose `Forwarded` is believed.
    pub trusted: &'a [IpNet],
    /// The most bytes that a form may have.
    pub limit: usize,
    /// How long the body of a request may pause.
    pub idle: std::time::Duration,
    /// The time of the request.
    pub now: UnixTime,
}

/// Whether this path is ours.
pub fn is_ours(site: &Site, path: &str) -> bool {
    path.starts_with(&*site.prefix) || path == bare(site)
}

/// The prefix as people type it, without the `/` at its end.
fn bare(site: &Site) -> &str {
    site.prefix.trim_end_matches('/')
}

/// Answers a request for one of our paths.
pub async fn answer(visit: Visit<'_>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Some(path) = head.uri.path().strip_prefix(&*visit.site.prefix) else {
        return redirect(StatusCode::PERMANENT_REDIRECT, &visit.site.prefix);
    };
    match path {
        "" if is_read(&head.method) => preferences(&visit, &head),
        "policy" if is_read(&head.method) => published(&visit, &head),
        "style.css" if is_read(&head.method) => style(),
        "free.js" if is_read(&head.method) => script(page::free::SCRIPT),
        "bridge.js" if is_read(&head.method) && visit.site.is_bridged() => script(page::bridge::SCRIPT),
        // With a query it looks like a decision, which a link on a foreign page could take.
        "choice" if is_read(&head.method) && head.uri.query().is_none() => choice::state(&visit),
        "choice" if head.method == Method::POST => choice::post(&visit, &head.headers, body).await,
        "bridge.js" if visit.site.is_bridged() => not_allowed(&visit, "GET, HEAD"),
        "receipt" if is_read(&head.method) => receipt::show(&visit, &head).await,
        "receipt" if head.method == Method::POST => receipt::erase(&visit, &head.headers, body).await,
        "receipt" => not_allowed(&visit, "GET, HEAD, POST"),
        "" | "policy" | "style.css" | "free.js" => not_allowed(&visit, "GET, HEAD"),
        "choice" => not_allowed(&visit, "GET, HEAD, POST"),
        _ => failed(&visit, StatusCode::NOT_FOUND),
    }
}

/// To a path of the site.
fn redirect(status: StatusCode, path: &str) -> Response<Body> {
    let mut response = own::html(status, String::new());
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/")));
    response
}

fn failed(visit: &Visit<'_>, status: StatusCode) -> Response<Body> {
    own::html(status, page::error(status, Some(&visit.site.prefix)))
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

fn not_allowed(visit: &Visit<'_>, methods: &'static str) -> Response<Body> {
    let mut response = failed(visit, StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn preferences(visit: &Visit<'_>, head: &Parts) -> Response<Body> {
    let query = head.uri.query().unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "return_to").map(|(_, v)| v);
    let referer = head.headers.get(REFERER).and_then(|r| path_of(r.to_str().ok()?, visit.authority));
    let back = asked.as_deref().or(referer).unwrap_or("/");
    // Back to this very page would be no way back.
    let return_to = if is_ours(visit.site, back) { "/" } else { back };
    let chosen = match (visit.decision.basis, visit.record) {
        (Basis::Choice, Record::Choice(choice)) => Some(page::day(choice.made)),
        _ => None,
    };
    let shown = Shown { return_to, gpc: visit.signals.gpc, chosen_at: chosen.as_deref() };
    let Site { policy, prefix, .. } = visit.site;
    let text = Preferences::new(policy, &visit.decision.grant, visit.authority, prefix, shown).render();
    own::html(StatusCode::OK, text)
}

/// The policy, in the language that the visitor reads best of those that it is written in.
fn published(visit: &Visit<'_>, head: &Parts) -> Response<Body> {
    let languages = visit.site.policy.parts().languages();
    let own_language = languages.first().copied().unwrap_or("en");
    let language = filter::accept_language::best(&head.headers, &languages).unwrap_or(own_language);
    let page = policy::page(visit.site, visit.authority, language, visit.country);
    let mut response = own::html(StatusCode::OK, page.html());
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    if let Ok(language) = HeaderValue::from_str(language) {
        headers.insert(CONTENT_LANGUAGE, language);
    }
    response
}

/// Path and query of a `Referer`, if it is a page of this very site.
fn path_of<'a>(referer: &'a str, authority: &str) -> Option<&'a str> {
    let rest = referer.strip_prefix("https://")?;
    let (host, path) = rest.split_at_checked(authority.len())?;
    (host.eq_ignore_ascii_case(authority) && path.starts_with('/')).then_some(path)
}

fn style() -> Response<Body> {
    let mut response = Response::new(Body::full(page::STYLE));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response
}

/// The same for everybody, so that caches may keep it: visitors of a site behind one need it on each page.
fn script(text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_authority_are_gone_back_to() {
        assert_eq!(path_of("https://shop.example/a?b", "shop.example"), Some("/a?b"));
        assert_eq!(path_of("https://SHOP.example:8443/a", "shop.example:8443"), Some("/a"));
        for foreign in [
            "https://shop.example.evil/a",
            "http://shop.example/a",
            "https://evil/",
            "https://shop.example",
            "https://shop.exampl\u{e9}/",
        ] {
            assert_eq!(path_of(foreign, "shop.example"), None, "{foreign}");
        }
    }
}
