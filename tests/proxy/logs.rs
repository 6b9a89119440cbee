//! The access log: what a line tells, what the origin is told of the request's name, and what nobody is.

use serde_json::Value;

use crate::support::{Client, HOST, Origin, Proxy, block_on};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The lines that were written once the proxy has ended.
pub(crate) fn lines(proxy: Proxy) -> Vec<String> {
    let file = proxy.folder.path().join("access.log");
    let kept = tempfile::tempdir().unwrap();
    let copy = kept.path().join("access.log");
    std::fs::hard_link(file, &copy).unwrap();
    proxy.join();
    std::fs::read_to_string(copy).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn each_request_is_one_line_without_secrets() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "cart=SECRET"), ("set-cookie", "_ga=SECRET")], "hello").await;
        for shape in ["text", "json", "combined"] {
            let log = format!("{{ access: {shape}, access_file: access.log, level: error }}");
            let proxy = Proxy::builder().log(&log).site(HOST, origin.address, "").start();
            let mut client = Client::h2(&proxy).await;
            let headers = [
                ("cookie", "cart=SECRET; _fbp=SECRET"),
                ("authorization", "Bearer SECRET"),
                ("referer", "https://e.example/x?token=SECRET"),
            ];
            client.get("/a?token=SECRET", &headers).await;
            client.choose("decision=accept-all").await;
            Client::h1(&proxy).await.get("/b", &[("host", "unknown.example")]).await;
            let lines = lines(proxy);
            assert_eq!(lines.len(), 3, "{lines:#?}");
            assert!(!lines.concat().contains("SECRET"), "{lines:#?}");
            assert!(lines[0].contains("/a") && lines[0].contains("200") && lines[2].contains("421"), "{lines:#?}");
            if shape == "json" {
                for line in &lines {
                    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                    assert!(line["time"].as_i64().unwrap() > 0 && line["client"] == "127.0.0.1", "{line}");
                }
            }
        }
    });
}

#[test]
fn requests_are_named_and_trusted_proxies_name_them() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let log = "{ access: json, access_file: access.log, level: error, fields: [request_id, client, peer, trace_id, \
                   parent_id, query, site, added_us] }";
        for (trusted, given, kept) in [
            (true, Some("abc-1"), true),
            (true, Some("a b"), false),
            (true, None, false),
            (false, Some("abc-1"), false),
        ] {
            let builder = Proxy::builder().log(log).site(HOST, origin.address, "");
            let builder = if trusted { builder.top("trusted_proxies: 127.0.0.1") } else { builder };
            let proxy = builder.start();
            let mut headers = vec![("traceparent", TRACE), ("tracestate", "a=1"), ("x-forwarded-for", "192.0.2.7")];
            headers.extend(given.map(|id| ("x-request-id", id)));
            let mut client = Client::h2(&proxy).await;
            client.get("/?q=1", &headers).await;
            let first = origin.last();
            let id = first.header("x-request-id").unwrap().to_owned();
            assert_eq!(id == "abc-1", kept, "{trusted} {given:?}: {id}");
            assert_eq!((first.header("traceparent"), first.header("tracestate")), (Some(TRACE), Some("a=1")));
            client.get("/", &[("traceparent", "00-what-is-this"), ("tracestate", "a=1")]).await;
            let second = origin.last();
            assert_ne!(second.header("x-request-id"), Some(&*id), "each has its own");
            assert_eq!((second.header("traceparent"), second.header("tracestate")), (None, None));

            let lines: Vec<Value> = lines(proxy).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(lines[0]["request_id"], id);
            assert_eq!(lines[0]["client"], if trusted { "192.0.2.7" } else { "127.0.0.1" });
            assert_eq!((&lines[0]["peer"], &lines[0]["site"]), (&"127.0.0.1".into(), &HOST.into()));
            assert_eq!(lines[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
            assert_eq!((&lines[0]["parent_id"], &lines[1]["parent_id"]), (&"b7ad6b7169203331".into(), &Value::Null));
            assert_eq!(lines[0]["query"], "q=1", "where it is asked for");
        }
    });
}

#[test]
fn without_being_asked_requests_keep_the_names_that_they_have() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        client.get("/", &[]).await;
        assert_eq!(origin.last().header("x-request-id"), None);
        client.get("/", &[("x-request-id", "theirs")]).await;
        assert_eq!(origin.last().header("x-request-id"), Some("theirs"), "an ordinary header");
        let proxy = Proxy::builder().log("{ access: false, level: error, request_id: true }");
        let proxy = proxy.site(HOST, origin.address, "").start();
        Client::h2(&proxy).await.get("/", &[]).await;
        assert_eq!(origin.last().header("x-request-id").unwrap().len(), 32);
    });
}
