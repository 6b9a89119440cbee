//! The visit itself: breadth first, one request at a time, on the hosts that were named, and no more pages than asked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use indicatif::ProgressBar;
use tokio::time::sleep;
use url::Url;

use super::fetch::{Client, Page};
use super::found::{Found, Visited};
use super::frontier::Frontier;
use super::jar::Jar;
use super::links;
use super::robots::Robots;
use crate::cookie::{OwnCookies, SetCookie, date};
use crate::filter;
use crate::html::{self, Gating, Limits, OnError, Rewriter, charset, sniff};
use crate::policy::{Grant, Policy};
use crate::telemetry;

/// As browsers, about.
const MOST_REDIRECTS: usize = 10;

/// How far to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) pages: usize,
    pub(super) depth: usize,
    pub(super) delay: Duration,
}

/// A scan under way. What it finds is in `found` at any time, so that it may be dropped at any time.
pub(super) struct Crawl<'a, 'p> {
    client: Client,
    policy: Arc<Policy>,
    bounds: Bounds,
    found: &'a mut Found<'p>,
    bar: ProgressBar,
    jar: Jar,
    frontier: Frontier,
    robots: HashMap<String, Robots>,
    read: HashSet<Url>,
    own_cookies: OwnCookies<'a>,
    asked: usize,
}

/// Where a visit ended.
enum Step {
    Landed(Page),
    Leads(Url),
    Nowhere,
}

impl<'a, 'p> Crawl<'a, 'p> {
    /// Begins at `starts`. `own_cookies` are Consentry's, where one stands before the site.
    pub(super) fn new(
        client: Client,
        policy: Arc<Policy>,
        starts: &[Url],
        bounds: Bounds,
        own_cookies: OwnCookies<'a>,
        found: &'a mut Found<'p>,
        bar: ProgressBar,
    ) -> Self {
        Self {
            client,
            policy,
            bounds,
            found,
            bar,
            jar: Jar::default(),
            frontier: Frontier::new(starts),
            robots: HashMap::new(),
            read: HashSet::new(),
            own_cookies,
            asked: 0,
        }
    }

    /// Visits until nothing waits or enough was seen.
    pub(super) async fn run(mut self) {
        let mut visited = 0;
        while visited < self.bounds.pages
            && let Some((url, depth)) = self.frontier.pop()
        {
            if self.read.contains(&url) {
                continue;
            }
            self.bar.set_message(url.path().to_owned());
            if self.may_visit(&url).await {
                self.visit(url, depth).await;
                visited += 1;
                self.bar.inc(1);
            }
        }
    }

    async fn visit(&mut self, mut url: Url, depth: usize) {
        for _ in 0..MOST_REDIRECTS {
            match self.ask(&url).await {
                Step::Nowhere => return,
                Step::Landed(page) => return self.look_at(&page, &url, depth),
                Step::Leads(to) if !self.frontier.is_in_scope(&to) => {
                    let host = to.host_str().unwrap_or("elsewhere").to_owned();
                    return self.found.problem(&url, format!("leads to {host}, which is not scanned"));
                }
                Step::Leads(to) => {
                    if !self.may_visit(&to).await {
                        return;
                    }
                    url = to;
                }
            }
        }
        self.found.problem(&url, "redirects without end");
    }

    /// One request, and the cookies that came with its answer.
    async fn ask(&mut self, url: &Url) -> Step {
        self.pause(url).await;
        let cookies = self.jar.header(url, telemetry::now());
        let page = match self.client.fetch(url, cookies, may_be_page).await {
            Ok(page) => page,
            Err(error) => {
                self.found.problem(url, error.to_string());
                return Step::Nowhere;
            }
        };
        // By the site's own clock, or a wrong one makes lifetimes odd.
        let now = page.headers.get(DATE).and_then(|text| date::parse(text.as_bytes())).unwrap_or_else(telemetry::now);
        for line in page.headers.get_all(SET_COOKIE) {
            let cookie = SetCookie::parse(line.as_bytes());
            let kept = self.jar.take(&cookie, url, telemetry::now());
            if !cookie.ignored() && !self.own_cookies.contains(cookie.name()) {
                self.found.cookie(&cookie, url, kept, now);
            }
        }
        if page.status.is_redirection()
            && let Some(to) =
                page.headers.get(LOCATION).and_then(|to| url.join(&String::from_utf8_lossy(to.as_bytes())).ok())
        {
            return Step::Leads(without_fragment(to));
        }
        Step::Landed(page)
    }

