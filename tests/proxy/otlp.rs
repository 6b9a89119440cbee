//! Spans, as a collector of OpenTelemetry gets them. Their protobuf is read by field numbers, as its `.proto` files have
//! them, and not by what wrote it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::reload::admin;
use crate::support::{Client, HOST, Origin, Proxy, RawOrigin, Step, block_on};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The value of a field.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, by number.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = take(bytes, 1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
    fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        taken
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value = match key & 7 {
            0 => Value::Number(varint(&mut bytes)),
            1 => Value::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut bytes) as usize;
                Value::Bytes(take(&mut bytes, length))
            }
            5 => Value::Number(u32::from_le_bytes(take(&mut bytes, 4).try_into().unwrap()).into()),
            wire => panic!("wire type {wire}"),
        };
        found.push((key >> 3, value));
    }
    found
}

fn all(bytes: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(bytes).into_iter().filter_map(move |(known, value)| match value {
        Value::Bytes(bytes) if known == number => Some(bytes),
        _ => None,
    })
}

fn text(bytes: &[u8], number: u64) -> String {
    String::from_utf8(all(bytes, number).next().unwrap_or_default().to_vec()).unwrap()
}

fn hex(bytes: &[u8], number: u64) -> String {
    all(bytes, number).flatten().map(|byte| format!("{byte:02x}")).collect()
}

fn number(bytes: &[u8], number: u64) -> u64 {
    let found = fields(bytes).into_iter().find_map(|(known, value)| match value {
        Value::Number(value) if known == number => Some(value),
        _ => None,
    });
    found.unwrap_or_default()
}

fn attributes(bytes: &[u8], numbered: u64) -> BTreeMap<String, String> {
    let of = |pair| {
        let value = all(pair, 2).next().unwrap();
        let value = match fields(value)[0] {
            (1, Value::Bytes(text)) => String::from_utf8(text.to_vec()).unwrap(),
            (3, Value::Number(number)) => number.to_string(),
            (4, Value::Number(bits)) => f64::from_bits(bits).to_string(),
            other => panic!("{other:?}"),
        };
        (text(pair, 1), value)
    };
    all(bytes, numbered).map(of).collect()
}

#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    kind: u64,
    start: u64,
    end: u64,
    attributes: BTreeMap<String, String>,
    failed: bool,
    flags: u64,
}

/// What the collector has got: spans of requests, and of the site's parts in them.
fn spans(collector: &Origin) -> (Vec<Span>, Vec<Span>) {
    let mut found = Vec::new();
    for seen in collector.seen() {
        assert_eq!((&*seen.target, seen.header("content-type")), ("/v1/traces", Some("application/x-protobuf")));
        for resource in all(&seen.body, 1) {
            let of = attributes(all(resource, 1).next().unwrap(), 1);
            assert_eq!((&*of["service.name"], &*of["service.version"]), ("consentry", env!("CARGO_PKG_VERSION")));
            for span in all(resource, 2).flat_map(|scope| all(scope, 2)) {
                found.push(Span {
                    trace: hex(span, 1),
                    id: hex(span, 2),
                    parent: hex(span, 4),
                    name: text(span, 5),
                    kind: number(span, 6),
                    start: number(span, 7),
                    end: number(span, 8),
                    attributes: attributes(span, 9),
                    failed: all(span, 15).any(|status| number(status, 3) == 2),
                    flags: number(span, 16),
                });
            }
        }
    }
    found.into_iter().partition(|span| span.kind == 2)
}

fn exporting(collector: &Origin, more: &str) -> String {
    format!("otlp: {{ endpoint: 'http://{}'{more} }}", collector.address)
}

