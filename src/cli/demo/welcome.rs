//! What `consentry demo` prints: what to open, and what to try.

use std::net::SocketAddr;
use std::path::Path;

/// The text for a newcomer. `addr` is where the proxy listens, `ca` the development CA that it prints into each line.
pub(super) fn welcome(addr: SocketAddr, ca: &Path) -> String {
    let site = match addr.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("https://localhost:{}", addr.port()),
        _ => format!("https://{addr}"),
    };
    let ca = ca.display();
    let curl = format!("curl -s --cacert {ca}");
    format!(
        "\
A legacy tea shop now stands behind Consentry.

  {site}/            the shop (sign in with demo / demo)
  {site}/_consent/   what you allow it
  {site}/debug       what the shop gets to see

Browsers warn until they trust {ca}; its key was thrown away.

Before consent: the session's cookies, hardened; no tracker in the page
  {curl} -D - {site}/ | grep -iE '^set-cookie|googletagmanager|fbq'
Allow analytics, keep the answer in a cookie jar
  {curl} -c jar -D - -o /dev/null -H 'Origin: {site}' -d decision=save -d category=analytics {site}/_consent/choice
After consent: Google's cookie and tag are back, Meta's are not
  {curl} -b jar -D - {site}/ | grep -iE '^set-cookie|googletagmanager|fbq'
A slow page shows its head at once; a compressed one is filtered too (0 before consent)
  {curl} -N {site}/slow
  {curl} --compressed {site}/gzip | grep -c hotjar
A WebSocket passes through (101, then silence until Ctrl-C)
  {curl} -iN --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \\
    -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' {site}/ws

Ctrl-C stops the demo.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_port_and_the_ca_that_are_in_use() {
        for (addr, site) in [
            ("127.0.0.1:8443", "https://localhost:8443/"),
            ("[::]:9000", "https://localhost:9000/"),
            ("192.0.2.7:443", "https://192.0.2.7:443/"),
        ] {
            let text = welcome(addr.parse().unwrap(), Path::new("certs/dev-ca.pem"));
            let commands: Vec<_> = text.lines().filter(|line| line.starts_with("  curl")).collect();
            assert_eq!(commands.len(), 6, "{text}");
            for command in commands {
                assert!(command.contains("--cacert certs/dev-ca.pem"), "{command}");
            }
            assert!(text.contains(site), "{text}");
        }
    }
}
