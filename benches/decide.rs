//! What one decision costs: from cookies to a grant, and from a grant to verdicts. Nanoseconds each.

use std::hint::black_box;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::consent::{self, Choice, ConsentId, Keys, Record, Signals};
use consentry::cookie::{SetCookie, UnixTime};
use consentry::filter::validators::Conditional;
use consentry::filter::{self, Address, Body, Requested, ResponseContext};
use consentry::policy::{FindingAction, FindingKind, Grant, Policy, Sighting, Witness as _};
use consentry::telemetry::findings::{Findings, Scene};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn policy() -> Arc<Policy> {
    let text =
        "listen: 127.0.0.1:443\nsites: [{ host: shop.example, origin: 'http://127.0.0.1:80', policy: standard }]";
    let parsed = config::parse(text, "bench.yaml", std::path::Path::new(""), NOW.0, CertificateFiles::Skip);
    Arc::clone(&parsed.expect("the bench's configuration is right").0.sites[0].policy)
}

fn decide(c: &mut Criterion) {
    let policy = policy();
    let keys = Keys::new(&[7; 32], []);
    let choice = Choice::accept_all(&policy, ConsentId([1; 16]), NOW);
    let value = consent::encode(&choice, &keys, "shop.example");
    let cookies = format!("PHPSESSID=abc; _ga=GA1.1.2.3; __Host-consentry={value}; lang=de");
    let read = |line: &str| consent::read([line.as_bytes()], "__Host-consentry", &keys, "shop.example", &policy, NOW);
    c.bench_function("grant without a choice", |b| {
        b.iter(|| consent::grant(&policy, &read(black_box("PHPSESSID=abc; _ga=GA1.1.2.3")), Signals::default(), NOW));
    });
    c.bench_function("grant by a signed choice", |b| {
        b.iter(|| consent::grant(&policy, &read(black_box(&cookies)), Signals::default(), NOW));
    });
    c.bench_function("grant from a record", |b| {
        let record = Record::Choice(choice.clone());
        b.iter(|| consent::grant(&policy, black_box(&record), Signals::default(), NOW));
    });
    let none = Grant::none();
    for name in ["PHPSESSID", "_ga", "_ga_KGQ3ZCEQ3Z", "nobody_knows_this_one"] {
        c.bench_function(&format!("cookie {name}"), |b| {
            b.iter(|| policy.judge_cookie(&none, black_box(name.as_bytes())))
        });
    }
    for url in ["https://shop.example/app.js", "https://www.googletagmanager.com/gtag/js?id=G-1"] {
        let url = Url::parse(url).expect("a constant");
        c.bench_function(&format!("tag {}", url.host_str().unwrap_or_default()), |b| {
            b.iter(|| policy.judge_tag(&none, black_box(&url)));
        });
    }
}

/// A response that sets four cookies, with nobody watching and with the table of findings.
fn findings(c: &mut Criterion) {
    let policy = policy();
    let findings = Findings::default();
    let lines = [
        "PHPSESSID=abc; path=/",
        "_ga=GA1.1.2.3; Path=/; Max-Age=63072000; Secure",
        "lang=de; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
        "nobody_knows_this_one=1; Path=/; HttpOnly; SameSite=Lax",
    ];
    let mut head = HeaderMap::new();
    for line in lines {
        head.append(SET_COOKIE, HeaderValue::from_static(line));
    }
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
    let none = Grant::none();
    c.bench_function("response of four cookies, unseen", |b| {
        let run = |mut head| filter::response(&policy, &none, &mut head, &context, &mut ());
        b.iter_batched(|| head.clone(), run, BatchSize::SmallInput);
    });
    c.bench_function("response of four cookies, seen", |b| {
        let scene = Scene { site: "shop.example", policy: &policy, page: "/a/page", applied: true, now: NOW };
        let run = |mut head| filter::response(&policy, &none, &mut head, &context, &mut findings.look(scene));
        b.iter_batched(|| head.clone(), run, BatchSize::SmallInput);
    });
    c.bench_function("four sightings", |b| {
        let cookies = lines.map(|line| SetCookie::parse(line.as_bytes()));
        let judged = cookies.map(|cookie| policy.judge_cookie(&none, cookie.name()));
        let scene = Scene { site: "shop.example", policy: &policy, page: "/a/page", applied: true, now: NOW };
        b.iter(|| {
            let mut looking = findings.look(scene);
            for (cookie, verdict) in cookies.iter().zip(&judged) {
                let owner = verdict.classified.map(|found| found.owner);
                let action = FindingAction::Strip;
                let seen = Sighting::new(FindingKind::Cookie, cookie.name(), owner, verdict.rule, action);
                looking.see(black_box(&Sighting { line: Some(cookie), ..seen }));
            }
        });
    });
}

criterion_group!(benches, decide, findings);
criterion_main!(benches);
