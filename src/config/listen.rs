//! Where we listen, and who may announce its clients there.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::reading::Item;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
    /// The peers that connect here, each of which begins with a PROXY header that names its client; `None` where
    /// clients connect themselves.
    pub announcers: Option<Vec<IpNet>>,
}

impl Listen {
    /// For clients that connect themselves.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, announcers: None }
    }
}

/// Reads one or a list; `trusted` are those whom `proxy_protocol: true` means.
pub(super) fn read(item: &Item<'_>, trusted: &[IpNet]) -> Option<Vec<Listen>> {
    Some(item.one_or_many().iter().filter_map(|item| one(item, trusted)).collect())
}

/// `0.0.0.0:443`, or `{ address: 0.0.0.0:443, proxy_protocol: true }`.
fn one(item: &Item<'_>, trusted: &[IpNet]) -> Option<Listen> {
    if !item.is_map() {
        return address(item).map(Listen::plain);
    }
    item.section(|s| {
        let address = s.need("address", address);
        let announcers = s.read("proxy_protocol", |item| announcers(item, trusted)).flatten();
        Some(Listen { address: address?, announcers })
    })
    .flatten()
}

#[expect(clippy::option_option, reason = "the outer one says whether it was readable")]
fn announcers(item: &Item<'_>, trusted: &[IpNet]) -> Option<Option<Vec<IpNet>>> {
    let hint = "name the load balancer's networks: `proxy_protocol: [10.0.0.0/8]`";
    if item.is_bool() {
        return match item.bool()? {
            false => Some(None),
            true if trusted.is_empty() => {
                item.fail_with("`proxy_protocol: true` means `trusted_proxies`, and there are none", hint)
            }
            true => Some(Some(trusted.to_vec())),
        };
    }
    if item.one_or_many().is_empty() {
        return item.fail_with("nobody could connect", hint);
    }
    networks(item).map(Some)
}

/// An IP address and a port.
pub(super) fn address(item: &Item<'_>) -> Option<SocketAddr> {
    let text = item.text()?;
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let hint = match (port, text.rsplit_once(':').map_or("", |(host, _)| host)) {
        (Some(port), "localhost") => format!("write `127.0.0.1:{port}`"),
        (Some(port), "" | "*") => format!("write `0.0.0.0:{port}`, or `[::]:{port}` for IPv6 too"),
        _ => "write an IP address and a port, e.g. `0.0.0.0:443` or `[::]:443`".to_owned(),
    };
    item.fail_with(format!("`{text}` is no address to listen on"), hint)
}

/// Networks, or addresses alone.
pub(super) fn networks(item: &Item<'_>) -> Option<Vec<IpNet>> {
    let network = |item: &Item<'_>| {
        let text = item.text()?;
        match text.parse::<IpNet>().or_else(|_| text.parse().map(|address: IpAddr| address.into())) {
            Ok(network) => Some(network),
            Err(_) => item.fail_with(format!("`{text}` is no network"), "write e.g. `10.0.0.0/8` or `192.0.2.7`"),
        }
    };
    Some(item.one_or_many().iter().filter_map(network).collect())
}
