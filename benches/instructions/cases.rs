//! What is counted: the decisions of the request path, each on input that lies ready.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::consent::{self, Choice, ConsentId, Keys, Signals};
use consentry::cookie::{OwnCookies, UnixTime};
use consentry::filter::validators::Conditional;
use consentry::filter::{self, Address, Body, ConsentHeader, Fetch, RequestContext, Requested, ResponseContext};
use consentry::html::{Gating, Insertions, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::{Grant, Policy};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use crate::page::{REAL, page};

const NOW: UnixTime = UnixTime(1_800_000_000);

/// Takes a name, how many of what is counted one call does, and the call.
pub(crate) type Tell<'a> = dyn FnMut(&str, usize, &mut dyn FnMut()) + 'a;

/// Tells of each case, in the order of the baseline.
pub(crate) fn each(tell: &mut Tell<'_>) {
    let policy = policy();
    decide(&policy, tell);
    headers(&policy, tell);
    html(&policy, tell);
}

fn policy() -> Arc<Policy> {
    let text =
        "listen: 127.0.0.1:443\nsites: [{ host: shop.example, origin: 'http://127.0.0.1:80', policy: standard }]";
    let parsed = config::parse(text, "bench.yaml", Path::new(""), NOW.0, CertificateFiles::Skip);
    Arc::clone(&parsed.expect("the bench's configuration is right").0.sites[0].policy)
}

fn decide(policy: &Arc<Policy>, tell: &mut Tell<'_>) {
    let keys = Keys::new(&[7; 32], []);
    let choice = Choice::accept_all(policy, ConsentId([1; 16]), NOW);
    let value = consent::encode(&choice, &keys, "shop.example");
    let signed = format!("PHPSESSID=abc; _ga=GA1.1.2.3; __Host-consentry={value}; lang=de");
    for (name, line) in [("grant without a choice", "PHPSESSID=abc; _ga=GA1.1.2.3"), ("grant by a choice", &signed)] {
        tell(name, 1, &mut || {
            let line = black_box(line).as_bytes();
            let record = consent::read([line], "__Host-consentry", &keys, "shop.example", policy, NOW);
            black_box(consent::grant(policy, &record, Signals::default(), NOW));
        });
    }
    let none = Grant::none();
    for name in ["PHPSESSID", "_ga", "_ga_KGQ3ZCEQ3Z", "nobody_knows_this_one"] {
        tell(&format!("cookie {name}"), 1, &mut || {
            black_box(policy.judge_cookie(&none, black_box(name.as_bytes())));
        });
    }
    for (name, url) in [
        ("tag of the site", "https://shop.example/app.js"),
        ("tag of a tracker", "https://www.googletagmanager.com/gtag/js?id=G-1"),
    ] {
        let url = Url::parse(url).expect("a constant");
        tell(name, 1, &mut || {
            black_box(policy.judge_tag(&none, black_box(&url)));
        });
    }
    for (name, text) in [
        ("snippet of the site", "window.app=window.app||[];window.app.push({id:1,name:\"card\"});"),
        ("snippet of a tracker", "!function(f){f.q=[]}(window);fbq('init', '1');"),
    ] {
        tell(name, 1, &mut || {
            black_box(policy.judge_snippet(&none, black_box(text)));
        });
    }
}

fn headers(policy: &Policy, tell: &mut Tell<'_>) {
    let none = Grant::none();
    let consent = ConsentHeader::new(policy);
    let fields = [
        ("host", "shop.example"),
        ("user-agent", "Mozilla/5.0"),
        ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let mut asked: HeaderMap =
        fields.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value))).collect();
    asked.insert(COOKIE, HeaderValue::from_static("PHPSESSID=abc; _ga=GA1.1.2.3; _fbp=fb.1.2.3; lang=de"));
    let context = RequestContext {
        apply: true,
        method: &Method::GET,
        fetch: Fetch::read(&asked),
        own: &OwnCookies { choice: "__Host-consentry", neighbours: &[] },
        consent: &consent,
        refused: true,
        pages: &none,
        salt: 0,
    };
    // The copy is counted too: what is filtered is changed.
    tell("request head", 1, &mut || {
        let mut head = black_box(&asked).clone();
        black_box(filter::request(policy, &none, &mut head, &context, &mut ()));
    });
    let requested =
        Requested { navigation: true, conditional: Conditional::Plain, expire: Vec::new(), cross_site: false };
    let context = ResponseContext {
        salt: 0,
        apply: true,
        now: NOW,
        status: StatusCode::OK,
        body: Body::Plain,
        address: Address { authority: "shop.example", target: "/" },
        requested: &requested,
        keyed: false,
        marker: None,
        told_by: &[],
        pages: None,
    };
    let mixed = ["PHPSESSID=abc; path=/", "_ga=GA1.1.2.3; Path=/", "_fbp=fb.1.2.3; Path=/", "PHPSESSID=; Max-Age=0"];
    for (name, lines) in [("response head without cookies", &[][..]), ("response head with four cookies", &mixed)] {
        let mut head = HeaderMap::new();
        head.insert("content-type", HeaderValue::from_static("text/html"));
        head.insert("cache-control", HeaderValue::from_static("max-age=60"));
        for line in lines {
            head.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        tell(name, 1, &mut || {
            let mut head = black_box(&head).clone();
            filter::response(policy, &none, &mut head, &context, &mut ());
            black_box(head);
        });
    }
}

fn html(policy: &Arc<Policy>, tell: &mut Tell<'_>) {
    let settings = Settings {
        policy: Arc::clone(policy),
        grant: Grant::none(),
        url: Url::parse("https://shop.example/news/today.html").expect("a URL"),
        charset: Some(encoding_rs::UTF_8),
        xml: false,
        gating: Gating::Remove,
        limits: Limits::default(),
        on_error: OnError::Abort,
        preferences: "/_consent/".into(),
        csp: Default::default(),
        speech: Speech::default(),
        asks: true,
        insert: Insertions::default(),
    };
    let mut out = Vec::with_capacity(1 << 18);
    let mut rewrite = |page: &[u8]| {
        out.clear();
        let mut rewriter = Rewriter::new(settings.clone());
        for piece in black_box(page).chunks(16 << 10) {
            rewriter.write(piece, &mut out).expect("the page is fine");
        }
        rewriter.end(&mut out).expect("the page is fine");
    };
    tell("a rewriter for nothing", 1, &mut || rewrite(b"<p>"));
    for (name, page) in
        [("page with 12 trackers, a KiB", page(60, 12, &REAL)), ("page without trackers, a KiB", page(60, 0, &REAL))]
    {
        tell(name, page.len() / 1024, &mut || rewrite(&page));
    }
}
