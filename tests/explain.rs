//! `consentry explain`: the built program, asked about cookies and URLs.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use assert_cmd::Command;
use serde_json::Value;

const CONFIG: &str = "\
listen: 127.0.0.1:0
sites:
  - host: [shop.example, \"*.shop.example\"]
    origin: http://127.0.0.1:8080
    policy:
      categories:
        essential: { required: true, catalogue: [necessary] }
        statistics: { catalogue: [analytics], lifetime: 30 days }
        ads: { catalogue: [marketing] }
      services:
        counter:
          category: statistics
          cookies: { _count: 1 day, \"_count_*\": }
          hosts: [count.example/c.js]
        meta: { uses: meta-pixel }
      cookies:
        lang: { category: essential, lifetime: 1 year }
      sessions:
        cookies:
          SID: { same_site: lax }
          token: keep
  - host: other.example
    origin: http://127.0.0.1:8080
    policy: standard
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.yaml"), config).unwrap();
        Self(folder)
    }

    fn explain(&self, args: &[&str], stdin: &str) -> (String, String, i32) {
        let mut command = Command::cargo_bin("consentry").unwrap();
        let output = command
            .current_dir(self.0.path())
            .args(["explain", "--config", "c.yaml"])
            .args(args)
            .write_stdin(stdin)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code().unwrap())
    }

    /// The objects that `--json` prints.
    fn json(&self, args: &[&str], stdin: &str) -> Vec<Value> {
        let args: Vec<_> = ["--json", "--site", "shop.example"].iter().chain(args).copied().collect();
        let (stdout, stderr, code) = self.explain(&args, stdin);
        assert_eq!((code, &*stderr), (0, ""), "{args:?}");
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn each_input_is_judged_as_the_proxy_judges_it() {
    let folder = Folder::new(CONFIG);
    for (grant, input, action, output, service, category, rule) in [
        ("none", "Set-Cookie: _count=1", "\"strip\"", None, "counter", "statistics", "c.yaml:13:_count: 1 day"),
        (
            "statistics",
            "Set-Cookie: _count=1",
            "\"keep\"",
            Some("Set-Cookie: _count=1"),
            "counter",
            "statistics",
            "c.yaml:13:_count: 1 day",
        ),
        (
            "counter",
            "set-cookie:_count=1; max-age=99999",
            "\"cap\"",
            Some("set-cookie:_count=1; max-age=86400"),
            "counter",
            "statistics",
            "c.yaml:13:_count: 1 day",
        ),
        (
            "all",
            "Set-Cookie: _count_a=1; Max-Age=99999999",
            "\"cap\"",
            Some("Set-Cookie: _count_a=1; Max-Age=2592000"),
            "counter",
            "statistics",
            "c.yaml:13:_count_*",
        ),
        (
            "none",
            "Set-Cookie: SID=1; Path=/",
            "\"harden\"",
            Some("Set-Cookie: SID=1; Path=/; HttpOnly; Secure; SameSite=Lax"),
            "",
            "essential",
            "c.yaml:20:SID: { same_site: lax }",
        ),
        (
            "none",
            "Set-Cookie: token=1",
            "\"keep\"",
            Some("Set-Cookie: token=1"),
            "",
            "essential",
            "c.yaml:21:token: keep",
        ),
        ("none", "Set-Cookie: zzz=1", "\"strip\"", None, "", "", ""),
        ("none", "Set-Cookie: zzz=; Max-Age=0", "\"keep\"", Some("Set-Cookie: zzz=; Max-Age=0"), "", "", ""),
        (
            "none",
            "https://count.example/c.js?x",
            "\"strip\"",
            None,
            "counter",
            "statistics",
            "c.yaml:14:count.example/c.js",
        ),
        (
            "statistics",
            "//count.example/c.js",
            "\"keep\"",
            Some("https://count.example/c.js"),
            "counter",
            "statistics",
            "c.yaml:14:count.example/c.js",
        ),
        ("none", "/local.js", "\"keep\"", Some("https://shop.example/local.js"), "", "", ""),
        (
            "none",
            "Cookie: _count=1",
            "[\"strip\",\"expire\"]",
            None,
            "counter",
            "statistics",
            "c.yaml:13:_count: 1 day",
        ),
    ] {
        let answers = folder.json(&["--grant", grant, input], "");
        let [answer] = &answers[..] else { panic!("{answers:?}") };
        assert_eq!(answer["input"], input);
        assert_eq!(answer["action"].to_string(), action, "{answer}");
        assert_eq!(answer["output"].as_str(), output, "{answer}");
        assert_eq!(answer["service"].as_str().unwrap_or_default(), service, "{answer}");
        assert_eq!(answer["category"].as_str().unwrap_or_default(), category, "{answer}");
        let source = &answer["rule"];
        let said = match source {
            Value::Null => String::new(),
            _ => {
                format!("{}:{}:{}", source["file"].as_str().unwrap(), source["line"], source["text"].as_str().unwrap())
            }
        };
        assert_eq!(said, rule, "{answer}");
    }
}

#[test]
fn services_of_the_catalogue_are_named_whether_declared_or_not() {
    let folder = Folder::new(CONFIG);
    let answers = folder.json(&["--grant", "statistics", "Set-Cookie: _ga=1", "Set-Cookie: _fbp=1"], "");
    assert_eq!(answers[0]["service"], "google-analytics");
    assert_eq!((&answers[0]["category"], &answers[0]["action"]), (&"statistics".into(), &"keep".into()));
    assert_eq!(answers[0]["rule"]["file"], "catalogue/analytics.yaml");
    // Declared with `uses`, it has the site's key.
    assert_eq!((&answers[1]["service"], &answers[1]["category"]), (&"meta".into(), &"ads".into()));
    // `functional` is in no category of this policy.
    let answers = folder.json(&["--grant", "all", "https://www.youtube.com/embed/x"], "");
    assert_eq!((&answers[0]["service"], &answers[0]["category"]), (&"youtube".into(), &Value::Null));
    assert_eq!(answers[0]["action"], "strip");
}

#[test]
fn session_that_lives_too_long_is_hardened_and_shortened() {
    let folder =
        Folder::new(&CONFIG.replace("essential: { required: true,", "essential: { lifetime: 1 hour, required: true,"));
    let answers = folder.json(&["Set-Cookie: SID=1; Max-Age=9999"], "");
    assert_eq!(answers[0]["action"].to_string(), "[\"harden\",\"cap\"]");
    assert_eq!(answers[0]["output"], "Set-Cookie: SID=1; Max-Age=3600; HttpOnly; Secure; SameSite=Lax");
    let answers = folder.json(&["Set-Cookie: SID=1; Max-Age=9999; HttpOnly; Secure; SameSite=Lax"], "");
    assert_eq!(answers[0]["action"], "cap");
}

#[test]
fn http_only_goes_where_the_policy_says_that_scripts_read_the_cookie() {
    let folder = Folder::new(&CONFIG.replace("token: keep", "csrf: { http_only: false }"));
    for (line, expected, because) in [
        ("csrf=1; HttpOnly; Path=/", "csrf=1; Path=/; Secure; SameSite=Strict", "loses `HttpOnly`"),
        // A rule of the catalogue, which knows no site: what the origin set stays.
        ("csrftoken=1; HttpOnly", "csrftoken=1; HttpOnly; Secure; SameSite=Strict", "gets Secure, SameSite=Strict"),
    ] {
        let answer = folder.json(&[&format!("Set-Cookie: {line}")], "").remove(0);
        assert_eq!(answer["output"], format!("Set-Cookie: {expected}"));
        assert!(answer["because"].as_str().unwrap().ends_with(because), "{answer}");
    }
}

#[test]
fn cookie_line_has_an_answer_for_each_cookie() {
    let folder = Folder::new(CONFIG);
    let answers = folder.json(&["Cookie: lang=en; _count=1;SID=2; __Host-consentry=x"], "");
    let seen: Vec<_> = answers.iter().map(|a| (a["name"].as_str().unwrap(), a["action"].as_str().unwrap())).collect();
    // Before any choice nothing has been refused, so that nothing is expired.
    assert_eq!(seen, [("lang", "keep"), ("_count", "strip"), ("SID", "keep"), ("__Host-consentry", "strip")]);
    assert!(answers.iter().all(|answer| answer["output"] == "Cookie: lang=en; SID=2"), "{answers:?}");
}

#[test]
fn standard_input_has_one_question_a_line() {
    let folder = Folder::new(CONFIG);
    let questions: String = (0..300).map(|n| format!("Set-Cookie: _count_{n}=1\r\n")).collect();
    let answers = folder.json(&["-"], &format!("\n{questions}https://count.example/c.js"));
    assert_eq!(answers.len(), 301);
    assert_eq!(answers[299]["name"], "_count_299");
    assert_eq!(answers[300]["kind"], "url");
    let (stdout, stderr, code) = folder.explain(&["--site", "shop.example", "--json", "-"], "what\n/x\n");
    assert_eq!((stdout.lines().count(), code), (1, 2), "one bad line does not hide the others");
    assert!(stderr.contains("what: write `Set-Cookie"), "{stderr}");
}

#[test]
fn words_say_what_why_and_where() {
    let folder = Folder::new(CONFIG);
    let (stdout, _, code) = folder.explain(&["--site", "www.shop.example", "Set-Cookie: _count=1"], "");
    let expected = "\
Set-Cookie: _count=1
  stripped: `statistics` is not granted
  belongs to   counter (`counter`), category `statistics`
  rule         c.yaml:13: _count: 1 day
";
    assert_eq!((&*stdout, code), (expected, 0));
    let (stdout, ..) = folder.explain(&["--site", "shop.example", "-"], "Set-Cookie: a\u{9b}31m=1\n");
    assert!(!stdout.contains('\u{9b}'), "no control character reaches the terminal");
}

#[test]
fn what_is_misspelt_is_told() {
    let folder = Folder::new(CONFIG);
    for (args, said) in [
        (&["--site", "shp.example", "/x"][..], "did you mean \"shop.example\"?"),
        (&["/x"], "name one of the 2 sites"),
        (&["--site", "shop.example", "--grant", "statistic", "/x"], "did you mean \"statistics\"?"),
        (&["--site", "shop.example", "--grant", "ads,countr", "/x"], "did you mean \"counter\"?"),
        (&["--site", "shop.example", "--grant", "hotjar", "/x"], "grant its category"),
        (&["--site", "shop.example", "_ga=1"], "write `Set-Cookie"),
    ] {
        let (stdout, stderr, code) = folder.explain(args, "");
        assert_eq!((&*stdout, code), ("", 2), "{args:?}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    let wrong = Folder(tempfile::tempdir().unwrap());
    assert_eq!(wrong.explain(&["/x"], "").2, 2, "no such file");
}

#[test]
fn observing_site_is_explained_as_if_it_enforced() {
    let folder = Folder::new(&CONFIG.replace("    policy:\n", "    mode: observe\n    policy:\n"));
    let (stdout, stderr, code) = folder.explain(&["--site", "shop.example", "Set-Cookie: _count=1"], "");
    assert!(stdout.contains("stripped") && stderr.contains("mode `observe`"), "{stdout}{stderr}");
    assert_eq!(code, 0);
}
