//! What the shop answers, path by path.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::body::Body;
use super::cookies::{self, Lines};
use super::pages::{self, Coding, Product};
use super::session::{Session, Sessions, token};
use super::{download, login, now, websocket};

/// Forms and JSON of this shop are small.
const MAX_BODY: usize = 16 * 1024;
/// How long `/slow` and `/late` keep their reader waiting.
pub(super) const WAIT: Duration = Duration::from_secs(2);

/// The shop's memory. Locked for moments, never across an await.
#[derive(Default)]
pub(super) struct Shop {
    sessions: Mutex<Sessions>,
}

/// One request's visitor: a copy of their session, and the cookies that the answer will set.
pub(super) struct Visit {
    /// The value of the session cookie.
    pub(super) id: Box<str>,
    /// The session as it was when the request came.
    pub(super) session: Session,
    /// What the answer sets.
    pub(super) set: Lines,
}

impl Shop {
    /// Answers one request; every page, file and error but static assets sets the shop's cookies.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if let Some(asset) = pages::asset(parts.uri.path(), &parts.headers) {
            return asset;
        }
        let mut visit = self.visit(&parts.headers);
        // Only forms have a body here, and only they are read.
        let limit = if parts.method == Method::POST { MAX_BODY } else { 0 };
        let mut response = match Limited::new(body, limit).collect().await {
            Ok(body) => self.route(&parts, &body.to_bytes(), &mut visit).await,
            Err(_) => text(StatusCode::PAYLOAD_TOO_LARGE, "Too much.\n".into()),
        };
        visit.set.write(response.headers_mut());
        response
    }

    async fn route(&self, parts: &http::request::Parts, body: &[u8], visit: &mut Visit) -> Response<Body> {
        let headers = &parts.headers;
        match (parts.method.as_str(), parts.uri.path()) {
            ("GET" | "HEAD", path) => match path {
                "/" => pages::home(visit, Coding::Identity, headers),
                "/gzip" => pages::home(visit, Coding::Gzip, headers),
                "/br" => pages::home(visit, Coding::Brotli, headers),
                "/slow" => pages::slow(visit, WAIT),
                "/late" => {
                    tokio::time::sleep(WAIT).await;
                    pages::home(visit, Coding::Identity, headers)
                }
                "/video" => pages::video(visit),
                "/live" => pages::live(visit),
                "/cart" => pages::cart(visit),
                "/login" => pages::login(visit, None),
                "/account" if visit.session.user.is_none() => see_other("/login"),
                "/account" => pages::account(visit),
                "/api/cart" => cart(&visit.session),
                "/badge.png" => pages::badge(),
                "/download" => download::answer(headers),
                "/events" => events(),
                "/ws" => websocket::handshake(headers),
                "/debug" => text(StatusCode::OK, cookies::head(parts)),
                "/redirect" => redirect(StatusCode::FOUND, "/cart"),
                "/broken" => pages::broken(visit),
                _ => pages::missing(visit),
            },
            ("POST", "/cart") => {
                if let Some(product) = pages::field(body, "product").and_then(|id| Product::find(&id)) {
                    self.add(visit, product.id);
                }
                see_other("/cart")
            }
            ("POST", "/api/cart") => self.add_by_script(headers, body, visit),
            ("POST", "/login") => login::sign_in(self, visit, body),
            ("POST", "/logout") => login::sign_out(self, visit),
            _ => {
                let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Not with this method.\n".into());
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
                response
            }
        }
    }

    /// Finds the visitor's session or opens one.
    fn visit(&self, headers: &HeaderMap) -> Visit {
        let mut set = Lines::default();
        let (id, session) = self.with(|sessions| {
            if let Some(id) = cookies::received(headers, cookies::SESSION)
                && let Some(session) = sessions.find(id)
            {
                return (id.into(), session.clone());
            }
            let session = Session { csrf: token().into(), ..Session::default() };
            let id = sessions.open(session.clone());
            set.session(cookies::SESSION, &id);
            (id, session)
        });
        if cookies::received(headers, cookies::CSRF) != Some(&session.csrf) {
            set.session(cookies::CSRF, &session.csrf);
        }
        set.trackers(headers, now());
        Visit { id, session, set }
    }

    fn add(&self, visit: &mut Visit, product: u8) {
        visit.session.add(product);
        self.with(|sessions| {
            if let Some(session) = sessions.find(&visit.id) {
                session.add(product);
            }
        });
        visit.set.session(cookies::CART, &visit.session.items().to_string());
    }

    /// The token of the cookie must come back in a header, as old single-page shops have it.
    fn add_by_script(&self, headers: &HeaderMap, body: &[u8], visit: &mut Visit) -> Response<Body> {
        let refuse = |status, why| json(status, &serde_json::json!({ "error": why }));
        let sent = headers.get("x-xsrf-token").map(HeaderValue::as_bytes);
        if sent != Some(visit.session.csrf.as_bytes()) {
            return refuse(StatusCode::FORBIDDEN, "the X-XSRF-TOKEN header is not right");
        }
        let asked: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let Some(product) = asked.and_then(|asked| Product::find(asked.get("product")?.as_str()?)) else {
            return refuse(StatusCode::BAD_REQUEST, "there is no such product");
        };
        self.add(visit, product.id);
        cart(&visit.session)
    }

    /// Works on the sessions for a moment.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Sessions) -> T) -> T {
        work(&mut self.sessions.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn cart(session: &Session) -> Response<Body> {
    let lines: Vec<_> = pages::lines(session)
        .iter()
        .map(|line| serde_json::json!({ "product": line.product.slug, "quantity": line.quantity }))
        .collect();
    json(StatusCode::OK, &serde_json::json!({ "items": session.items(), "lines": lines }))
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    answer(status, "application/json", format!("{value}\n"))
}

/// A plain text.
pub(super) fn text(status: StatusCode, text: String) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", text)
}

/// A whole response of a known type.
pub(super) fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// After a form: the browser fetches the next page with GET.
pub(super) fn see_other(path: &'static str) -> Response<Body> {
    redirect(StatusCode::SEE_OTHER, path)
}

fn redirect(status: StatusCode, path: &'static str) -> Response<Body> {
    let mut response = text(status, format!("Go to {path}\n"));
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(path));
    response
}

/// Three server-sent events, one a second: a proxy that buffers shows none of them in time.
fn events() -> Response<Body> {
    let pieces = ["Kettle on", "Water boils", "Tea is ready"].iter().enumerate().map(|(number, news)| {
        let pause = Duration::from_secs(u64::from(number > 0));
        (pause, Bytes::from(format!("id: {number}\ndata: {news}\n\n")))
    });
    let mut response = Response::new(Body::paced(pieces));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
