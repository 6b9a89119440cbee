//! One exchange, start to end. Reads as the list of its phases; each is a call into the room that knows.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::header::{CONNECTION, DATE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use tokio::time::{Duration, Instant};

use super::error::Error;
use super::exchange::Exchange;
use super::interim::Interim;
use super::tracked::Tracked;
use super::upgrade::Upgrade;
use super::upstream::{Answer, Early, Lease};
use super::visitor::{Additions, Visitor};
use super::worker::{Client, SiteRef};
use super::{admit, answer, date, forward, respond, route, whole};
use crate::api;
use crate::body::{Body, Received};
use crate::config::{Gating, Mode};
use crate::consent;
use crate::filter::hop_by_hop;
use crate::telemetry::findings::Scene;
use crate::{filter, own, page};

/// What comes back: a response, and the origin's connection that its body comes over.
type Answered = Result<(Response<Body>, Option<Lease>), Error>;

/// Answers a request, whatever happens: errors become pages in `respond`, and every exchange is logged. What the origin
/// says ahead of its answer goes to `interim`.
pub async fn handle(
    client: Arc<Client>,
    request: Request<Received>,
    interim: &Interim,
) -> Result<Response<Tracked>, Infallible> {
    let mut exchange = Exchange::begin(client, &request);
    let language = request.headers().get(http::header::ACCEPT_LANGUAGE).cloned();
    let (mut response, lease) = match serve(&mut exchange, request, interim).await {
        Ok(answer) => answer,
        Err(error) => {
            exchange.failed(&error);
            let mut response = respond::error(&error, exchange.site().map(|site| &**site), language);
            if exchange.is_http1() && (error.status() == StatusCode::BAD_REQUEST || exchange.client.surplus) {
                // Who is in doubt about one message is in doubt about where the next begins.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            (response, None)
        }
    };
    // Until here: what came ahead of a page may wait for its first bytes.
    interim.close();
    // What we add to the head from here on is not worth a second look at the clock.
    exchange.answered(response.status());
    if let Some(site) = exchange.site().filter(|site| site.mode == Mode::Enforce) {
        finish(site, &exchange, response.headers_mut());
    }
    response.headers_mut().entry(DATE).or_insert_with(date::now);
    Ok(response.map(|body| Tracked::new(body, exchange, lease)))
}

/// What a site wants on each of its responses, ours and error pages included.
fn finish(site: &SiteRef, exchange: &Exchange, headers: &mut HeaderMap) {
    // Without a referrer browsers do not say where our own forms come from, and nobody could withdraw.
    let hinders = |name: &HeaderName| *name == REFERRER_POLICY && exchange.is_ours();
    for (name, value) in site.headers.0.iter().filter(|(name, _)| !hinders(name)) {
        headers.insert(name, value.clone());
    }
    if site.server_timing {
        let text = format!("consentry;dur={:.2}", exchange.added().as_secs_f64() * 1000.0);
        headers.append(SERVER_TIMING, HeaderValue::try_from(text).expect("digits and ASCII"));
    }
}

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

async fn serve(exchange: &mut Exchange, mut request: Request<Received>, interim: &Interim) -> Answered {
    admit::request(exchange, &request)?;
    let authority = route::authority(&request, |bytes| exchange.client.known(bytes))?;
    exchange.at(authority.clone());
    let site = route::site(&exchange.client, &authority)?;
    exchange.of(&site);
    admit::head(&request, site.limits())?;
    let upgrade = Upgrade::of(&mut request);
    if upgrade.is_none() && [Method::CONNECT, Method::TRACE].contains(request.method()) {
        return Err(Error::client(StatusCode::METHOD_NOT_ALLOWED, "CONNECT and TRACE are not forwarded"));
    }
    let ours = api::is_ours(&site, request.uri().path());
    if site.mode == Mode::Off && !ours {
        return pass(exchange, &site, None, request, upgrade, interim).await;
    }
    let visitor = Visitor::of(&exchange.client, &site, request.headers());
    if ours {
        let visit = visitor.at(&exchange.client, &site, authority.as_str(), request.headers());
        // Boxed: rare beside what is passed on, and large.
        return Ok((Box::pin(api::answer(visit, request)).await, None));
    }
    if visitor.is_strict_bounce(&site, &request) {
        return Ok((
            own::html(
                StatusCode::OK,
                page::bounce(target_of(&request), api::language::texts(&site, request.headers())),
            ),
            None,
        ));
    }
    let visitor = visitor.going_on(&exchange.client, &site, authority.as_str(), &request);
    pass(exchange, &site, Some(&visitor), request, upgrade, interim).await
}

/// The part that the origin has in an exchange: filter, send, filter. Without a visitor nothing is filtered.
async fn pass(
    exchange: &mut Exchange,
    site: &SiteRef,
    visitor: Option<&Visitor>,
    request: Request<Received>,
    upgrade: Option<Upgrade>,
    interim: &Interim,
) -> Answered {
    let (mut head, body) = request.into_parts();
    let asked = forward::Asked::of(exchange, &head);
    forward::clean(exchange, &mut head, upgrade.is_some());
    let shared = (site.gating == Gating::Client).then(|| consent::required(&site.policy));
    // Pages that are the same for everybody speak one language.
    let language = if site.shares_pages() { &site.language } else { api::language::of(site, &head.headers) };
    let client = Arc::clone(&exchange.client);
    let additions = visitor.and_then(|visitor| visitor.additions(&client, site, &asked, &head.headers, language));
    let requested = visitor.map(|visitor| {
        let context = filter::RequestContext {
            apply: site.mode == Mode::Enforce,
            method: &head.method,
            fetch: visitor.fetch,
            own: &site.own_cookies(),
            consent: site.consent(),
            refused: visitor.decision.refused,
            pages: shared.as_ref().unwrap_or_else(|| &visitor.on_page().grant),
            salt: additions.as_ref().filter(|_| filter::asks_of_tags(&head.headers)).map_or(0, Additions::salt),
        };
        let scene = Scene {
            site: &site.name,
            policy: &site.policy,
            page: asked.uri.path(),
            applied: context.apply,
            now: visitor.now,
        };
        let mut looking = exchange.client.worker.findings.look(scene);
        filter::request(&site.policy, &visitor.decision.grant, &mut head.headers, &context, &mut looking)
    });
    let filter = visitor.zip(requested.as_ref()).map(|(visitor, requested)| answer::Filter {
        site,
        decision: &visitor.decision,
        additions: additions.as_ref(),
        told_of: visitor.is_told_of(site, &asked.method),
        told_by: visitor.told_by(site),
        shared: shared.as_ref(),
        asked: &asked,
        requested,
        now: visitor.now,
        language,
        worker: &client.worker,
    });
    let sent = Instant::now();
    let early = exchange.takes_interim().then(Arc::<Early>::default);
    // What has a body cannot be asked again.
    let filters = |filter: &answer::Filter<'_>| {
        site.mode == Mode::Enforce && filter.blocks(&filter.decision.grant) && body.is_end_stream()
    };
    let whole = filter.as_ref().filter(|filter| filters(filter)).and_then(|_| whole::request(&head));
    // In a block of its own: the state of the exchange would have a place for the request all the while.
    let sending = {
        let body = if upgrade.is_some() { Body::Empty } else { upload(site, body) };
        let mut request = Request::from_parts(head, body);
        if let Some(upgrade) = &upgrade {
            upgrade.ask(&mut request)?;
        }
        site.upstream().send(request, upgrade.is_some(), early.as_ref())
    };
    let sending = pin!(sending);
    let answer = match &early {
        Some(early) => listening(sending, early, filter.as_ref(), interim).await,
        None => sending.await,
    };
    let answer = match (answer, whole) {
        (Ok((response, _)), Some(head)) if whole::is_part_of_page(&response) => {
            site.upstream().send(Request::from_parts(*head, Body::Empty), false, None).await
        }
        (answer, _) => answer,
    };
    // What we waited in vain is the origin's time too.
    exchange.waited(sent.elapsed());
    exchange.asked(sent, answer.as_ref().ok());
    let (mut response, lease) = answer?;
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let doubtful = forward::settle_length(response.headers_mut());
    forward::settle(&mut response, upgrade, &exchange.client)?;
    let response = response.map(|body| Body::stream(body, site.timeouts().body_idle));
    // A tunnel's connection never carries another request, nor does one on which it is in doubt where an answer ends.
    let lease = (!switched && !doubtful).then_some(lease);
    let Some(filter) = filter else { return Ok((response, lease)) };
    // To tell what comes, its first bytes may have to be waited for.
    let mut read = Duration::ZERO;
    let filtered = filter.response(response, &mut read).await;
    exchange.waited(read);
    Ok((filtered?, lease))
}

fn upload(site: &SiteRef, body: Received) -> Body {
    Body::upload(body, site.timeouts().body_idle, site.limits().upload_rate)
}

/// Awaits the answer, and passes on what the origin says ahead of it.
async fn listening(
    mut sending: Pin<&mut impl Future<Output = Result<Answer, Error>>>,
    early: &Early,
    filter: Option<&answer::Filter<'_>>,
    interim: &Interim,
) -> Result<Answer, Error> {
    interim.open();
    poll_fn(|cx| {
        let answer = sending.as_mut().poll(cx);
        for mut head in early.take(cx) {
            hop_by_hop::informational(head.headers_mut());
            if let Some(filter) = filter {
                filter.interim(&mut head);
            }
            interim.push(head);
        }
        answer
    })
    .await
}

/// Path and query as the client wrote them.
pub(super) fn target_of<B>(request: &Request<B>) -> &str {
    request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HTTP/2 moves the state of each stream several times; at 12 KiB that cost as much as all the rest.
    #[test]
    fn the_state_of_an_exchange_is_small() {
        fn size<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(|client, request, interim: &'static Interim| handle(client, request, interim));
        assert!(size <= 4608, "{size} bytes: box what is rare");
    }
}
