//! What kind of answer a request is after, by its Fetch metadata or, in browsers without, by `Accept`.

use http::header::{ACCEPT, COOKIE, HeaderName};
use http::{HeaderMap, Method};

use super::list;
use crate::cookie::{self, SameSite};
use crate::policy::Policy;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// What a request says of its answer's use; read once, asked often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    dest: Dest,
    mode: Mode,
    /// The browser says that another site caused the request.
    pub(super) cross_site: bool,
    accepts_html: bool,
    /// What the client takes is said, and is no page.
    accepts_other: bool,
    /// By a script, as far as libraries say so.
    by_script: bool,
    /// The browser fetches ahead what it may show later.
    ahead: bool,
}

/// `Sec-Fetch-Dest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dest {
    /// Nothing, or two things that differ.
    Unsaid,
    /// A page in a window of its own.
    Document,
    /// A page in another.
    Frame,
    /// What `fetch()` asks for, which may well be HTML.
    Empty,
    /// Anything but a page: an image, a style, a script.
    Part,
}

/// `Sec-Fetch-Mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Unsaid,
    Navigate,
    Cors,
    Other,
}

impl Fetch {
    /// Reads Fetch metadata and `Accept`.
    pub fn read(headers: &HeaderMap) -> Self {
        let mode = match value(headers, SEC_FETCH_MODE) {
            None => Mode::Unsaid,
            Some(b"navigate") => Mode::Navigate,
            Some(b"cors") => Mode::Cors,
            Some(_) => Mode::Other,
        };
        let dest = match value(headers, SEC_FETCH_DEST) {
            None => Dest::Unsaid,
            Some(b"document") => Dest::Document,
            Some(b"iframe" | b"frame" | b"fencedframe" | b"embed" | b"object") => Dest::Frame,
            // A service worker passes a navigation on.
            Some(b"empty") if mode == Mode::Navigate => Dest::Document,
            Some(b"empty") => Dest::Empty,
            Some(_) => Dest::Part,
        };
        let accepts_html = accepts(headers, &["text/html", "application/xhtml+xml"]);
        Self {
            dest,
            mode,
            cross_site: value(headers, SEC_FETCH_SITE) == Some(b"cross-site"),
            accepts_html,
            accepts_other: !accepts_html && headers.contains_key(ACCEPT) && !accepts(headers, &["*/*", "text/*"]),
            // Android's web views send the name of their app with all that they ask for.
            by_script: value(headers, X_REQUESTED_WITH).is_some_and(|by| by.eq_ignore_ascii_case(b"xmlhttprequest")),
            ahead: dest == Dest::Empty
                && value(headers, SEC_PURPOSE).is_some_and(|purpose| purpose.starts_with(b"prefetch")),
        }
    }

    /// Whether the answer is going to be shown as a page or part of one, so that it may be HTML that we filter.
    pub(super) fn wants_document(self) -> bool {
        matches!(self.dest, Dest::Document | Dest::Frame) || self.accepts_html
    }

    /// Whether the client wants anything but a page.
    pub(super) fn wants_part(self) -> bool {
        self.dest == Dest::Part && !self.accepts_html
    }

    /// Whether the visitor opens a page in a window of its own.
    pub fn is_navigation(self) -> bool {
        match (self.mode, self.dest) {
            (Mode::Unsaid, Dest::Unsaid) => self.accepts_html,
            (mode, dest) => mode == Mode::Navigate && matches!(dest, Dest::Unsaid | Dest::Document),
        }
    }

    /// Whether the answer is shown in a frame.
    pub fn is_framed(self) -> bool {
        self.dest == Dest::Frame
    }

