//! The frontier of a scan: which addresses are still to be visited, and which never are.

use std::collections::{HashMap, HashSet, VecDeque};

use url::{Host, Position, Url};

/// Pages that differ in nothing but their query: a calendar must not eat the whole scan.
const MOST_VARIANTS: usize = 3;

/// Addresses that wait at most; the pages are far fewer.
const MOST_WAITING: usize = 10_000;

/// Addresses that wait, breadth first, each once, and only on the hosts that were named.
#[derive(Debug)]
pub(super) struct Frontier {
    scope: Vec<Url>,
    queue: VecDeque<(Url, usize)>,
    queued: HashSet<Url>,
    variants: HashMap<String, usize>,
}

impl Frontier {
    /// Of a visit that begins at these.
    pub(super) fn new(starts: &[Url]) -> Self {
        let mut frontier =
            Self { scope: starts.to_vec(), queue: VecDeque::new(), queued: HashSet::new(), variants: HashMap::new() };
        for start in starts {
            frontier.push(start.clone(), 0);
        }
        frontier
    }

    /// The next address, and how many links it is away from the start.
    pub(super) fn pop(&mut self) -> Option<(Url, usize)> {
        self.queue.pop_front()
    }

    /// Adds an address, unless it is elsewhere, known, or one variant too many.
    pub(super) fn push(&mut self, mut url: Url, depth: usize) {
        url.set_fragment(None);
        if !self.is_in_scope(&url) || self.queue.len() >= MOST_WAITING || self.queued.contains(&url) {
            return;
        }
        let variants = self.variants.entry(url[..Position::AfterPath].to_owned()).or_default();
        if *variants < MOST_VARIANTS {
            *variants += 1;
            self.queued.insert(url.clone());
            self.queue.push_back((url, depth));
        }
    }

    /// A host that was named, or its twin with or without `www.`, by either scheme.
    pub(super) fn is_in_scope(&self, url: &Url) -> bool {
        let bare = |url: &Url| match url.host() {
            Some(Host::Domain(name)) => name.strip_prefix("www.").unwrap_or(name).to_owned(),
            other => other.map(|host| host.to_string()).unwrap_or_default(),
        };
        matches!(url.scheme(), "http" | "https")
            && self.scope.iter().any(|start| bare(start) == bare(url) && start.port() == url.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visited(starts: &[&str], found: &[&str]) -> Vec<String> {
        let url = |text: &&str| Url::parse(text).unwrap();
        let mut frontier = Frontier::new(&starts.iter().map(url).collect::<Vec<_>>());
        found.iter().for_each(|text| frontier.push(url(text), 1));
        std::iter::from_fn(|| frontier.pop()).map(|(url, depth)| format!("{depth} {url}")).collect()
    }

    #[test]
    fn each_page_of_the_site_is_visited_once_and_nobody_elses() {
        let found = [
            "https://shop.example/a#top",
            "https://shop.example/a",
            "https://www.shop.example/b",
            "http://shop.example/c",
            "https://elsewhere.example/",
            "https://shop.example:8443/",
            "mailto:shop@shop.example",
        ];
        let expected = [
            "0 https://shop.example/",
            "1 https://shop.example/a",
            "1 https://www.shop.example/b",
            "1 http://shop.example/c",
        ];
        assert_eq!(visited(&["https://shop.example/"], &found), expected);
    }

    #[test]
    fn a_calendar_does_not_eat_the_scan() {
        let days: Vec<_> = (1..30).map(|day| format!("https://shop.example/calendar?day={day}")).collect();
        let days: Vec<_> = days.iter().map(String::as_str).collect();
        assert_eq!(visited(&["https://shop.example/"], &days).len(), 1 + MOST_VARIANTS);
    }
}
