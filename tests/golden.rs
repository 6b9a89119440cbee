//! Golden pages: `tests/golden/html/NAME/{page.html,policy.yaml,expected.html}`, read whole, byte by byte and cut
//! at random places, by a visitor who granted nothing (or what the first line of `policy.yaml` says).
//!
//! A new case is a new folder and a higher number below. `UPDATE_GOLDEN=1` writes what comes out now; read the
//! difference before committing it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::html::{Gating, Insertions, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::{Grant, Policy};
use url::Url;

/// How many folders there are, so that none is passed over.
const CASES: usize = 24;

#[test]
fn pages_leave_as_expected_however_they_are_cut() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/html");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert_eq!(cases.len(), CASES, "{cases:?}");
    let wrong: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Says what is wrong with a case, both sides shown.
fn check(case: &Path) -> Result<(), String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let page = fs::read(case.join("page.html")).unwrap();
    let yaml = fs::read_to_string(case.join("policy.yaml")).unwrap();
    let settings = settings(&yaml, &name);
    let (whole, changed) = rewrite(&settings, std::iter::once(&page[..]));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(case.join("expected.html"), &whole).unwrap();
    }
    let expected = fs::read(case.join("expected.html")).unwrap_or_default();
    let differs = |how: &str, came: &[u8]| {
        let (expected, came) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(came));
        Err(format!("{name}, {how}\n--- expected\n{expected}\n--- came\n{came}"))
    };
    if whole != expected {
        return differs("whole", &whole);
    }
    if changed != (whole != page) {
        return differs(&format!("changed() says {changed}"), &whole);
    }
    let (bytewise, _) = rewrite(&settings, page.chunks(1));
    if bytewise != expected {
        return differs("byte by byte", &bytewise);
    }
    for seed in 1..=16 {
        let (cut, _) = rewrite(&settings, cuts(&page, seed).into_iter());
        if cut != expected {
            return differs(&format!("cut with seed {seed}"), &cut);
        }
    }
    let everything = Settings { grant: granted(&settings.policy, &ALL), ..settings };
    match rewrite(&everything, page.chunks(7)) {
        (same, false) if same == page => Ok(()),
        (came, _) => differs("everything granted (expected: the page as it came)", &came),
    }
}

const ALL: [&str; 4] = ["necessary", "functional", "analytics", "marketing"];

/// A site with the case's policy. `# grant: analytics` on top grants a category.
fn settings(yaml: &str, name: &str) -> Settings {
    let indented: String = yaml.lines().map(|line| format!("      {line}\n")).collect();
    let text = format!(
        "listen: 127.0.0.1:0\nsites:\n  - host: shop.example\n    origin: http://127.0.0.1:1\n    policy:\n{indented}"
    );
    let (config, _) = config::parse(&text, name, Path::new(""), 0, CertificateFiles::Skip)
        .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
    let policy = Arc::clone(&config.sites[0].policy);
    let words = yaml.lines().next().and_then(|line| line.strip_prefix("# grant:")).unwrap_or_default();
    let granting: Vec<&str> = words.split_whitespace().collect();
    Settings {
        grant: granted(&policy, &granting),
        policy,
        url: Url::parse("https://shop.example/tea/green.html?x=1").unwrap(),
        charset: None,
        limits: Limits::default(),
        on_error: OnError::Abort,
        preferences: "/_consent/".into(),
        csp: Default::default(),
        speech: Speech::default(),
        asks: true,
        insert: Insertions::default(),
        gating: Gating::Remove,
        xml: false,
    }
}

fn granted(policy: &Policy, categories: &[&str]) -> Grant {
    let mut grant = Grant::none();
    for key in ["necessary"].iter().chain(categories) {
        grant.grant_category(policy.category_named(key).unwrap());
    }
    grant
}

fn rewrite<'a>(settings: &Settings, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, bool) {
    let mut rewriter = Rewriter::new(settings.clone());
    let mut out = Vec::new();
    for piece in pieces {
        rewriter.write(piece, &mut out).unwrap();
    }
    rewriter.end(&mut out).unwrap();
    (out, rewriter.changed())
}

/// The page in pieces of 0 to 40 bytes.
fn cuts(page: &[u8], seed: u64) -> Vec<&[u8]> {
    // xorshift: the same cuts on every machine.
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (mut rest, mut pieces) = (page, Vec::new());
    while !rest.is_empty() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (piece, later) = rest.split_at((state % 41) as usize % (rest.len() + 1));
        pieces.push(piece);
        rest = later;
    }
    pieces
}