#[test]
fn a_request_is_a_span_and_the_sites_part_is_its_child() {
    block_on(async {
        let (origin, collector) = (Origin::fixed(503, &[], "ok").await, Origin::fixed(200, &[], "").await);
        let log = "{ access: json, access_file: access.log, level: error, fields: [trace_id, span_id, parent_id] }";
        let top = exporting(&collector, ", headers: { authorization: 'file:token' }");
        let proxy = Proxy::builder().top(&top).log(log).file("token", "Bearer 1\n").site(HOST, origin.address, "");
        let proxy = proxy.start();
        let mut client = Client::h2(&proxy).await;
        client.get("/a?secret=1", &[("cookie", "cart=secret"), ("authorization", "secret")]).await;
        let continued = origin.last().header("traceparent").unwrap().to_owned();
        let odd = http::Method::from_bytes(b"PURGE-ME-7").unwrap();
        client.send(odd, "/_consent/", &[], "").await;
        let lines = crate::logs::lines(proxy);
        let (servers, clients) = spans(&collector);
        assert_eq!((servers.len(), clients.len()), (2, 1), "our own page asks nobody: {servers:#?} {clients:#?}");
        let (server, client) = (&servers[0], &clients[0]);
        assert_eq!((client.kind, &*server.parent, &client.parent), (3, "", &server.id));
        assert_eq!(
            continued,
            format!("00-{}-{}-01", server.trace, client.id),
            "the site's own span is the child of ours"
        );
        assert_eq!((&server.trace, server.flags), (&client.trace, 1));
        assert!(server.start <= client.start && client.start < client.end && client.end <= server.end);
        let now = consentry::telemetry::now().0 as u64;
        assert!((now - 60..=now).contains(&(server.start / 1_000_000_000)), "{server:?}");
        let of = |span: &Span, name: &str| span.attributes.get(name).cloned().unwrap_or_default();
        for (name, value) in [
            ("http.request.method", "GET"),
            ("url.path", "/a"),
            ("url.scheme", "https"),
            ("server.address", HOST),
            ("network.protocol.version", "2"),
            ("http.response.status_code", "503"),
            ("error.type", "503"),
            ("consentry.site", HOST),
        ] {
            assert_eq!(of(server, name), value, "{name}");
        }
        assert_eq!((of(client, "network.peer.port"), &*server.name), (origin.address.port().to_string(), "GET"));
        assert!(server.failed && client.failed && !servers[1].failed);
        assert!(servers[1].name == "HTTP" && of(&servers[1], "http.request.method") == "_OTHER", "{:?}", servers[1]);
        let seen = collector.seen();
        assert!(seen.iter().all(|seen| !seen.body.windows(6).any(|six| six == b"secret")), "nothing that identifies");
        assert!(seen.iter().all(|seen| seen.header("authorization") == Some("Bearer 1")));
        let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((&line["trace_id"], &line["span_id"]), (&(*server.trace).into(), &(*server.id).into()));
        assert_eq!(line["parent_id"], serde_json::Value::Null);
    });
}

#[test]
fn trusted_proxies_decide_whether_a_request_is_recorded_and_strangers_do_not() {
    block_on(async {
        let unsampled = TRACE.replace("-01", "-00");
        for (trusted, sample, given, recorded) in [
            (true, 0, Some(TRACE), true),
            (true, 1, Some(&*unsampled), false),
            (false, 0, Some(TRACE), false),
            (false, 1, Some(&*unsampled), true),
            (false, 1, None, true),
            (false, 0, None, false),
        ] {
            let case = format!("{trusted} {sample} {given:?}");
            let (origin, collector) = (Origin::fixed(200, &[], "").await, Origin::fixed(200, &[], "").await);
            let trust = if trusted { "\ntrusted_proxies: 127.0.0.1" } else { "" };
            let top = exporting(&collector, &format!(", sample: {sample}")) + trust;
            let proxy = Proxy::builder().top(&top).site(HOST, origin.address, "").start();
            let headers: Vec<_> = given.map(|given| ("traceparent", given)).into_iter().collect();
            Client::h2(&proxy).await.get("/", &headers).await;
            let passed = origin.last().header("traceparent").unwrap().to_owned();
            proxy.join();
            let (servers, clients) = spans(&collector);
            assert_eq!((servers.len(), clients.len()), if recorded { (1, 1) } else { (0, 0) }, "{case}");
            match (given, recorded) {
                (Some(given), true) => {
                    assert_eq!((&servers[0].trace[..], &servers[0].parent[..]), (&given[3..35], &given[36..52]));
                    assert_eq!(passed, format!("{}-{}-01", &given[..35], clients[0].id), "{case}");
                }
                (Some(given), false) => assert_eq!(passed, given, "untouched: {case}"),
                (None, true) => assert!(passed.ends_with("-01"), "{case}: {passed}"),
                (None, false) => assert!(passed.ends_with("-00"), "those behind us need not decide again: {passed}"),
            }
        }
    });
}

#[test]
fn what_a_collector_refuses_is_counted_and_no_request_notices() {
    block_on(async {
        let (origin, collector) = (Origin::fixed(200, &[], "ok").await, Origin::fixed(400, &[], "").await);
        let top = exporting(&collector, "") + "\nadmin: { listen: 127.0.0.1:0 }";
        let proxy = Proxy::builder().top(&top).site(HOST, origin.address, "").start();
        assert_eq!(Client::h2(&proxy).await.get("/", &[]).await.text(), "ok");
        while !admin(&proxy, "/metrics").await.contains("consentry_log_lines_dropped_total{log=\"spans\"} 2\n") {}
        assert_eq!(collector.seen().len(), 1, "what is refused is not sent again");
    });
}

#[test]
fn a_collector_that_hangs_holds_nobody() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "ok").await;
        let hangs = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
        let top = format!("otlp: {{ endpoint: 'http://{}' }}", hangs.address);
        let proxy = Proxy::builder().top(&top).site(HOST, origin.address, "").start();
        let mut client = Client::h2(&proxy).await;
        for _ in 0..100 {
            assert_eq!(client.get("/", &[]).await.text(), "ok");
        }
        hangs.asked().await;
        assert_eq!(client.get("/", &[]).await.text(), "ok");
        let began = Instant::now();
        proxy.join();
        let took = began.elapsed().as_secs();
        assert!((4..9).contains(&took), "it is waited for, but not for long: {took} s");
    });
}
