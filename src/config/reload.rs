//! The configuration that runs now, how its last reload went, and what no reload can change.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{Config, Listen, Problem};

/// Held by whoever shows the configuration; exchanges have their worker's own view of it.
#[derive(Debug)]
pub struct Running {
    config: ArcSwap<Config>,
    outcome: ArcSwap<Outcome>,
}

/// How the last reload went; the start counts as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why the files as they are now were refused, a line each; none if they are what runs.
    pub refused: Vec<String>,
    /// When what runs was read, in seconds since 1970.
    pub read: i64,
    /// How often a good one took the place of what ran.
    pub good: u64,
    /// How often one was refused.
    pub bad: u64,
    /// When the files were read last, whatever came of it.
    pub tried: i64,
}

impl Running {
    /// The configuration that the process started with.
    pub fn new(config: Arc<Config>, now: i64) -> Self {
        let outcome = Outcome { read: now, tried: now, ..Outcome::default() };
        Self { config: ArcSwap::new(config), outcome: ArcSwap::from_pointee(outcome) }
    }

    /// What runs.
    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// How that came about.
    pub fn outcome(&self) -> Arc<Outcome> {
        self.outcome.load_full()
    }

    /// A good one takes its place.
    pub fn replace(&self, config: Arc<Config>, now: i64) {
        self.config.store(config);
        let Outcome { good, bad, .. } = *self.outcome();
        self.outcome.store(Arc::new(Outcome { refused: Vec::new(), read: now, good: good + 1, bad, tried: now }));
    }

    /// A bad one changes nothing but this.
    pub fn refuse(&self, problems: &[Problem], now: i64) {
        let refused = problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
        let Outcome { read, good, bad, .. } = *self.outcome();
        self.outcome.store(Arc::new(Outcome { refused, read, good, bad: bad + 1, tried: now }));
    }
}

/// Puts back what a process cannot change while it runs: sockets, threads, stores. Gives the keys that differed.
pub fn keep_fixed(running: &Config, new: &mut Config) -> Vec<&'static str> {
    fn keep<T: Clone + PartialEq>(running: &T, new: &mut T) -> bool {
        let differs = running != new;
        new.clone_from(running);
        differs
    }
    /// Who may announce clients on a socket can change; the socket cannot.
    fn keep_bound(running: &[Listen], new: &mut Vec<Listen>) -> bool {
        let differs = !running.iter().map(|listen| listen.address).eq(new.iter().map(|listen| listen.address));
        if differs {
            *new = running.to_vec();
        }
        differs
    }
    let differs = [
        ("listen", keep_bound(&running.listen, &mut new.listen)),
        ("redirect", keep_bound(&running.redirect, &mut new.redirect)),
        ("workers", keep(&running.workers, &mut new.workers)),
        ("state", keep(&running.state, &mut new.state)),
        ("receipts", keep(&running.receipts, &mut new.receipts)),
        ("log", keep(&running.log, &mut new.log)),
        ("otlp", keep(&running.otlp, &mut new.otlp)),
        ("watch", keep(&running.watch, &mut new.watch)),
    ];
    let mut keys: Vec<_> = differs.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect();
    let door = |config: &Config| config.admin.as_ref().map(|admin| (admin.listen, admin.certificate.is_some()));
    if door(running) != door(new) {
        // The section as a whole: a token that is good enough for loopback must not guard an open address.
        keys.push(if running.admin.is_some() && new.admin.is_some() { "admin.listen" } else { "admin" });
        new.admin.clone_from(&running.admin);
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{CertificateFiles, parse};

    fn config(top: &str) -> Config {
        let text = format!(
            "listen: 127.0.0.1:1\n{top}\nsites: [{{ host: shop.example, origin: http://127.0.0.1, policy: standard }}]\n"
        );
        parse(&text, "test.yaml", Path::new(""), 0, CertificateFiles::Skip).unwrap().0
    }

    #[test]
    fn what_cannot_change_is_put_back_and_named() {
        let admin = "admin: { listen: 127.0.0.1:2 }";
        for (old, new, named) in [
            ("", "timeouts: { idle: 1s }", &[][..]),
            ("workers: 1", "workers: 2\nstate: elsewhere", &["workers", "state", "receipts"]),
            ("", "redirect: 127.0.0.1:3", &["redirect"]),
            ("", "log: { level: debug }", &["log"]),
            ("", "receipts: { ip: truncated }", &["receipts"]),
            (admin, "admin: { listen: 127.0.0.1:3 }", &["admin.listen"]),
            (admin, "", &["admin"]),
            ("", admin, &["admin"]),
            (admin, "admin: { listen: 127.0.0.1:2, hosts: ops.example }", &[]),
        ] {
            let (running, mut new) = (config(old), config(new));
            assert_eq!(keep_fixed(&running, &mut new), named, "{old} -> {new:?}");
            assert_eq!(new.workers, running.workers);
            assert_eq!(new.redirect, running.redirect);
            assert_eq!(new.admin.as_ref().map(|a| a.listen), running.admin.as_ref().map(|a| a.listen));
        }
    }

    #[test]
    fn hash_tells_generations_apart() {
        assert_eq!(config("workers: 1").hash, config("workers: 1").hash);
        assert_ne!(config("workers: 1").hash, config("workers: 2").hash);
        assert_eq!(config("").hash.len(), 64);
    }
}
