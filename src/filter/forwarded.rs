//! Who the client is, for the origin and for us: `X-Forwarded-*`, `Forwarded` (RFC 7239) and `Host`.
//!
//! What a stranger claims is overwritten; what a trusted proxy in front says is kept and added to.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HOST, HeaderName};
use http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

use super::list;
use super::removal::remove_where;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Other fields that origins and CDNs take for the truth about the client. From a stranger they are lies, and we have
/// nothing better to put there.
fn is_claim(name: &str) -> bool {
    matches!(
        name,
        "x-real-ip"
            | "x-forwarded"
            | "x-forwarded-by"
            | "x-forwarded-port"
            | "x-forwarded-prefix"
            | "x-forwarded-scheme"
            | "x-forwarded-server"
            | "x-forwarded-ssl"
            | "x-client-ip"
            | "true-client-ip"
            | "cf-connecting-ip"
            | "cf-ipcountry"
    )
}

/// The connection that a request came in on.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// The other end of the socket.
    pub address: IpAddr,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Host and port as the client wrote them: the one authority of the request.
    pub authority: &'a HeaderValue,
}

/// What a connection says of its client, made once and used for every request to the same authority.
#[derive(Debug)]
pub struct Introduction {
    scheme: &'static str,
    authority: HeaderValue,
    address: HeaderValue,
    /// An element of `Forwarded`.
    element: HeaderValue,
}

impl Introduction {
    /// Writes it down.
    pub fn new(peer: Peer<'_>) -> Self {
        let address = peer.address.to_canonical();
        let text = |bytes: Vec<u8>| {
            // An address, and parts of what was a header value already.
            HeaderValue::from_maybe_shared(bytes::Bytes::from(bytes)).unwrap_or(HeaderValue::from_static("unknown"))
        };
        Self {
            scheme: peer.scheme,
            authority: peer.authority.clone(),
            address: text(address.to_string().into_bytes()),
            element: text(element(address, peer)),
        }
    }

    /// Whether it holds for a request to this authority.
    pub fn is_for(&self, authority: &str) -> bool {
        self.authority.as_bytes() == authority.as_bytes()
    }

    /// Tells the origin who the client is, and sets the one `Host`. `trusted` says that the client is a proxy of
    /// ours, whose word counts.
    pub fn forward(&self, headers: &mut HeaderMap, trusted: bool) {
        if trusted {
            append(headers, X_FORWARDED_FOR, &self.address);
            append(headers, FORWARDED, &self.element);
        } else {
            remove_where(headers, is_claim);
            headers.insert(X_FORWARDED_FOR, self.address.clone());
            headers.insert(FORWARDED, self.element.clone());
        }
        // A trusted proxy saw the real scheme and host; ours are only those of the hop between it and us.
        if !trusted || !headers.contains_key(X_FORWARDED_PROTO) {
            headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(self.scheme));
        }
        if !trusted || !headers.contains_key(X_FORWARDED_HOST) {
            headers.insert(X_FORWARDED_HOST, self.authority.clone());
        }
        headers.insert(HOST, self.authority.clone());
    }
}

/// The client's address: the first one from the right of `X-Forwarded-For` that is no trusted proxy, or where there is
/// none, of `Forwarded`.
///
/// Only trusted peers are believed; something unreadable ends the walk at the last address that is known.
pub fn client_address(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let mut lines = headers.get_all(X_FORWARDED_FOR).iter();
    if lines.any(|line| list::elements(line.as_bytes()).next().is_some()) {
        by_x_forwarded_for(headers, peer, trusted)
    } else {
        by_forwarded(headers, trusted).unwrap_or(peer)
    }
}

/// Whether a proxy in front of us has this address.
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

fn by_x_forwarded_for(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    // `get_all` gives an iterator with two ends: last line first, and in each the last element first.
    for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        for text in line.as_bytes().rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if !is_trusted(client, trusted) {
                return client;
            }
            if text.is_empty() {
                continue;
            }
            let Some(address) = address(text) else { return client };
            client = address;
        }
    }
    client
}

