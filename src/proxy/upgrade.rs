//! WebSocket upgrades: HTTP/1.1 `Upgrade` (RFC 9110 §7.8) and extended CONNECT over HTTP/2 (RFC 8441), both
//! carried to the origin as HTTP/1.1. No other protocol is switched to: `h2c` and `CONNECT` never pass.

use std::mem::take;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use h2::ext::Protocol;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;

use super::activity::Hold;
use super::error::{Error, OriginError};
use crate::body::{Duplex, Received, Tunnel};

const SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const SEC_WEBSOCKET_ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// A client that wants to speak WebSocket.
#[derive(Debug)]
pub(super) enum Upgrade {
    /// Its connection becomes the WebSocket.
    Connection(OnUpgrade),
    /// A stream of its connection does; the answer is 200, not 101.
    Stream(Tunnel),
}

impl Upgrade {
    /// Takes the upgrade out of a request that asks for one.
    pub(super) fn of(request: &mut Request<Received>) -> Option<Self> {
        if request.method() == Method::CONNECT {
            let protocol = request.extensions().get::<Protocol>();
            let asks = protocol.is_some_and(|protocol| protocol.as_str().eq_ignore_ascii_case("websocket"));
            return match take(request.body_mut()) {
                Received::Tunnel(tunnel) if asks => Some(Self::Stream(tunnel)),
                _ => None,
            };
        }
        let plain = request.method() == Method::GET
            && request.version() == Version::HTTP_11
            && has_token(request.headers(), &CONNECTION, "upgrade")
            && has_token(request.headers(), &UPGRADE, "websocket");
        plain.then(|| Self::Connection(hyper::upgrade::on(request)))
    }

    /// Writes the upgrade into the request to the origin, after hop-by-hop fields were removed.
    ///
    /// # Errors
    /// If no randomness is to be had.
    pub(super) fn ask<B>(&self, request: &mut Request<B>) -> Result<(), Error> {
        *request.method_mut() = Method::GET;
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        request.headers_mut().insert(UPGRADE, WEBSOCKET);
        if let Self::Stream(_) = self {
            // RFC 8441 §5: HTTP/2 has no key; the origin's HTTP/1.1 handshake needs one.
            let mut key = [0; 16];
            let unavailable = |_| Error::client(StatusCode::SERVICE_UNAVAILABLE, "no randomness for a WebSocket key");
            rand::fill(&mut key).map_err(unavailable)?;
            let key = HeaderValue::try_from(STANDARD.encode(key)).expect("base64 is a header value");
            request.headers_mut().insert(SEC_WEBSOCKET_KEY, key);
        }
        Ok(())
    }

    /// The origin has switched: joins both ends, as a task that `tunnels` counts. `held` keeps the client's connection,
    /// which over HTTP/2 goes on.
    ///
    /// # Errors
    /// If the origin switched to something else.
    pub(super) fn join<B>(self, response: &mut Response<B>, held: Hold, tunnels: &TaskTracker) -> Result<(), Error> {
        if !has_token(response.headers(), &UPGRADE, "websocket") {
            return Err(OriginError::Upgrade.into());
        }
        let origin = hyper::upgrade::on(&mut *response);
        let over_stream = matches!(self, Self::Stream(_));
        tunnels.spawn(async move {
            let (mut client, origin) = match tokio::try_join!(self.client(), async { Ok(origin.await?) }) {
                Ok(ends) => ends,
                Err(error) => return tracing::debug!(%error, "A WebSocket ended before it began."),
            };
            // Either end may go at any time; that is how WebSockets close.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut TokioIo::new(origin)).await;
            drop(held);
        });
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        if over_stream {
            headers.remove(CONNECTION);
            headers.remove(UPGRADE);
            headers.remove(SEC_WEBSOCKET_ACCEPT);
            *response.status_mut() = StatusCode::OK;
        } else {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, WEBSOCKET);
        }
        Ok(())
    }

    /// The client's end, once it knows that it is one.
    async fn client(self) -> Result<Box<dyn Duplex>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match self {
            Self::Connection(upgrade) => Box::new(TokioIo::new(upgrade.await?)),
            Self::Stream(tunnel) => tunnel.opened().await?,
        })
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value.as_bytes().split(|b| *b == b',').any(|t| t.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_websocket_upgrade_is_one() {
        let request = |method: &str, upgrade: &str, connection: &str| {
            let builder = Request::builder().method(method).header(UPGRADE, upgrade).header(CONNECTION, connection);
            Upgrade::of(&mut builder.body(Received::Empty).unwrap()).is_some()
        };
        assert!(request("GET", "websocket", "keep-alive, Upgrade"));
        assert!(request("GET", "WebSocket", "upgrade"));
        assert!(!request("GET", "h2c", "upgrade, http2-settings"));
        assert!(!request("GET", "websocket", "keep-alive"));
        assert!(!request("POST", "websocket", "upgrade"));
        assert!(!request("CONNECT", "websocket", "upgrade"));
    }
}
