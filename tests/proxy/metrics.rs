//! `/metrics` as a strict reader sees it, in both formats, and README.md's list of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::admin::{ADMIN, ask};
use crate::support::{Client, HOST, Origin, Proxy, block_on};

type Labels = BTreeMap<String, String>;

/// One metric with its samples: suffix, labels, value.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    samples: Vec<(String, Labels, f64)>,
}

impl Family {
    fn value(&self, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: Labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self.samples.iter().find(|(_, labels, _)| *labels == wanted).map(|(_, _, value)| *value)
    }
}

/// Reads an exposition and holds it to the rules; families by their name, without `_total`.
fn parse(text: &str, openmetrics: bool) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let (mut current, mut seen) = (String::new(), BTreeSet::new());
    let body = match openmetrics {
        true => text.strip_suffix("# EOF\n").expect("it ends with # EOF, and nothing behind it"),
        false => text,
    };
    assert!(!body.contains("# EOF") && body.ends_with('\n') && !body.contains("\n\n"));
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty(), "{line}");
            assert!(!openmetrics || !help.replace("\\\"", "").contains('"'), "{line}");
            current = name.to_owned();
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current, "HELP and TYPE stand together, once");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            let total = name.ends_with("_total");
            assert_eq!(total, kind == "counter" && !openmetrics, "{line}");
            let name = name.trim_end_matches("_total").to_owned();
            let family = Family { kind: kind.into(), ..Family::default() };
            assert!(families.insert(name.clone(), family).is_none(), "{name} twice");
            current = name;
            continue;
        }
        let (name, labels, value) = sample(line);
        assert!(seen.insert((name.clone(), labels.clone())), "twice: {line}");
        let family = families.get_mut(&current).unwrap_or_else(|| panic!("{line} before its TYPE"));
        let suffix = name.strip_prefix(&*current).unwrap_or_else(|| panic!("{line} under {current}"));
        let suffixes: &[&str] = match &*family.kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            _ => &["_bucket", "_sum", "_count"],
        };
        assert!(suffixes.contains(&suffix), "{line}");
        assert_eq!(labels.contains_key("le"), suffix == "_bucket", "{line}");
        assert!(family.kind == "gauge" || value >= 0.0, "{line}");
        family.samples.push((suffix.into(), labels, value));
    }
    families.values().filter(|family| family.kind == "histogram").for_each(check_histogram);
    families
}

/// Buckets are cumulative and in order, the last is `+Inf` and equal to the count.
fn check_histogram(family: &Family) {
    let mut buckets = BTreeMap::<Labels, Vec<(f64, f64)>>::new();
    for (suffix, labels, value) in &family.samples {
        let mut series = labels.clone();
        let le = series.remove("le");
        let buckets = buckets.entry(series).or_default();
        match (&**suffix, le) {
            ("_bucket", Some(le)) => buckets.push((le.replace("+Inf", "inf").parse().unwrap(), *value)),
            ("_count", None) => {
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, *value)), "{labels:?}");
                assert!(buckets.is_sorted(), "{buckets:?}");
            }
            _ => {}
        }
    }
}

/// Name, labels and value of a line.
fn sample(line: &str) -> (String, Labels, f64) {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = line.find(|c| !word(c)).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(label.chars().all(word) && !label.starts_with(|c: char| c.is_ascii_digit()), "{line}");
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().unwrap_or_else(|| panic!("{line}")) {
                    (at, '"') => break at + 1,
                    (_, '\\') => match chars.next().unwrap().1 {
                        'n' => value.push('\n'),
                        c @ ('\\' | '"') => value.push(c),
                        c => panic!("\\{c} in {line}"),
                    },
                    (_, c) => value.push(c),
                }
            };
            assert!(labels.insert(label.into(), value).is_none(), "{line}");
            rest = &after[end..];
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    (name.to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("{line}")))
}

async fn scrape(proxy: &Proxy, openmetrics: bool) -> BTreeMap<String, Family> {
    let accept =
        if openmetrics { "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n" } else { "" };
    let (status, head, text) = ask(proxy.admin.unwrap(), "/metrics", accept).await;
    let kind = if openmetrics { "application/openmetrics-text; version=1.0.0" } else { "text/plain; version=0.0.4" };
    assert!(status == 200 && head.contains(&format!("content-type: {kind}; charset=utf-8")), "{head}");
    parse(&text, openmetrics)
}

