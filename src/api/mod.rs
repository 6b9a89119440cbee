//! Answers `/_consent/*` (the prefix is the site's to choose): the plain page, its style sheet, the choice, the script that
//! frees what waits for it, and the guard with what it tells.
//! None of these paths ever reaches the origin.

pub mod banner;
pub mod choice;
mod gpc;
pub mod guard;
mod json;
pub mod keys;
pub mod language;
mod origin;
pub mod policy;
pub mod rate;
mod receipt;
mod record;
mod withdraw;

use std::net::IpAddr;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, LOCATION, REFERER, VARY};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use ipnet::IpNet;

use crate::body::{Body, Received};
use crate::config::{self, Site};
use crate::consent::{Ask, Basis, ConsentId, Decision, Keys, Record, Signals};
use crate::cookie::UnixTime;
use crate::page::preferences::{About, Chosen, Preferences, Visit as Shown};
use crate::page::texts::Texts;
use crate::policy::Country;
use crate::store::Receipts;
use crate::telemetry::counters::SiteCounters;
use crate::telemetry::findings::Findings;
use crate::{own, page};

/// What an answer of ours depends on.
#[derive(Debug, Clone, Copy)]
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
    /// The language that the visitor reads best of those that the site speaks.
    pub language: &'a str,
    /// The visitor was shown something in that language, or asked for it: where we lead from here, it goes on.
    pub named: bool,
    /// What came with the request.
    pub signals: Signals,
    /// Signs choices.
    pub keys: &'a Keys,
    /// Keeps choices.
    pub receipts: &'a Receipts,
    /// What is kept of them.
    pub proof: &'a config::Receipts,
    /// How many choices each network has posted.
    pub rates: &'a rate::Rates,
    /// How often each network has told what the guard stopped, and where that is taken down.
    pub reports: &'a rate::Rates,
    /// What was seen in traffic.
    pub findings: &'a Findings,
    /// Counts what is chosen.
    pub counters: &'a SiteCounters,
    /// How many it may in a minute.
    pub a_minute: u32,
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

impl<'a> Visit<'a> {
    /// What we say to this visitor.
    fn texts(&self) -> &'a Texts {
        self.site.texts.of(self.language)
    }

    /// The same, in the language that these fields of a query or form name, if they name one that we speak.
    fn spoken_as(self, fields: &[u8]) -> Self {
        match language::named(self.site, fields) {
            Some(language) => Self { language, named: true, ..self },
            None => self,
        }
    }

    /// What goes behind the query of an address of ours.
    fn on(&self) -> String {
        if self.named { format!("&language={}", self.language) } else { String::new() }
    }
}

/// Whether this path is ours.
pub fn is_ours(site: &Site, path: &str) -> bool {
    path.starts_with(&*site.prefix) || path == bare(site) || (path == gpc::PATH && gpc::is_ours(site))
}

/// The prefix as people type it, without the `/` at its end.
fn bare(site: &Site) -> &str {
    site.prefix.trim_end_matches('/')
}

/// Answers a request for one of our paths.
pub async fn answer(visit: Visit<'_>, request: Request<Received>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let visit = visit.spoken_as(head.uri.query().unwrap_or_default().as_bytes());
    if head.uri.path() == gpc::PATH {
        return gpc::answer(&visit, &head.method);
    }
    let Some(path) = head.uri.path().strip_prefix(&*visit.site.prefix) else {
        return redirect(StatusCode::PERMANENT_REDIRECT, &visit.site.prefix);
    };
    match path {
        "" if is_read(&head.method) => preferences(&visit, &head),
        "policy" if is_read(&head.method) => published(&visit),
        "style.css" if is_read(&head.method) => style(visit.site),
        "free.js" if is_read(&head.method) => script(page::free::SCRIPT),
        "bridge.js" if visit.site.is_bridged() && is_read(&head.method) => script(page::bridge::SCRIPT),
        "bridge.js" if visit.site.is_bridged() => not_allowed(&visit, "GET, HEAD"),
        page::guard::PATH | page::guard::REPORT if visit.site.guards().is_none() => {
            failed(&visit, StatusCode::NOT_FOUND)
        }
        page::guard::PATH if is_read(&head.method) => guard::script(&visit, &head),
        page::guard::REPORT if head.method == Method::POST => guard::report(&visit, &head.headers, body).await,
        page::guard::REPORT => not_allowed(&visit, "POST"),
        "banner" if is_read(&head.method) => banner::get(&visit, &head),
        "consent.js" if is_read(&head.method) => {
            let script = banner::script(visit.site);
            let path = page::banner::script::path(&script);
            banner::asset(&head, script, &path, JAVASCRIPT)
        }
        "banner.css" if is_read(&head.method) => {
            banner::asset(&head, page::banner::STYLE.to_owned(), &page::banner::style_path(), STYLE)
        }
        "forget.js" if is_read(&head.method) => withdraw::script(&visit),
        "withdrawn" if is_read(&head.method) => withdraw::page(&visit, &return_to(&visit, &head)),
        "choice" => {
            let app = origin::app(&visit, &head.headers).cloned();
            let response = decision(&visit, &head, body).await;
            origin::admit(&visit, app, response)
        }
        "receipt" if is_read(&head.method) => receipt::show(&visit, &head).await,
        "receipt" if head.method == Method::POST => receipt::erase(&visit, &head.headers, body).await,
        "receipt" => not_allowed(&visit, "GET, HEAD, POST"),
        ""
        | "policy"
        | "style.css"
        | "free.js"
        | "forget.js"
        | "withdrawn"
        | "banner"
        | "consent.js"
        | "banner.css"
        | page::guard::PATH => not_allowed(&visit, "GET, HEAD"),
        _ => failed(&visit, StatusCode::NOT_FOUND),
    }
}