/// The same walk, from the left since quoted strings cannot be read backwards: what stands further right counts more.
/// `None` if the last element tells nothing.
fn by_forwarded(headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let elements = headers.get_all(FORWARDED).iter().flat_map(|line| list::elements(line.as_bytes()));
    elements.fold(None, |found, element| match node(element) {
        Some(address) if is_trusted(address, trusted) => found.or(Some(address)),
        other => other,
    })
}

/// The address of the one `for` of an element; `None` for `unknown`, and for a name that hides it (RFC 7239 §6).
fn node(element: &[u8]) -> Option<IpAddr> {
    let mut nodes = list::split(element, b';').filter_map(|pair| {
        let (name, value) = pair.trim_ascii().split_at_checked(4)?;
        name.eq_ignore_ascii_case(b"for=").then_some(value)
    });
    let value = nodes.next().filter(|_| nodes.next().is_none())?;
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    // A port may be hidden, too.
    let hidden = value.windows(2).position(|two| two == b":_");
    address(&value[..hidden.unwrap_or(value.len())])
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: SocketAddr| socket.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

/// One `Forwarded` element. Everything in it is quoted, since IPv6 addresses and ports must be (RFC 7239 §4, §6).
fn element(address: IpAddr, peer: Peer<'_>) -> Vec<u8> {
    let node = match address {
        IpAddr::V4(address) => format!("for={address}"),
        IpAddr::V6(address) => format!("for=\"[{address}]\""),
    };
    let mut text = node.into_bytes();
    text.extend_from_slice(b";host=\"");
    for byte in peer.authority.as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.extend_from_slice(b"\";proto=");
    text.extend_from_slice(peer.scheme.as_bytes());
    text
}

/// Adds an element to the end of a list, all in one line: origins are known to read the first line only.
fn append(headers: &mut HeaderMap, name: HeaderName, element: &HeaderValue) {
    let lines = headers.get_all(&name);
    let mut joined: Vec<u8> = Vec::new();
    for line in lines.iter().filter(|line| list::elements(line.as_bytes()).next().is_some()) {
        joined.extend_from_slice(line.as_bytes());
        joined.extend_from_slice(b", ");
    }
    joined.extend_from_slice(element.as_bytes());
    // The parts are header values already.
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    fn all(headers: &HeaderMap, name: &str) -> Vec<String> {
        headers.get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect()
    }

    fn forwarded(address: &str, trusted: bool, lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let authority = HeaderValue::from_static("shop.example:8443");
        let mut headers = head(lines);
        let address = address.parse().unwrap();
        Introduction::new(Peer { address, scheme: "https", authority: &authority }).forward(&mut headers, trusted);
        headers
    }

    const CLAIMED: [(&str, &str); 9] = [
        ("host", "a.example"),
        ("host", "b.example"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "2.2.2.2, 3.3.3.3"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=1.1.1.1;by=\"a, b\""),
        ("x-real-ip", "1.1.1.1"),
        ("cf-ipcountry", "US"),
    ];

    #[test]
    fn claims_of_strangers_are_overwritten() {
        let headers = forwarded("192.0.2.7", false, &CLAIMED);
        assert_eq!(all(&headers, "host"), ["shop.example:8443"]);
        assert_eq!(all(&headers, "x-forwarded-for"), ["192.0.2.7"]);
        assert_eq!(all(&headers, "x-forwarded-proto"), ["https"]);
        assert_eq!(all(&headers, "x-forwarded-host"), ["shop.example:8443"]);
        assert_eq!(all(&headers, "forwarded"), [r#"for=192.0.2.7;host="shop.example:8443";proto=https"#]);
        assert!(!headers.contains_key("x-real-ip") && !headers.contains_key("cf-ipcountry"));
    }

    #[test]
    fn claims_of_trusted_proxies_are_added_to() {
        let headers = forwarded("2001:db8::7", true, &CLAIMED);
        assert_eq!(all(&headers, "host"), ["shop.example:8443"]);
        assert_eq!(all(&headers, "x-forwarded-for"), ["1.1.1.1, 2.2.2.2, 3.3.3.3, 2001:db8::7"]);
        assert_eq!(all(&headers, "x-forwarded-proto"), ["gopher"]);
        assert_eq!(all(&headers, "x-forwarded-host"), ["evil.example"]);
        assert_eq!(
            all(&headers, "forwarded"),
            [r#"for=1.1.1.1;by="a, b", for="[2001:db8::7]";host="shop.example:8443";proto=https"#]
        );
        assert_eq!(all(&headers, "x-real-ip"), ["1.1.1.1"]);
        assert_eq!(all(&forwarded("10.0.0.1", true, &[]), "x-forwarded-proto"), ["https"]);
    }

    #[test]
    fn addresses_that_ipv6_sockets_report_for_ipv4_are_written_as_ipv4() {
        assert_eq!(all(&forwarded("::ffff:192.0.2.7", false, &[]), "x-forwarded-for"), ["192.0.2.7"]);
    }

    #[test]
    fn client_is_the_first_untrusted_address_from_the_right() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        for (peer, lines, expected) in [
            // A stranger is not asked.
            ("192.0.2.1", &["1.1.1.1"] as &[&'static str], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.9.9.9"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["6.6.6.6, 1.1.1.1", " 10.0.0.3 ,"], "1.1.1.1"),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["1.1.1.1:4711"], "1.1.1.1"),
            ("10.0.0.1", &["[2001:db9::1]:4711"], "2001:db9::1"),
            ("10.0.0.1", &["[2001:db9::1]"], "2001:db9::1"),
            ("10.0.0.1", &["::ffff:1.1.1.1"], "1.1.1.1"),
            ("::ffff:10.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("2001:db8::5", &["1.1.1.1, unknown"], "2001:db8::5"),
            ("2001:db8::5", &["1.1.1.1, garbage, 10.0.0.9"], "10.0.0.9"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            let found = client_address(&headers, peer.parse().unwrap(), &trusted);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_where_nothing_else_tells_the_client() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        for (peer, lines, expected) in [
            ("192.0.2.1", &["for=1.1.1.1"] as &[&'static str], "192.0.2.1"),
            ("10.0.0.1", &["for=1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["For=\"1.1.1.1:4711\";proto=https;by=10.0.0.1"], "1.1.1.1"),
            ("10.0.0.1", &["proto=https; host=\"a;for=6.6.6.6, b\"; FOR=\"1.1.1.1\""], "1.1.1.1"),
            ("10.0.0.1", &["for=\"[2001:db9::1]:4711\""], "2001:db9::1"),
            ("10.0.0.1", &["for=\"[2001:db9::1]\""], "2001:db9::1"),
            ("10.0.0.1", &["for=\"[::ffff:1.1.1.1]\""], "1.1.1.1"),
            ("10.0.0.1", &["for=\"1.1.1.1:_x\""], "1.1.1.1"),
            ("10.0.0.1", &["for=6.6.6.6, for=1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["for=6.6.6.6, for=1.1.1.1, for=10.9.9.9"], "1.1.1.1"),
            ("10.0.0.1", &["for=6.6.6.6", "for=1.1.1.1, , for=\"[2001:db8::9]\""], "1.1.1.1"),
            ("10.0.0.1", &["for=10.0.0.2, for=10.0.0.3"], "10.0.0.2"),
            // Who hides the client, or breaks the line, ends the walk.
            ("10.0.0.1", &["for=1.1.1.1, for=unknown"], "10.0.0.1"),
            ("10.0.0.1", &["for=1.1.1.1, for=_hidden, for=10.0.0.9"], "10.0.0.9"),
            ("10.0.0.1", &["for=1.1.1.1, proto=https"], "10.0.0.1"),
            ("10.0.0.1", &["for=1.1.1.1;for=2.2.2.2"], "10.0.0.1"),
            ("10.0.0.1", &["for=\"6.6.6.6, for=1.1.1.1"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED, HeaderValue::from_static(line));
            }
            let peer = peer.parse().unwrap();
            let expected = expected.parse::<IpAddr>().unwrap();
            assert_eq!(client_address(&headers, peer, &trusted), expected, "{peer} {lines:?}");
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(" ,"));
            assert_eq!(client_address(&headers, peer, &trusted), expected, "{peer} {lines:?}");
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static("unknown"));
            assert_eq!(client_address(&headers, peer, &trusted), peer, "{peer} {lines:?}");
        }
    }
}