/// Something of everything: pages, refusals, choices, an origin that is away.
async fn busy() -> (Proxy, Origin) {
    let page = "<html><script src=https://px.adnet.example/a.js></script>";
    let cookies = [("content-type", "text/html"), ("set-cookie", "_ga=1"), ("set-cookie", "SHOPSID=1")];
    let origin = Origin::fixed(200, &cookies, page).await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").site("away.example", away, "").start();
    let mut client = Client::h2(&proxy).await;
    client.navigate("/", &[("sec-fetch-site", "cross-site")]).await;
    client.choose("decision=accept-all").await;
    client.choose("decision=reject-all").await;
    client.choose("decision=save&shown_category=analytics&category=analytics").await;
    Client::h1_to(&proxy, "away.example").await.get("/", &[]).await;
    Client::h1(&proxy).await.get("/", &[("host", "unknown.example")]).await;
    (proxy, origin)
}

#[test]
fn both_formats_say_the_same_by_the_rules() {
    block_on(async {
        let (proxy, _origin) = busy().await;
        let (plain, open) = (scrape(&proxy, false).await, scrape(&proxy, true).await);
        let names = |families: &BTreeMap<String, Family>| families.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&plain), names(&open));
        for families in [plain, open] {
            let value = |name: &str, labels: &[(&str, &str)]| {
                let value = families[name].value(labels);
                value.unwrap_or_else(|| panic!("no {labels:?} in {:#?}", families[name]))
            };
            let site = ("site", HOST);
            assert_eq!(value("consentry_choices", &[site, ("method", "accept-all")]), 1.0);
            for (category, granted, refused) in [("analytics", 2.0, 1.0), ("marketing", 1.0, 2.0)] {
                let of = |answer| [site, ("category", category), ("answer", answer)];
                assert_eq!(value("consentry_choices_by_category", &of("granted")), granted, "{category}");
                assert_eq!(value("consentry_choices_by_category", &of("refused")), refused, "{category}");
            }
            assert_eq!(value("consentry_receipts", &[("result", "stored")]), 3.0);
            assert_eq!(value("consentry_strict_risks", &[site]), 1.0);
            assert_eq!(value("consentry_origin_errors", &[("site", "away.example"), ("error", "connect")]), 1.0);
            assert!(value("process_resident_memory_bytes", &[]) > 1e6);
        }
    });
}

/// Strangers choose names of cookies, hosts, paths and methods: none of them becomes a label.
#[test]
fn strangers_add_no_series() {
    block_on(async {
        let origin = Origin::start(|seen| {
            let cookie = format!("c{}=1", seen.target.trim_start_matches("/p"));
            crate::support::origin::respond(200, &[("set-cookie", &cookie)], "")
        })
        .await;
        let proxy = Proxy::builder().top(ADMIN).site(HOST, origin.address, "").start();
        let mut client = Client::h1(&proxy).await;
        let series = async || scrape(&proxy, false).await.values().map(|family| family.samples.len()).sum::<usize>();
        let mut ask = async |number: usize| {
            client.get(&format!("/p{number}"), &[("cookie", &*format!("x{number}=1"))]).await;
            client.get("/", &[("host", &*format!("h{number}.example"))]).await;
        };
        ask(0).await;
        let before = series().await;
        for number in 1..40 {
            ask(number).await;
        }
        assert_eq!(series().await, before);
    });
}

#[test]
fn readme_lists_each_metric_with_its_labels() {
    let readme = include_str!("../../README.md");
    let mut listed = BTreeMap::<String, BTreeSet<String>>::new();
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    for row in readme.lines().filter(|line| line.starts_with("| `consentry_") || line.starts_with("| `process_")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for name in ticked(cells[1]) {
            let labels = ticked(cells[2]).into_iter().collect();
            assert!(listed.insert(name.clone(), labels).is_none(), "{name} is listed twice");
        }
    }
    block_on(async {
        let (proxy, _origin) = busy().await;
        let mut served = BTreeMap::new();
        for (name, family) in scrape(&proxy, false).await {
            let name = if family.kind == "counter" { format!("{name}_total") } else { name };
            let mut labels: BTreeSet<_> =
                family.samples.iter().flat_map(|(_, labels, _)| labels.keys().cloned()).collect();
            labels.remove("le");
            assert!(!family.samples.is_empty(), "{name}: not one sample, so its labels are not known here");
            served.insert(name, labels);
        }
        assert!(served.len() > 30, "{}", served.len());
        assert_eq!(listed, served, "README.md, and what is served");
    });
}