async fn decision(visit: &Visit<'_>, head: &Parts, body: Received) -> Response<Body> {
    match head.method {
        // With a query it looks like a decision, which a link on a foreign page could take.
        Method::GET | Method::HEAD if head.uri.query().is_none() => choice::state(visit),
        Method::POST => choice::post(visit, &head.headers, body).await,
        Method::DELETE => choice::delete(visit, &head.headers).await,
        Method::OPTIONS if !visit.site.app_origins.is_empty() => origin::preflight(visit, &head.headers),
        _ => not_allowed(visit, "GET, HEAD, POST, DELETE"),
    }
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// To a path of the site.
fn redirect(status: StatusCode, path: &str) -> Response<Body> {
    let mut response = own::html(status, String::new());
    response.headers_mut().insert(LOCATION, HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/")));
    response
}

fn failed(visit: &Visit<'_>, status: StatusCode) -> Response<Body> {
    own::html(status, page::error(status, Some(&visit.site.prefix), visit.texts()))
}

fn is_read(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}

fn not_allowed(visit: &Visit<'_>, methods: &'static str) -> Response<Body> {
    let mut response = failed(visit, StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// The page to go back to.
fn return_to(visit: &Visit<'_>, head: &Parts) -> String {
    let query = head.uri.query().unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "return_to").map(|(_, v)| v);
    let referer = head.headers.get(REFERER).and_then(|r| path_of(r.to_str().ok()?, visit.authority));
    let back = asked.as_deref().or(referer).unwrap_or("/");
    // Back to this very page would be no way back.
    if is_ours(visit.site, back) { "/".into() } else { page::way_back(back).into() }
}

fn preferences(visit: &Visit<'_>, head: &Parts) -> Response<Body> {
    let return_to = &return_to(visit, head);
    let texts = visit.texts();
    let chosen = match (visit.decision.basis, visit.record) {
        (Basis::Choice, Record::Choice(choice)) if choice.id != ConsentId::FOREIGN => {
            Some(Chosen { at: texts.day(choice.made), version: choice.version, id: choice.id.to_string() })
        }
        _ => None,
    };
    let new = match &visit.decision.ask {
        Ask::New(categories, services) => (&**categories, &**services),
        _ => (&[][..], &[][..]),
    };
    let Signals { gpc, dnt } = visit.signals;
    let shown = Shown { return_to, gpc, dnt, chosen, new };
    let about = About {
        site: visit.authority,
        prefix: &visit.site.prefix,
        language: visit.language,
        named: visit.named,
        texts,
        country: visit.country,
        keeps_session: visit.site.withdraw.keep_session,
        tool: tool(visit.site),
    };
    let text = Preferences::new(&visit.site.policy, &visit.decision.grant, about, shown).render();
    in_language(visit, text)
}

/// The name of the consent tool that asks on this site; empty for one that is no product.
fn tool(site: &Site) -> Option<&str> {
    let tool = site.consent_tool.as_ref()?;
    let known = tool.service().and_then(|id| site.policy.catalogue().service(id));
    Some(known.map_or("", |service| &service.label))
}

/// A page in the language of the visitor.
fn in_language(visit: &Visit<'_>, text: String) -> Response<Body> {
    let mut response = own::html(StatusCode::OK, text);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    if let Ok(language) = HeaderValue::from_str(visit.language) {
        headers.insert(CONTENT_LANGUAGE, language);
    }
    response
}

/// The policy, in the language that the visitor reads best.
fn published(visit: &Visit<'_>) -> Response<Body> {
    let page = policy::page(visit.site, visit.authority, (visit.language, visit.named), visit.country);
    in_language(visit, page.html())
}

/// Path and query of a `Referer`, if it is a page of this very site.
fn path_of<'a>(referer: &'a str, authority: &str) -> Option<&'a str> {
    let rest = referer.strip_prefix("https://")?;
    let (host, path) = rest.split_at_checked(authority.len())?;
    (host.eq_ignore_ascii_case(authority) && path.starts_with('/')).then_some(path)
}

fn style(site: &Site) -> Response<Body> {
    let mut response = Response::new(Body::full(page::STYLE.to_owned() + &site.theme.css()));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(STYLE));
    response
}

/// The same for everybody, so that caches may keep it: visitors of a site behind one need it on each page.
fn script(text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    own::headers(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JAVASCRIPT));
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
