//! How fast the HTML rewriter is beside its bounds: copying, the bare parser, and the parser asked for the same tags.
//!
//! `cargo bench --bench html`. Pages are made here, so that anybody measures the same bytes. Run twice and compare
//! within one run: on a shared machine only the ratios mean something.
//!
//! There is no prefilter in front of the parser. To say of a page that nothing in it can be blocked, all of it must have
//! been seen, and a stream may not wait: a parser that begins where the first doubt arises does not know whether it is in
//! a comment, an attribute or a script, and reading again from the start means to keep all that has left. Nor would it
//! pay: references (`&amp;`) and own URLs on a blocked path (`*/matomo.js`) are doubts on nearly every page, and inline
//! scripts must be judged by their signatures anyway, which costs what parsing does.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::html::{Gating, Insertions, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::Grant;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings as Parser};
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

/// A news page of about 115 KB: articles with links, images and icons; 60 candidates, of which `trackers` are refused.
fn page(candidates: usize, trackers: usize) -> Vec<u8> {
    let mut page = String::from("<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Today</title>\n");
    let mut tracked = 0;
    let mut article = 0;
    while page.len() < 115_000 {
        let i = article;
        article += 1;
        page.push_str(&format!(
            "<article class=\"card card--{i}\" id=\"a{i}\"><header><h2 class='title'><a href=\"/news/{i}.html\" \
             class=\"link link--title\">Headline number {i} &amp; more</a></h2><span class=\"meta\">by <b>Somebody</b>\
             </span></header>\n<div class=\"body\"><p>Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do \
             eiusmod tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud \
             exercitation <em>ullamco</em> laboris nisi ut aliquip ex ea commodo consequat.</p>\n<p>Duis aute irure \
             dolor in <a href=\"https://elsewhere.example/{i}?ref=shop&amp;x=1\" rel=\"noopener\">reprehenderit</a> in \
             voluptate velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint occaecat cupidatat non \
             proident, sunt in culpa qui officia deserunt mollit anim id est laborum.</p></div></article>\n"
        ));
        if i < candidates {
            page.push_str(&match (i % 4, tracked < trackers && i % 5 == 0) {
                (0, true) => format!("<script async src=\"https://cdn.t{i}.example/tag.js?id=UA-{i}\"></script>\n"),
                (1, true) => format!("<img height=1 width=1 src=\"//px.t{i}.example/p.gif?e=view&amp;i={i}\">\n"),
                (2, true) => format!("<script>!function(f){{f.q=[]}}(window);fbq('init', '{i}');</script>\n"),
                (_, true) => format!("<iframe src=\"https://www.t{i}.example/embed\" width=560></iframe>\n"),
                (0, _) => format!("<script src=\"/assets/app.{i}.js\" defer></script>\n"),
                (1, _) => {
                    format!("<img class=\"lazy\" src=\"/img/{i}.jpg\" srcset=\"/img/{i}.jpg 1x, /img/{i}b.jpg 2x\">\n")
                }
                (2, _) => {
                    format!("<script>window.app=window.app||[];window.app.push({{id:{i},name:\"card\"}});</script>\n")
                }
                _ => format!("<link rel=\"preload\" as=\"image\" href=\"https://cdn.shop.example/img/{i}.jpg\">\n"),
            });
            tracked += usize::from(i % 5 == 0);
        }
    }
    page.push_str("</html>");
    page.into_bytes()
}

fn ours(settings: &Settings, page: &[u8], chunk: usize, out: &mut Vec<u8>) {
    let mut rewriter = Rewriter::new(settings.clone());
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
    for (name, page) in [("60 tags, 12 refused", page(60, 12)), ("60 tags, none", page(60, 0)), ("no tags", page(0, 0))]
    {
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
            run("consentry", &|page, chunk, out| ours(&settings, page, chunk, out));
        }
        group.finish();
    }
}

fn construction(c: &mut Criterion) {
    let settings = settings();
    c.bench_function("construction", |b| b.iter(|| ours(black_box(&settings), b"<p>", 1400, &mut Vec::new())));
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(std::time::Duration::from_millis(300)).measurement_time(std::time::Duration::from_secs(1)).sample_size(20);
    targets = pages, construction
}
criterion_main!(benches);
