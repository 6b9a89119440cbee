//! The plain-HTTP listener: answers each request with 308 to `https://`, and never carries a cookie.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::peer;
use super::room::Place;
use crate::body::Body;
use crate::proxy::Worker;

/// Serves one plain connection.
///
/// Who the client is matters for its number of connections alone.
pub(super) async fn serve(
    mut stream: TcpStream,
    index: usize,
    worker: Arc<Worker>,
    stop: CancellationToken,
    place: Place,
) -> io::Result<()> {
    let snapshot = worker.snapshot();
    let announcers = snapshot.config.redirect.get(index).and_then(|listen| listen.announcers.as_deref());
    let announced = peer::client(&mut stream, announcers, place, &worker);
    let announced = timeout(snapshot.config.timeouts.handshake, announced).await;
    let (_, place) = announced.map_err(|_| io::ErrorKind::TimedOut)??;
    let timeouts = snapshot.config.timeouts.clone();
    let port = snapshot.config.listen.first().map_or(443, |listen| listen.address.port());
    let service = hyper::service::service_fn(|request| {
        let known = |host: &str| worker.snapshot().knows(host);
        let mut response = answer(&request, port, known);
        if place.surplus {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            *response.headers_mut() = HeaderMap::from_iter([
                (CONTENT_LENGTH, HeaderValue::from_static("0")),
                (RETRY_AFTER, HeaderValue::from_static("10")),
                (CONNECTION, HeaderValue::from_static("close")),
            ]);
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.request_head)
        .max_header_size(snapshot.config.limits.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = Pin::new(&mut connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(timeouts.drain, connection).await;
        }
    }
    Ok(())
}

/// 308 keeps method and body, so that a form posted to `http://` is posted again, not lost.
fn answer<B>(request: &Request<B>, port: u16, known: impl Fn(&str) -> bool) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().and_then(|h| http::uri::Authority::try_from(h.as_bytes()).ok());
    let Some(host) = host.filter(|h| hosts.next().is_none() && !h.as_str().contains('@')) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    if !known(host.host()) {
        *response.status_mut() = StatusCode::MISDIRECTED_REQUEST;
        return response;
    }
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let location = match port {
        443 => format!("https://{}{path}", host.host()),
        port => format!("https://{}:{port}{path}", host.host()),
    };
    match HeaderValue::try_from(location) {
        Ok(location) => {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_to(host: &[&str], target: &str, port: u16) -> (u16, Option<String>) {
        let mut request = Request::builder().uri(target);
        for host in host {
            request = request.header(HOST, *host);
        }
        let response = answer(&request.body(()).unwrap(), port, |h| h == "shop.example");
        let location = response.headers().get(LOCATION).map(|l| l.to_str().unwrap().to_owned());
        (response.status().as_u16(), location)
    }

    #[test]
    fn only_known_hosts_are_redirected_and_the_target_is_kept() {
        let to = |l: &str| Some(l.to_owned());
        assert_eq!(answer_to(&["shop.example"], "/a?b=c", 443), (308, to("https://shop.example/a?b=c")));
        assert_eq!(answer_to(&["shop.example:80"], "/", 8443), (308, to("https://shop.example:8443/")));
        assert_eq!(answer_to(&["evil.example"], "/", 443), (421, None));
        assert_eq!(answer_to(&["x@shop.example"], "/", 443), (400, None));
        assert_eq!(answer_to(&["shop.example", "shop.example"], "/", 443), (400, None));
        assert_eq!(answer_to(&[], "/", 443), (400, None));
    }
}
