//! `consentry rewrite`: the built program, given pages.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use assert_cmd::Command;
use serde_json::{Value, json};

const CONFIG: &str = "\
listen: 127.0.0.1:0
limits: { html_memory: 64 KiB }
sites:
  - host: shop.example
    origin: http://127.0.0.1:8080
    policy:
      categories:
        essential: { required: true }
        statistics: { label: Statistics }
        ads: { catalogue: [marketing] }
      services:
        counter:
          category: statistics
          hosts: [count.example/c.js]
          inline: ['counter(']
  - host: passing.example
    origin: http://127.0.0.1:8080
    on_rewrite_error: pass
    policy: standard
";

const PAGE: &str = "<!doctype html><base href=/deep/><script src=//count.example/c.js></script>\
<script>counter('x')</script><img src=https://www.facebook.com/tr?id=1><p>t\u{e9}a</p>";

/// What it writes to standard output and standard error, and its exit code.
fn rewrite(args: &[&str], page: &[u8]) -> (Vec<u8>, String, i32) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.yaml"), CONFIG).unwrap();
    let mut command = Command::cargo_bin("consentry").unwrap();
    let command = command.current_dir(folder.path()).args(["rewrite", "--config", "c.yaml"]).args(args);
    let output = command.write_stdin(page).output().unwrap();
    (output.stdout, String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}

#[test]
fn page_leaves_as_the_visitor_would_get_it_and_the_report_says_why() {
    let (out, report, code) = rewrite(&["--site", "shop.example"], PAGE.as_bytes());
    assert_eq!(
        (String::from_utf8(out).unwrap(), code),
        ("<!doctype html><base href=/deep/><script></script><p>t\u{e9}a</p>".to_owned(), 0,)
    );
    for line in [
        "count.example\n  stripped: `statistics` is not granted\n",
        "belongs to   counter (`counter`), category `statistics`",
        "rule         c.yaml:14: count.example/c.js",
        "rule         c.yaml:15: counter(",
        "www.facebook.com\n  stripped: `ads` is not granted\n",
        "rule         catalogue/",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    let (out, report, code) = rewrite(&["--site", "shop.example", "--grant", "all"], PAGE.as_bytes());
    assert_eq!((&*out, &*report, code), (PAGE.as_bytes(), "nothing was removed\n", 0));
}

#[test]
fn json_has_the_keys_of_explain() {
    let args = ["--site", "shop.example", "--grant", "ads", "--json"];
    let (out, report, code) = rewrite(&args, PAGE.as_bytes());
    assert!(String::from_utf8(out).unwrap().contains("facebook"));
    assert_eq!(code, 0);
    let found: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        found[0],
        json!({
            "input": "count.example", "kind": "tag", "action": "strip", "output": null, "name": "count.example",
            "service": "counter", "category": "statistics",
            "rule": { "file": "c.yaml", "line": 14, "text": "count.example/c.js" },
            "because": "`statistics` is not granted",
        })
    );
    assert_eq!((&found[1]["kind"], &found[1]["input"]), (&json!("snippet"), &json!("counter(")));
    assert_eq!(found.len(), 2);
}

#[test]
fn address_type_and_bytes_decide_as_in_the_proxy() {
    let relative = b"<script src=c.js></script>";
    for (args, page, left) in [
        (&["--url", "https://count.example/x"][..], &relative[..], &b""[..]),
        (&["--url", "/a/b"], relative, relative),
        (&["--content-type", "text/plain"], PAGE.as_bytes(), PAGE.as_bytes()),
        (&[], b"{\"src\":\"//count.example/c.js\"}", b"{\"src\":\"//count.example/c.js\"}"),
        (&["--content-type", "application/xhtml+xml"], b"<script src='//count.example/c.js'/><p/>", b"<p/>"),
        (
            &["--content-type", "text/html; charset=windows-1252"],
            b"\xe9<script src=//count.example/c.js></script>",
            b"\xe9",
        ),
        (&[], b"", b""),
    ] {
        let (out, report, code) = rewrite(&[&["--site", "shop.example"], args].concat(), page);
        assert_eq!((String::from_utf8_lossy(&out), code), (String::from_utf8_lossy(left), 0), "{args:?}: {report}");
    }
}

#[test]
fn what_is_wrong_is_one_sentence() {
    for (args, code, said) in [
        (&["--site", "nowhere.example"][..], 2, "no site has the host `nowhere.example`"),
        (&["--site", "shop.example", "--grant", "statistic"], 2, "the policy has no category or service `statistic`"),
        (&["--site", "shop.example", "--url", "ftp://x"], 2, "--url: `ftp://x` is no web address"),
    ] {
        let (out, report, found) = rewrite(args, PAGE.as_bytes());
        assert_eq!((found, &*out), (code, &b""[..]), "{report}");
        assert!(report.contains(said), "{said} in {report}");
    }
    let huge = format!("<p>before<img alt='{}'><script src=//count.example/c.js></script>after", "x".repeat(100_000));
    let (out, report, code) = rewrite(&["--site", "shop.example"], huge.as_bytes());
    assert_eq!((&*out, code), (&b"<p>before"[..], 1), "{report}");
    assert!(report.ends_with("consentry: the page is cut here, as the proxy would cut it: a tag or the open elements need more than the memory limit\n"), "{report}");
    let (out, report, code) = rewrite(&["--site", "passing.example"], huge.as_bytes());
    assert_eq!((&*out, code), (huge.as_bytes(), 0), "{report}");
    assert!(report.contains("warning: the rest of the page passes unfiltered"), "{report}");
}
