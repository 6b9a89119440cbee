use std::path::Path;

use super::*;
use crate::config::{self, CertificateFiles, Config};
use crate::cookie::{SetCookie, UnixTime};
use crate::policy::{FindingAction, Sighting, Witness as _};
use crate::telemetry::findings::{Book, Findings, Scene};

const NOW: UnixTime = UnixTime(1_800_000_000);

const CONFIG: &str = "
listen: 0.0.0.0:443
sites:
  - host: a.example
    origin: http://b
    policy:
      version: 1
      categories: { necessary: {}, analytics: {}, marketing: {} }
      services:
        counter: { category: analytics, cookies: { _c: 30 days, _c_*: 1 year }, hosts: ['*.counter.example'] }
        google-analytics: { uses: google-analytics }
        widget: { category: marketing, hosts: [widget.example] }
        idle: { category: marketing, hosts: [idle.example] }
      cookies:
        cart: { category: necessary }
        _fbp: { category: necessary }
        lang: { category: necessary, lifetime: 1 year }
      sessions: { cookies: { SID: {} } }
";

fn config() -> Config {
    config::parse(CONFIG, "test.yaml", Path::new(""), 0, CertificateFiles::Skip).unwrap().0
}

/// Tells of lines and tags as the filters do.
fn drift_of(lines: &[&str], tags: &[&str], left_behind: bool) -> Vec<(Kind, Cow<'static, str>, Box<str>)> {
    all(lines, tags, left_behind).into_iter().map(|drift| (drift.drift, drift.kind, drift.name)).collect()
}

fn all(lines: &[&str], tags: &[&str], left_behind: bool) -> Vec<Drift> {
    let config = config();
    let policy = &config.sites[0].policy;
    let findings = std::sync::Arc::new(Findings::default());
    let mut looking = findings.look(Scene { site: "a.example", policy, page: "/p", applied: true, now: NOW });
    for line in lines {
        let cookie = SetCookie::parse(line.as_bytes());
        let verdict = policy.judge_cookie(&crate::policy::Grant::none(), cookie.name());
        let owner = verdict.classified.map(|found| found.owner);
        let seen = Sighting::new(FindingKind::Cookie, cookie.name(), owner, verdict.rule, FindingAction::Keep);
        looking.see(&Sighting { line: Some(&cookie), left_behind, ..seen });
    }
    for host in tags {
        let url = url::Url::parse(&format!("https://{host}/")).unwrap();
        let found = policy.tag(&url);
        let (owner, rule) = (found.map(|found| found.owner), found.map(|found| found.rule));
        looking.see(&Sighting::new(FindingKind::Tag, host.as_bytes(), owner, rule, FindingAction::Keep));
    }
    drop(looking);
    let folder = tempfile::tempdir().unwrap();
    let report = Book::open(folder.path().join("findings.json"), vec![findings]).report();
    drift("a.example", policy, &report.rows)
}

const ALL: [&str; 8] =
    ["_c=1", "_c_1=1", "_ga=1", "cart=1", "lang=1", "SID=1; Secure; HttpOnly; SameSite=Strict", "cart=2", "lang=2"];
const TAGS: [&str; 2] = ["widget.example", "idle.example"];

#[test]
fn a_policy_that_tells_all_has_no_drift_but_its_tracker() {
    let lines: Vec<_> = ALL.into_iter().chain(["_fbp=1"]).collect();
    let drift = drift_of(&lines, &TAGS, false);
    assert_eq!(drift, [(Kind::TrackerInNecessary, "cookie".into(), "_fbp".into())]);
}

#[test]
fn what_was_never_seen_is_told_by_its_pattern() {
    let drift = drift_of(&["_c_77=1", "cart=1", "_fbp=1"], &["widget.example"], false);
    let never: Vec<_> = drift.iter().filter(|d| d.0 == Kind::NeverSeen).map(|d| (&*d.1, &*d.2)).collect();
    assert_eq!(never, [("cookie", "_c"), ("cookie", "lang"), ("service", "google-analytics"), ("service", "idle")]);
}

#[test]
fn what_is_not_declared_is_told_with_what_is_known_of_it() {
    let drift =
        all(&["mystery=1", "_hjid=1", "PHPSESSID=1; Secure; HttpOnly; SameSite=Strict"], &["cdn.other.example"], false);
    let undeclared: Vec<_> = drift.iter().filter(|d| d.drift == Kind::Undeclared).collect();
    let names: Vec<_> = undeclared.iter().map(|d| (&*d.kind, &*d.name)).collect();
    assert_eq!(
        names,
        [("cookie", "PHPSESSID"), ("cookie", "_hjid"), ("cookie", "mystery"), ("tag", "cdn.other.example")]
    );
    assert!(undeclared[0].text.contains("session cookie"), "{undeclared:#?}");
    assert!(
        undeclared[1].text.contains("Hotjar") && undeclared[1].paste.as_deref().unwrap().contains("uses: \"hotjar\"")
    );
    assert!(undeclared[2].text.contains("seen once, on /p; nobody knows it"), "{undeclared:#?}");
    assert!(undeclared[2].paste.as_deref().unwrap().contains("\"mystery\""));
}

#[test]
fn longer_lives_and_missing_flags_are_told() {
    let lines =
        ["_c=1; Max-Age=2592000", "_c_1=1; Max-Age=99999999", "lang=1; SameSite=None", "SID=1; HttpOnly", "SID=2"];
    let drift = all(&lines, &[], false);
    let told: Vec<_> = drift
        .iter()
        .filter(|d| [Kind::Longer, Kind::MissingFlags].contains(&d.drift))
        .map(|d| (d.drift, &*d.name, &*d.text))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::Longer, "_c_1", "the origin sets it for 99999999 seconds, the policy says 1 year"),
            (
                Kind::MissingFlags,
                "SID",
                "the origin sets it without HttpOnly (1 of 2 lines), Secure (2 of 2 lines), SameSite=Strict (2 of 2 lines)"
            ),
            (
                Kind::MissingFlags,
                "lang",
                "the origin sets it with SameSite=None and without Secure, once: browsers refuse it"
            ),
        ]
    );
}

#[test]
fn a_strict_cookie_set_across_sites_is_a_risk() {
    let line = "SID=1; Secure; HttpOnly; SameSite=Strict";
    let risk = (Kind::StrictRisk, Cow::from("cookie"), Box::from("SID"));
    assert!(drift_of(&[line], &[], true).contains(&risk));
    assert!(!drift_of(&[line], &[], false).contains(&risk));
}