    fn look_at(&mut self, page: &Page, url: &Url, depth: usize) {
        if !page.status.is_success() {
            return self.found.problem(url, format!("answered {}", page.status));
        }
        if !self.read.insert(url.clone()) {
            return;
        }
        self.found.pages.push(Visited::new(url, page.status.as_u16()));
        let kinds = page.headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
        if sniff::is_html(kinds, &page.body, true) != sniff::Sniff::Html {
            return;
        }
        let kind = page.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        self.take_stock(&page.body, kind, url, depth);
        if depth < self.bounds.depth {
            for link in links::links(&page.body, url) {
                self.frontier.push(link, depth + 1);
            }
        }
    }

    /// Sends the page through the rewriter that the proxy has, for a visitor who granted nothing.
    fn take_stock(&mut self, body: &[u8], kind: Option<&[u8]>, url: &Url, depth: usize) {
        let mut rewriter = Rewriter::new(html::Settings {
            policy: Arc::clone(&self.policy),
            grant: Grant::none(),
            url: url.clone(),
            charset: kind.and_then(charset::of_content_type),
            xml: kind.is_some_and(sniff::is_xml),
            // Nothing goes, so that what stands inside is seen too.
            gating: Gating::Neutralise,
            limits: Limits { contacts: 2000, findings: 2000, ..Limits::default() },
            on_error: OnError::Abort,
            preferences: "/".into(),
            csp: filter::Csp::default(),
            speech: html::Speech::default(),
            asks: true,
            insert: html::Insertions::default(),
        });
        let mut out = Vec::new();
        if let Err(error) = rewriter.write(body, &mut out).and_then(|()| rewriter.end(&mut out)) {
            self.found.problem(url, format!("read only in part: {error}"));
        }
        for contact in rewriter.contacts() {
            self.found.contact(&contact, url);
            // A document in the page is one of the site's pages.
            if matches!(&*contact.element, "iframe" | "frame" | "meta") && depth < self.bounds.depth {
                self.frontier.push(contact.url, depth + 1);
            }
        }
        for finding in rewriter.findings() {
            self.found.snippet(&finding, url);
        }
    }

    /// Whether `robots.txt` has nothing against it; it is fetched once.
    async fn may_visit(&mut self, url: &Url) -> bool {
        let origin = url[..url::Position::BeforePath].to_owned();
        if !self.robots.contains_key(&origin) {
            let Some(robots) = self.fetch_robots(url).await else {
                self.robots.insert(origin, Robots::forbid_all());
                return false;
            };
            self.robots.insert(origin.clone(), robots);
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let allowed = self.robots.get(&origin).is_none_or(|robots| robots.allows(target));
        self.found.forbidden += usize::from(!allowed);
        allowed
    }

    /// RFC 9309 §2.3.1: where there is none, all may be visited; where it cannot be had, nothing.
    async fn fetch_robots(&mut self, url: &Url) -> Option<Robots> {
        let mut robots = url.join("/robots.txt").ok()?;
        for _ in 0..5 {
            self.pause(&robots).await;
            match self.client.fetch(&robots, None, |status, _| status.is_success()).await {
                Ok(page) if page.status.is_redirection() => {
                    let to = page.headers.get(LOCATION).and_then(|to| robots.join(to.to_str().ok()?).ok());
                    match to {
                        Some(to) if self.frontier.is_in_scope(&to) => robots = to,
                        _ => return Some(Robots::default()),
                    }
                }
                Ok(page) if page.status.is_server_error() => {
                    self.found.problem(&robots, format!("answered {}, so nothing may be visited", page.status));
                    return None;
                }
                Ok(page) => return Some(Robots::parse(&String::from_utf8_lossy(&page.body))),
                Err(error) => {
                    self.found.problem(url, error.to_string());
                    return None;
                }
            }
        }
        Some(Robots::default())
    }

    async fn pause(&mut self, url: &Url) {
        let asked = self.robots.get(&url[..url::Position::BeforePath]).and_then(|robots| robots.delay);
        if self.asked > 0 {
            sleep(asked.unwrap_or_default().max(self.bounds.delay)).await;
        }
        self.asked += 1;
    }
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// What is not HTML by its type is not read.
fn may_be_page(status: StatusCode, headers: &HeaderMap) -> bool {
    let kinds = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    status.is_success() && sniff::is_html(kinds, b"", false) != sniff::Sniff::Other
}
