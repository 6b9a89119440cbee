//! What one decision costs: from cookies to a grant, and from a grant to verdicts. Nanoseconds each.

use std::hint::black_box;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::consent::{self, Choice, ConsentId, Keys, Record, Signals};
use consentry::cookie::UnixTime;
use consentry::policy::{Grant, Policy};
use criterion::{Criterion, criterion_group, criterion_main};
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

criterion_group!(benches, decide);
criterion_main!(benches);
