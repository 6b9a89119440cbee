//! The real server in-process, configured by the YAML that an operator would write.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use consentry::{api, config, server, store};
use tempfile::TempDir;

use super::{Authority, HOST};

/// Configures a proxy.
pub struct ProxyBuilder {
    listen: String,
    top: String,
    log: String,
    sites: String,
    hosts: Vec<String>,
    keys: Option<Vec<u8>>,
    files: Vec<(String, Vec<u8>)>,
}

/// A running proxy. Dropping it drains it and joins its threads, so that a panic in one fails the test.
pub struct Proxy {
    pub address: SocketAddr,
    pub redirect: SocketAddr,
    /// Where administrators are answered, if the configuration has an `admin` section.
    pub admin: Option<SocketAddr>,
    pub authority: Authority,
    server: Option<server::Server>,
    pub folder: TempDir,
}

/// A policy with four categories and services that tests know by heart; no catalogue entry is needed.
pub const POLICY: &str = "
version: 1
categories:
  necessary: { required: true }
  functional: { gpc: false }
  analytics: { gpc: true, dnt: true }
  marketing: { gpc: true }
services:
  counter: { label: Counter, vendor: Counter Ltd, category: analytics, cookies: { _ga: 2 years, '_ga_*': 1 year }, hosts: ['*.counter.example'], inline: ['counter(']  }
  adnet: { label: Adnet, vendor: Adnet Inc, category: marketing, cookies: { _fbp: 90 days }, hosts: ['*.adnet.example'], inline: ['adnet('] }
cookies:
  lang: { category: functional, lifetime: 1 year }
  cart: { category: necessary }
sessions:
  cookies: { SHOPSID: {}, csrf: { http_only: false }, sso: { same_site: lax }, raw: keep }
";

impl Proxy {
    pub fn builder() -> ProxyBuilder {
        // Short limits for what tests wait for; long ones for what they must not hit by chance.
        ProxyBuilder {
            listen: "127.0.0.1:0".to_owned(),
            top: "workers: 1\n".to_owned(),
            log: "{ access: false, level: error }".to_owned(),
            sites: String::new(),
            hosts: Vec::new(),
            keys: None,
            files: Vec::new(),
        }
    }

    /// One site on `shop.example` with [`POLICY`].
    pub async fn to(origin: SocketAddr) -> Self {
        Self::builder().site(HOST, origin, "").start()
    }

    /// Writes one of its files.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join(file), text).unwrap();
    }

    /// Changes its configuration by replacing some text, which must be there, and has it read again.
    pub fn change(&self, old: &str, new: &str) {
        let file = self.folder.path().join("consentry.yaml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "no {old:?} in\n{text}");
        fs::write(&file, text.replace(old, new)).unwrap();
        self.reload();
    }

    /// Has its files read again.
    pub fn reload(&self) {
        self.server.as_ref().unwrap().reloader().reload();
    }

    /// Begins to drain.
    pub fn stop(&self) {
        if let Some(server) = &self.server {
            server.stop();
        }
    }

    /// Drains and joins.
    pub fn join(mut self) {
        let server = self.server.take().unwrap();
        server.stop();
        server.join().expect("a worker panicked");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
            let joined = server.join();
            if !std::thread::panicking() {
                joined.expect("a worker panicked");
            }
        }
    }
}

impl ProxyBuilder {
    /// What stands under `listen`, of which the address is `127.0.0.1:0`.
    pub fn listen(mut self, yaml: &str) -> Self {
        yaml.clone_into(&mut self.listen);
        self
    }

    /// Adds a top-level key, e.g. `timeouts: { idle: 1s }`.
    pub fn top(mut self, yaml: &str) -> Self {
        writeln!(self.top, "{yaml}").unwrap();
        self
    }

    /// What is logged, instead of nothing.
    pub fn log(mut self, yaml: &str) -> Self {
        yaml.clone_into(&mut self.log);
        self
    }

    /// Puts a file beside the configuration.
    pub fn file(mut self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.push((name.to_owned(), text.as_ref().to_vec()));
        self
    }

    /// Adds a site with [`POLICY`]; `extra` are further keys of it, a line each.
    pub fn site(self, host: &str, origin: SocketAddr, extra: &str) -> Self {
        self.site_with(host, &format!("http://{origin}"), POLICY, extra)
    }

    /// Adds a site. What we add to pages is left out unless `extra` speaks of it: most tests are about pages as they are.
    pub fn site_with(mut self, host: &str, origin: &str, policy: &str, extra: &str) -> Self {
        let sites = &mut self.sites;
        writeln!(sites, "  - host: '{host}'\n    origin: {origin}").unwrap();
        for line in extra.lines().filter(|l| !l.trim().is_empty()) {
            writeln!(sites, "    {}", line.trim_end()).unwrap();
        }
        for key in ["banner", "settings_link", "guard"] {
            if !extra.contains(key) {
                writeln!(sites, "    {key}: false").unwrap();
            }
        }
        if policy.contains('\n') {
            writeln!(sites, "    policy:").unwrap();
            for line in policy.lines() {
                writeln!(sites, "      {line}").unwrap();
            }
        } else {
            writeln!(sites, "    policy: {policy}").unwrap();
        }
        self.hosts.push(host.to_owned());
        self
    }

    /// Signs with another proxy's keys: the content of its file.
    pub fn keys(mut self, keys: &[u8]) -> Self {
        self.keys = Some(keys.to_vec());
        self
    }

    /// Starts it on ports that the system chooses.
    pub fn start(self) -> Proxy {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let mut hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        hosts.push("localhost");
        authority.issue(folder.path(), "site", &hosts);
        let file = folder.path().join("consentry.yaml");
        let text = format!(
            "listen: {}\ncertificate: site.pem\nlog: {}\n{}sites:\n{}",
            self.listen, self.log, self.top, self.sites
        );
        fs::write(&file, &text).unwrap();
        for (name, text) in &self.files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let now = consentry::telemetry::now();
        let (config, _warnings) = config::load(&file, now.0).unwrap_or_else(|problems| {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}\nin\n{text}", all.join("\n"))
        });
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (tls, redirect) = (listen(), listen());
        let (address, redirect_address) = (tls.local_addr().unwrap(), redirect.local_addr().unwrap());
        for socket in [&tls, &redirect] {
            socket.set_nonblocking(true).unwrap();
        }
        if let Some(keys) = &self.keys {
            fs::create_dir_all(&config.state).unwrap();
            fs::write(config.state.join("consent.keys"), keys).unwrap();
        }
        let keys = api::keys::load(&config.state).unwrap();
        let store = store::Store::start(&config).unwrap();
        let mut sockets = server::Sockets::given(vec![tls], vec![redirect]);
        if config.admin.is_some() {
            sockets = sockets.given_admin(listen());
        }
        let admin = sockets.admin_address();
        let server = server::Server::start(Arc::new(config), Arc::new(keys), store, sockets).unwrap();
        Proxy { address, redirect: redirect_address, admin, authority, server: Some(server), folder }
    }
}