    /// Whether the answer may be shown in a window of its own, as far as the client tells: then it is a page that may
    /// ask something, and not a frame in one, nor what a script fetches.
    pub fn may_be_shown(self, method: &Method) -> bool {
        let shown = match self.dest {
            Dest::Unsaid => self.mode != Mode::Cors && !self.by_script && !self.accepts_other,
            Dest::Document => self.mode != Mode::Cors,
            Dest::Empty => self.ahead,
            Dest::Frame | Dest::Part => false,
        };
        [Method::GET, Method::HEAD, Method::POST].contains(method) && shown
    }

    /// The request fields that tell [`Fetch::may_be_shown`]: a copy that was made for another use must not stand in for a
    /// page (RFC 9110 §12.5.5).
    pub fn told_by(self) -> &'static [&'static str] {
        match self.dest {
            Dest::Unsaid => &["Sec-Fetch-Dest", "Sec-Fetch-Mode", "Accept", "X-Requested-With"],
            // It is the page itself, and was fetched ahead to stand in for it.
            Dest::Empty if self.ahead => &[],
            _ => &["Sec-Fetch-Dest", "Sec-Fetch-Mode"],
        }
    }
}

/// Whether a visitor goes on to a page by this request: no prefetch, which may never be seen, no reload, and no bot.
pub fn is_page_view(fetch: Fetch, method: &Method, headers: &HeaderMap) -> bool {
    let has = |name: &str, words: &[&str]| {
        headers.get_all(name).iter().any(|line| {
            let line = line.as_bytes().to_ascii_lowercase();
            words.iter().any(|word| memchr::memmem::find(&line, word.as_bytes()).is_some())
        })
    };
    let ahead = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
    *method == Method::GET
        && fetch.is_navigation()
        && !ahead.iter().any(|name| has(name, &["prefetch", "prerender", "preview"]))
        && !has("cache-control", &["no-cache", "max-age=0"])
        && !has("pragma", &["no-cache"])
        && !has("user-agent", &BOTS)
}

/// Words by which robots name themselves.
const BOTS: [&str; 14] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "facebookexternalhit",
    "preview",
    "lighthouse",
    "pingdom",
    "uptime",
    "monitor",
    "curl/",
    "wget/",
    "python",
    "scan",
];

/// Whether to answer with a page that navigates once more from the same site, because the browser held back a
/// `SameSite=Strict` session cookie: a `GET` navigation from another site by a visitor who is known to have one.
///
/// `marker` names our "has a session" cookie. The second request is same-site, so that this never holds twice.
pub fn is_strict_bounce(policy: &Policy, fetch: Fetch, method: &Method, headers: &HeaderMap, marker: &[u8]) -> bool {
    let cross_site =
        *method == Method::GET && fetch.cross_site && fetch.mode == Mode::Navigate && fetch.dest == Dest::Document;
    if !cross_site {
        return false;
    }
    let (mut marked, mut session) = (false, false);
    for line in headers.get_all(COOKIE) {
        for pair in cookie::pairs(line.as_bytes()) {
            marked |= pair.name() == marker;
            let hardening = policy.session(pair.name()).map(|(hardening, _)| hardening.same_site);
            session |= pair.name() != marker && hardening == Some(Some(SameSite::Strict));
        }
    }
    marked && !session
}

/// Whether one of these media ranges is in `Accept`.
fn accepts(headers: &HeaderMap, ranges: &[&str]) -> bool {
    headers.get_all(ACCEPT).iter().flat_map(|line| list::elements(line.as_bytes())).any(|range| {
        let media = list::split(range, b';').next().unwrap_or_default().trim_ascii();
        ranges.iter().any(|known| media.eq_ignore_ascii_case(known.as_bytes()))
    })
}

