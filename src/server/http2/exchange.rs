//! One stream: its request, what is said ahead of the answer, and the answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::header::{CONTENT_LENGTH, EXPECT, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use tokio::sync::oneshot::{Receiver, Sender};
use tokio::time::Duration;

use super::detach::detach;
use super::send::send;
use super::tunnel::TunnelStream;
use crate::body::{Duplex, Received, Tunnel, Upload};
use crate::proxy::{Client, Interim, Tracked, handle};

/// Answers a request; `limit` is how long the answer may wait for a client that does not take it.
pub(super) async fn serve(
    client: Arc<Client>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    limit: Duration,
) {
    let is_head = request.method() == Method::HEAD;
    let (request, wanted, tunnel) = receive(request);
    let Some(response) = answer(client, request, wanted, &mut respond).await else { return };
    let (mut head, body) = response.into_parts();
    detach(&mut head.headers);
    let tunnel = tunnel.filter(|_| head.status.is_success());
    if tunnel.as_ref().is_some_and(|(open, _)| open.is_closed()) {
        // Success would tell the client that it has one.
        return respond.send_reset(Reason::INTERNAL_ERROR);
    }
    let is_empty = body.is_end_stream() && tunnel.is_none();
    if !is_empty
        && tunnel.is_none()
        && let Some(length) = body.size_hint().exact()
    {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    let is_last = is_empty || is_head;
    let stream = match respond.send_response(Response::from_parts(head, ()), is_last) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(%error, "An answer could not be sent over HTTP/2.");
            return respond.send_reset(Reason::INTERNAL_ERROR);
        }
    };
    match tunnel {
        Some((open, receive)) => drop(open.send(Box::new(TunnelStream::new(stream, receive)))),
        None if is_last => {}
        None => send(body, stream, limit).await,
    }
}

/// The two halves of a tunnel to be: who waits for it, and what comes from the client.
type Pending = (Sender<Box<dyn Duplex>>, RecvStream);

/// The request as the proxy takes it, and when its client is to go on, where it waits for that. The stream of a CONNECT has
/// no content, but may become a tunnel.
fn receive(request: Request<RecvStream>) -> (Request<Received>, Option<Receiver<()>>, Option<Pending>) {
    let (head, stream) = request.into_parts();
    if head.method == Method::CONNECT {
        let (open, tunnel) = Tunnel::new();
        return (Request::from_parts(head, Received::Tunnel(tunnel)), None, Some((open, stream)));
    }
    let expects = head.headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let mut upload = Upload::new(stream, &head.headers);
    let wanted = expects.then(|| upload.wanted());
    (Request::from_parts(head, Received::Stream(upload)), wanted, None)
}

/// What the proxy answers; `None` if the client took its request back.
async fn answer(
    client: Arc<Client>,
    request: Request<Received>,
    mut wanted: Option<Receiver<()>>,
    respond: &mut SendResponse<Bytes>,
) -> Option<Response<Tracked>> {
    let interim = Interim::default();
    // Boxed: the state of a stream is moved where its task lives.
    let mut handled = Box::pin(handle(client, request, &interim));
    poll_fn(|cx| {
        let answer = handled.as_mut().poll(cx);
        if respond.poll_reset(cx).is_ready() {
            return Poll::Ready(None);
        }
        let go_on = wanted.as_mut().map(|wanted| Pin::new(wanted).poll(cx));
        if let Some(Poll::Ready(told)) = go_on {
            wanted = None;
            if told.is_ok() {
                let mut head = Response::new(());
                *head.status_mut() = StatusCode::CONTINUE;
                inform(respond, head);
            }
        }
        interim.take().into_iter().for_each(|head| inform(respond, head));
        answer.map(Result::ok)
    })
    .await
}

fn inform(respond: &mut SendResponse<Bytes>, mut head: Response<()>) {
    detach(head.headers_mut());
    if let Err(error) = respond.send_informational(head) {
        tracing::debug!(%error, "An informational answer could not be sent over HTTP/2.");
    }
}
