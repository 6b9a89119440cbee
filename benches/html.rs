//! How fast the HTML rewriter is beside its bounds: copying, the bare parser, and the parser asked for the same tags.
//!
//! `cargo bench --bench html`. Pages are made here, so that anybody measures the same bytes. Run twice and compare
//! within one run: on a shared machine only the ratios mean something.
//!
//! The prefilter is part of what is measured; "unfiltered" is the same without it, as where a policy reads styles.

#[path = "support/page.rs"]
mod page;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::html::{Gating, Insertions, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::Grant;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings as Parser};
use page::{MADE_UP, page};
use url::Url;

/// The tags that the rewriter's work is about; the parser alone is asked for the same.
const TAGS: &str = "script,noscript,iframe,frame,link,meta,base,input,a,area,body,img,image,feimage,source,embed,\
                    object,video,audio,track";

/// One way to take a page in pieces of a size.
type Way<'a> = dyn Fn(&[u8], usize, &mut Vec<u8>) + 'a;

/// A site that refuses the hosts `t0.example` … `t499.example`.
fn settings() -> Settings {
    let hosts: String = (0..500).map(|i| format!("'*.t{i}.example', ")).collect();
    let text = format!(
        r#"
listen: 127.0.0.1:443
sites:
  - host: shop.example
    origin: http://127.0.0.1:80
    policy:
      version: 1
      categories: {{ necessary: {{ required: true }}, marketing: {{}} }}
      services:
        bad:
          category: marketing
          hosts: [{hosts}'*/matomo.js']
          inline: ["fbq('init'", "gtag('config'", "hj('create'", "_paq.push(", "twq('config'", "ttq.load("]
"#
    );
    let parsed = config::parse(&text, "bench.yaml", Path::new(""), 0, CertificateFiles::Skip);
    let policy = Arc::clone(&parsed.expect("the bench's configuration is right").0.sites[0].policy);
    Settings {
        policy,
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
    }
}

fn ours(rewriter: fn(Settings) -> Rewriter, settings: &Settings, page: &[u8], chunk: usize, out: &mut Vec<u8>) {
    let mut rewriter = rewriter(settings.clone());
    for piece in page.chunks(chunk) {
        rewriter.write(piece, out).expect("the page is fine");
    }
    rewriter.end(out).expect("the page is fine");
}

/// lol_html alone, asked for `tags` by one handler that does nothing.
fn bare(tags: Option<&str>, page: &[u8], chunk: usize, out: &mut Vec<u8>) {
    let mut parser = Parser::new_send();
    for tag in tags.iter().flat_map(|tags| tags.split(',')) {
        let handlers = ElementContentHandlers::default().element(|_: &mut Element<'_, '_>| Ok(()));
        let selector = tag.parse().expect("a tag name");
        parser = parser.append_element_content_handler((std::borrow::Cow::Owned(selector), handlers));
    }
    let mut rewriter = HtmlRewriter::new(parser, |piece: &[u8]| out.extend_from_slice(piece));
    for piece in page.chunks(chunk) {
        rewriter.write(piece).expect("the page is fine");
    }
    rewriter.end().expect("the page is fine");
}

fn pages(c: &mut Criterion) {
    let settings = settings();
    let pages = [("60 tags, 12 refused", 60, 12), ("60 tags, none", 60, 0), ("no tags", 0, 0)];
    for (name, page) in pages.map(|(name, tags, refused)| (name, page(tags, refused, &MADE_UP))) {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(page.len() as u64));
        let mut out: Vec<u8> = Vec::with_capacity(2 * page.len());
        group.bench_function("copying", |b| {
            b.iter(|| {
                out.clear();
                out.extend_from_slice(black_box(&page));
            });
        });
        for chunk in [1400, 16 << 10, usize::MAX] {
            let size = if chunk == usize::MAX { "whole".to_owned() } else { chunk.to_string() };
            let mut run = |what: &str, with: &Way<'_>| {
                group.bench_function(BenchmarkId::new(what, &size), |b| {
                    b.iter(|| {
                        out.clear();
                        with(black_box(&page), chunk.min(page.len()), &mut out);
                    });
                });
            };
            run("lol_html, no handler", &|page, chunk, out| bare(None, page, chunk, out));
            run("lol_html, same tags", &|page, chunk, out| bare(Some(TAGS), page, chunk, out));
            run("consentry", &|page, chunk, out| ours(Rewriter::new, &settings, page, chunk, out));
            run("unfiltered", &|page, chunk, out| ours(Rewriter::unfiltered, &settings, page, chunk, out));
        }
        group.finish();
    }
}

fn construction(c: &mut Criterion) {
    let settings = settings();
    c.bench_function("construction", |b| {
        b.iter(|| ours(Rewriter::new, black_box(&settings), b"<p>", 1400, &mut Vec::new()));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1)).sample_size(20);
    targets = pages, construction
}
criterion_main!(benches);