/// The one value of a field; two contradicting ones are none.
fn value(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.as_bytes().trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, head};
    use super::*;

    const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    #[test]
    fn documents_parts_and_navigations() {
        for (lines, document, part, navigation) in [
            (&[] as &[(&str, &str)], false, false, false),
            (&[("accept", "*/*")], false, false, false),
            (&[("accept", CHROME)], true, false, true),
            (&[("accept", "application/json"), ("accept", "Text/HTML;q=0.1")], true, false, true),
            (&[("accept", "text/htmlx")], false, false, false),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], true, false, true),
            (&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe"), ("accept", CHROME)], true, false, false),
            (&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("accept", "*/*")], false, false, false),
            (&[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("accept", "text/html")], true, false, false),
            (&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image"), ("accept", "image/*")], false, true, false),
            (&[("sec-fetch-dest", "image"), ("sec-fetch-dest", "document")], false, false, false),
        ] {
            let headers = head(lines);
            assert_eq!(Fetch::read(&headers).wants_document(), document, "{lines:?}");
            assert_eq!(Fetch::read(&headers).wants_part(), part, "{lines:?}");
            assert_eq!(Fetch::read(&headers).is_navigation(), navigation, "{lines:?}");
        }
    }

    #[test]
    fn what_may_be_shown() {
        const EMPTY: (&str, &str) = ("sec-fetch-dest", "empty");
        const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
        for (lines, shown) in [
            (&[] as &[(&str, &str)], true),
            (&[("accept", CHROME)], true),
            (&[("accept", "*/*")], true),
            (&[("accept", "application/json")], false),
            (&[("accept", "application/json, text/plain, */*")], true),
            (&[("accept", CHROME), ("x-requested-with", "XMLHttpRequest")], false),
            (&[("accept", CHROME), ("x-requested-with", "com.facebook.katana")], true),
            (&[("sec-fetch-dest", "document"), NAVIGATE, ("x-requested-with", "com.facebook.katana")], true),
            (&[("sec-fetch-dest", "document"), NAVIGATE, ("accept", "image/avif,image/webp")], true),
            (&[EMPTY, ("sec-fetch-mode", "cors")], false),
            // What a service worker passes on.
            (&[EMPTY, NAVIGATE], true),
            (&[EMPTY, ("sec-fetch-mode", "no-cors"), ("sec-purpose", "prefetch")], true),
            (&[EMPTY, ("sec-fetch-mode", "cors"), ("sec-purpose", "prefetch;prerender")], true),
            (&[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors"), ("sec-purpose", "prefetch")], false),
            (&[("sec-fetch-dest", "iframe"), NAVIGATE], false),
        ] {
            assert_eq!(Fetch::read(&head(lines)).may_be_shown(&Method::GET), shown, "{lines:?}");
        }
        assert!(Fetch::read(&head(&[EMPTY, NAVIGATE])).is_navigation());
        assert!(!Fetch::read(&head(&[EMPTY, ("sec-purpose", "prefetch")])).is_navigation());
    }

    #[test]
    fn only_a_visitor_whose_session_was_held_back_is_bounced() {
        let arrival: &[(&str, &str)] = &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("cookie", "a=1; mark=1"),
        ];
        let bounced = |method: Method, lines: &[(&str, &str)]| {
            let headers = head(lines);
            is_strict_bounce(&fixture::policy(), Fetch::read(&headers), &method, &headers, b"mark")
        };
        assert!(bounced(Method::GET, arrival));
        for method in [Method::POST, Method::HEAD, Method::PUT] {
            assert!(!bounced(method, arrival));
        }
        for (changed, value) in [
            (0, "same-origin"),
            (0, "same-site"),
            (0, "none"),
            (1, "cors"),
            (2, "iframe"),
            (2, "image"),
            (3, "a=1"),
            (3, "mark=1; sid=2"),
            (3, "mark=1; __Host-app=2"),
            (3, "marked=1"),
        ] {
            let mut lines = arrival.to_vec();
            lines[changed].1 = value;
            assert!(!bounced(Method::GET, &lines), "{value}");
            lines.remove(changed);
            assert!(!bounced(Method::GET, &lines));
        }
        // HTTP/2 crumbs.
        let crumbs = [arrival, &[("cookie", "sid=2")]].concat();
        assert!(!bounced(Method::GET, &crumbs));
    }
}
