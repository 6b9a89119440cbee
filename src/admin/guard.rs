//! Who may ask: by the name that is asked for (a foreign one is DNS rebinding), the page that asks, and the token.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HOST, HeaderName};
use http::uri::Authority;
use http::{Method, Request, StatusCode};

use crate::config::Admin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request is refused: status and text.
pub(super) type Refusal = (StatusCode, &'static str);

/// Lets a request in or says why not; `own` is the address that the client connected to, and `open` a page for which no
/// token is asked.
pub(super) fn admit<B>(admin: &Admin, own: IpAddr, request: &Request<B>, open: bool) -> Result<(), Refusal> {
    if !is_ours(admin, own, request) {
        return Err((StatusCode::MISDIRECTED_REQUEST, "this is not a name of the admin listener (`admin.hosts`)"));
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD"));
    }
    // A page of another site learns nothing from an answer that it cannot read, but might from how long it takes.
    if request.headers().get(SEC_FETCH_SITE).is_some_and(|site| site == "cross-site") {
        return Err((StatusCode::FORBIDDEN, "not from a page of another site"));
    }
    match &admin.token {
        Some(token) if !open && !given(request).is_some_and(|given| token.is(&given)) => {
            Err((StatusCode::UNAUTHORIZED, "show the token: `Authorization: Bearer …`, or as the password of any user"))
        }
        _ => Ok(()),
    }
}

fn is_ours<B>(admin: &Admin, own: IpAddr, request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let named = hosts.next().and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let (Some(named), None) = (named, hosts.next()) else { return false };
    // The target may name a host too, and then it is that one which counts (RFC 9112 §3.2.2).
    [Some(&named), request.uri().authority()].into_iter().flatten().all(|authority| {
        let host = authority.host().to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().map(|address| address.to_canonical());
        match address {
            // No name was resolved, so none was rebound.
            Ok(address) => address.is_loopback() || address == own,
            Err(_) => host == "localhost" || admin.hosts.iter().any(|known| known.matches(host)),
        }
    })
}

/// The token, as programs show it (`Bearer`) or browsers (`Basic`, as the password).
fn given<B>(request: &Request<B>) -> Option<Vec<u8>> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    match &*scheme.to_ascii_lowercase() {
        "bearer" => Some(token.trim().into()),
        "basic" => {
            let pair = STANDARD.decode(token.trim()).ok()?;
            let colon = pair.iter().position(|byte| *byte == b':')?;
            Some(pair[colon + 1..].into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HostName;

    #[test]
    fn only_its_own_names_are_answered() {
        let admin = Admin {
            listen: ([127, 0, 0, 1], 9464).into(),
            hosts: vec![HostName::parse("ops.example").unwrap()],
            token: None,
            certificate: None,
        };
        let own = IpAddr::from([10, 0, 0, 7]);
        let status = |target: &str, hosts: &[&str]| {
            let mut request = Request::builder().uri(target);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            admit(&admin, own, &request.body(()).unwrap(), false).err().map(|(status, _)| status.as_u16())
        };
        for host in
            ["localhost", "LOCALHOST:9464", "127.0.0.1:1", "[::1]:9464", "10.0.0.7", "ops.example.", "Ops.Example:1"]
        {
            assert_eq!(status("/", &[host]), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.8", "", "a@localhost/"]
        {
            assert_eq!(status("/", &[host]), Some(421), "{host}");
        }
        assert_eq!(status("/", &[]), Some(421));
        assert_eq!(status("/", &["localhost", "localhost"]), Some(421));
        assert_eq!(status("http://evil.example/", &["localhost"]), Some(421));
    }
}
