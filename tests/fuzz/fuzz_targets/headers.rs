//! Any lines as the head of a request and of a response: nothing panics, nothing of one hop goes on, and without a grant
//! no cookie of a refused service gets through, either way.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use consentry::config::{self, CertificateFiles};
use consentry::cookie::{OwnCookies, UnixTime};
use consentry::filter::accept_encoding::Accepted;
use consentry::filter::forwarded::{Introduction, Peer};
use consentry::filter::{
    self, Address, Body, ConsentHeader, Csp, Fetch, RequestContext, ResponseContext, accept_language, content_codings, hop_by_hop,
};
use consentry::policy::{Grant, Policy};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use libfuzzer_sys::fuzz_target;
use url::Url;

const CONFIG: &str = "
listen: 127.0.0.1:0
sites:
  - host: shop.example
    origin: http://127.0.0.1:1
    policy:
      services:
        bad: { category: marketing, cookies: { bad: 1 day }, hosts: ['*.b.io'] }
      cookies: { lang: { category: necessary, lifetime: 1 day } }
      sessions: { cookies: { sid: {}, app: { host_prefix: true } } }
";

static POLICY: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    let (config, _) = config::parse(CONFIG, "fuzz.yaml", Path::new(""), 0, CertificateFiles::Skip)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::clone(&config.sites[0].policy)
});

/// Names that a byte may stand for: what the filters look at.
const NAMES: [&str; 32] = [
    "cookie", "set-cookie", "connection", "te", "accept-encoding", "accept-language", "content-encoding", "link", "refresh",
    "etag", "if-none-match", "if-match", "if-range", "range", "forwarded", "x-forwarded-for", "x-forwarded-proto", "vary",
    "cache-control", "content-security-policy", "content-security-policy-report-only", "consent", "sec-fetch-dest",
    "sec-fetch-mode", "sec-fetch-site", "upgrade", "transfer-encoding", "content-length", "alt-svc", "trailer",
    "if-modified-since", "surrogate-control",
];

fn read(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let Some((name, value)) = line.split_first() else { continue };
        let name = HeaderName::from_static(NAMES[usize::from(*name) % NAMES.len()]);
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    headers
}

fuzz_target!(|data: &[u8]| {
    let Some((flags, data)) = data.split_first() else { return };
    let came = read(data);
    let _ = (Accepted::read(&came).answer(consentry::filter::Coding::Gzip), accept_language::best(&came, &["en", "de", "pt-BR"]), content_codings(&came));
    let page = Url::parse("https://shop.example/a/b").expect("a constant");
    let csp = Csp::read(&came);
    let _ = (csp.script(&page, &page), csp.style(&page, &page), csp.allows_fetch(&page, &page));

    let mut request = came.clone();
    hop_by_hop::request(&mut request, flags & 1 != 0);
    for gone in ["transfer-encoding", "keep-alive"] {
        assert!(!request.contains_key(gone), "{gone} goes on");
    }
    let authority = HeaderValue::from_static("shop.example");
    let peer = Peer { address: [192, 0, 2, 1].into(), scheme: "https", authority: &authority };
    Introduction::new(peer).forward(&mut request, flags & 2 != 0);

    let refused = Grant::none();
    let consent = ConsentHeader::new(&POLICY);
    let context = RequestContext {
        apply: true,
        method: &Method::GET,
        fetch: Fetch::read(&came),
        own: &OwnCookies { choice: "__Host-consentry", neighbours: &[] },
        consent: &consent,
        refused: flags & 4 != 0,
        pages: &refused,
        salt: 0,
    };
    let requested = filter::request(&POLICY, &refused, &mut request, &context, &mut ());
    let named = |value: &HeaderValue, name: &[u8]| {
        value.as_bytes().split(|byte| *byte == b';').any(|pair| {
            let name_of = pair.splitn(2, |byte| *byte == b'=').next().unwrap_or_default();
            name_of.trim_ascii() == name
        })
    };
    for cookies in request.get_all("cookie") {
        assert!(!named(cookies, b"bad") && !named(cookies, b"__Host-consentry"), "{cookies:?} goes to the origin");
    }

    let mut response = came.clone();
    hop_by_hop::response(&mut response, false);
    let context = ResponseContext {
        apply: true,
        now: UnixTime(1_795_305_600),
        status: if flags & 8 != 0 { StatusCode::NOT_MODIFIED } else { StatusCode::OK },
        body: [Body::Plain, Body::Passed, Body::Rewritten][usize::from(flags >> 4) % 3],
        address: Address { authority: "shop.example", target: "/a/b" },
        requested: &requested,
        keyed: flags & 64 != 0,
        marker: Some("__Host-consentry-session"),
        told_by: &[],
        pages: (flags & 128 != 0).then_some(&refused),
        salt: 0,
    };
    filter::response(&POLICY, &refused, &mut response, &context, &mut ());
    for line in response.get_all("set-cookie") {
        let first = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let sets = first.starts_with(b"bad=") && !line.as_bytes().to_ascii_lowercase().windows(7).any(|w| w == b"max-age" || w == b"expires");
        assert!(!sets, "{line:?} comes to the browser");
    }
});
