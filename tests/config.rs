//! Golden configurations and the ones that we ship: which are right, and what is said about the others.
//!
//! `UPDATE_GOLDEN=1` writes what is said now; read the difference before committing it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::fs;
use std::path::{Path, PathBuf};

use consentry::config::{self, CertificateFiles, Config, Problem};
use consentry::policy::{Country, Law, LegalBasis, link_for, translated};

/// 2026-11-22, so that nothing depends on the day of the test.
const NOW: i64 = 1_795_305_600;

/// The YAML files of a folder, which must be as many as the test knows.
fn files(folder: &str, expected: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert_eq!(files.len(), expected, "files in {}: {files:?}", folder.display());
    files
}

/// Checks a file as if its folder were the current one, so that no path of this machine shows.
fn check(path: &Path) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let name = path.file_name().unwrap().to_string_lossy();
    config::parse(&fs::read_to_string(path).unwrap(), &name, path.parent().unwrap(), NOW, CertificateFiles::Skip)
}

fn rendered(problems: &[Problem]) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    problems.iter().map(|problem| problem.render(false) + "\n\n").collect::<String>().replace(root, "ROOT")
}

fn assert_golden(path: &Path, problems: &[Problem]) {
    let said = rendered(problems);
    let golden = path.with_extension("txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &said).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(said == expected, "{}\n--- expected\n{expected}\n--- said\n{said}", golden.display());
}

#[test]
fn valid_configs_are_accepted() {
    for path in files("tests/golden/config/valid", 6) {
        let (_, warnings) = check(&path).unwrap_or_else(|p| panic!("{}:\n{}", path.display(), rendered(&p)));
        if path.with_extension("txt").exists() {
            assert!(!warnings.is_empty());
            assert_golden(&path, &warnings);
        } else {
            assert!(warnings.is_empty(), "{}:\n{}", path.display(), rendered(&warnings));
        }
    }
}

#[test]
fn invalid_configs_are_refused_with_every_mistake() {
    for path in files("tests/golden/config/invalid", 13) {
        match check(&path) {
            Ok(_) => panic!("{} was accepted", path.display()),
            Err(problems) => assert_golden(&path, &problems),
        }
    }
}

#[test]
fn shipped_examples_have_no_problems() {
    for path in files("config/examples", 7).iter().chain(&files("config", 2)) {
        // A policy, which the unit tests read; and those that warn for good reasons, which tests/policies tells.
        if ["standard.yaml", "chatsync.yaml", "mailjet.yaml", "mgs-wa.yaml"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let (config, warnings) = check(path).unwrap_or_else(|p| panic!("{}:\n{}", path.display(), rendered(&p)));
        assert!(warnings.is_empty(), "{}:\n{}", path.display(), rendered(&warnings));
        assert!(!config.sites.is_empty());
    }
}

/// Line and column of mistakes of every kind in one file, written out here so that no update can lose them.
#[test]
fn every_mistake_is_told_where_it_stands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config/invalid/eight-mistakes.yaml");
    let problems = check(&path).unwrap_err();
    let told: Vec<_> = problems.iter().map(|p| (p.line, p.column, &*p.key)).collect();
    assert_eq!(
        told,
        [
            (1, 1, "lisen"),
            (2, 9, "listen"),
            (3, 10, "workers"),
            (4, 19, "timeouts.idle"),
            (6, 11, "log.format"),
            (9, 13, "sites[0].origin"),
            (10, 11, "sites[0].mode"),
            (12, 21, "sites[0].policy.unclassified"),
            (15, 21, "sites[0].policy.services.hotjar.category"),
            (16, 29, "sites[0].policy.services.hotjar.cookies._hjid"),
            (17, 37, "sites[0].policy.sessions.cookies.SID.samesite"),
            (18, 5, "sites[1]"),
            (18, 11, "sites[1].host"),
            (19, 5, "sites[1].host"),
            (20, 13, "sites[1].origin"),
        ]
    );
}

/// The fenced blocks of a language in the README, without the indent of a list.
fn readme_blocks(language: &str) -> Vec<String> {
    let readme = include_str!("../README.md");
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() == format!("```{language}") {
            let indent = line.len() - line.trim_start().len();
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push(block.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect());
        }
    }
    blocks
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

#[test]
fn configurations_of_the_readme_are_right() {
    let blocks = readme_blocks("yaml");
    assert_eq!(blocks.len(), 10, "{blocks:#?}");
    for block in blocks {
        // What is no whole configuration is a part of a policy.
        let whole = if block.starts_with("listen:") {
            block
        } else if block.starts_with("log:") {
            format!("listen: 0.0.0.0:443\nsites: [{{ host: a.example, origin: http://b, policy: standard }}]\n{block}")
        } else {
            let policy = if block.starts_with("policy:") {
                block
            } else if block.starts_with("banner:") || block.starts_with("guard:") {
                format!("policy: standard\n{block}")
            } else {
                format!("policy:\n{}", indented(&block, 2))
            };
            let policy = indented(&policy, 4);
            format!("listen: 0.0.0.0:443\nsites:\n  - host: a.example\n    origin: http://b\n{policy}")
        };
        let checked = config::parse(&whole, "README.md", Path::new(""), NOW, CertificateFiles::Skip);
        let (_, warnings) = checked.unwrap_or_else(|p| panic!("{whole}\n{}", rendered(&p)));
        assert!(warnings.is_empty(), "{whole}\n{}", rendered(&warnings));
    }
}

/// The rows of the README's table with this head, as YAML; and that there is one for each field of `value`.
fn readme_defaults(key: &str, value: &dyn std::fmt::Debug) -> String {
    let table = include_str!("../README.md").lines().skip_while(|line| !line.starts_with(&format!("| `{key}:`")));
    let rows: Vec<String> = table
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| format!("  {name}: {}\n", rest.split(" |").next().unwrap_or_default()))
        .collect();
    let fields = format!("{value:#?}").lines().count() - 2;
    assert_eq!(rows.len(), fields, "{key}: the README has {rows:#?}");
    format!("{key}:\n{}", rows.concat())
}

#[test]
fn defaults_of_the_readme_are_those_of_the_code() {
    let (timeouts, limits) = (config::Timeouts::default(), config::Limits::default());
    let text = format!(
        "listen: 0.0.0.0:443\n{}{}sites: [{{ host: a.example, origin: 'http://b', policy: standard }}]\n",
        readme_defaults("timeouts", &timeouts),
        readme_defaults("limits", &limits)
    );
    let checked = config::parse(&text, "README.md", Path::new(""), NOW, CertificateFiles::Skip);
    let (config, _) = checked.unwrap_or_else(|p| panic!("{text}\n{}", rendered(&p)));
    assert_eq!((config.timeouts, config.limits), (timeouts, limits));
}

/// What differs by language and by region, and what only readers of the published policy see.
#[test]
fn published_parts_reach_the_model() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config/valid/published.yaml");
    let (config, _) = check(&path).unwrap();
    let parts = config.sites[0].policy.parts();
    let country = |text: &str| Country::parse(text.as_bytes());
    assert_eq!((&*parts.language, parts.effective.as_deref()), ("de", Some("2026-02-28")));
    assert_eq!(*parts.domains, [Box::from("shop.example"), Box::from("*.shop.example")]);
    let laws = ["AT", "IS", "GB", "US", "XX"].map(|text| parts.law_in(country(text)));
    // A country counts before the regions that it lies in, wherever it stands.
    assert_eq!(laws, [Law::OptOut, Law::OptIn, Law::OptIn, Law::OptOut, Law::OptIn]);
    let category = &parts.categories[1];
    let label = |language| translated(&category.label, &category.labels, language);
    assert_eq!(["de", "en-GB", "pt-BR", "pt", "fr"].map(label), ["Werbung", "Ads", "Anúncios", "Werbung", "Werbung"]);
    assert_eq!(translated(category.warning.as_deref().unwrap(), &category.warnings, "en"), "Ads will not fit.");
    let service = &parts.services[0];
    assert_eq!(service.legal_basis, Some(LegalBasis::LegitimateInterests));
    assert_eq!(*service.data, [Box::from("IP address"), Box::from("pages visited")]);
    assert_eq!((service.sharing.as_deref(), service.domain.as_deref()), (Some("Partners"), Some("Ads Inc.")));
    assert_eq!(translated(&service.purpose, &service.purposes, "en"), "Shows ads.");
    let opt_out = |text| link_for(service.opt_out.as_deref(), &service.opt_out_by_region, country(text));
    assert_eq!(opt_out("US"), Some("https://us.example/"));
    assert_eq!(opt_out("FR"), Some("https://eu.example/"));
    assert_eq!(opt_out("JP"), Some("https://ads.example/out"));
    let change = &parts.changes[1];
    assert_eq!((change.version, change.date.as_deref()), (2, Some("2026-02-28")));
    assert_eq!(translated(&change.text, &change.texts, "en"), "Ads are new.");
}

/// A wrong path makes a policy of the file beside it.
#[test]
fn no_key_or_secret_is_told_of_a_file_in_the_wrong_place() {
    let folder = tempfile::tempdir().unwrap();
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n".repeat(9);
    let key = ["-----BEGIN ", "PRIVATE KEY-----\n", &body, "-----END ", "PRIVATE KEY-----\n"].concat();
    let config = folder.path().join("c.yaml");
    let site = "listen: 127.0.0.1:0\nsites:\n  - host: a.example\n    origin: http://127.0.0.1:1\n    policy: ";
    for (text, what) in [
        (key.clone(), "private key"),
        (format!("subject=CN = a\n\n{key}"), "private key"),
        (key.replace("PRIVATE KEY", "CERTIFICATE"), "certificate"),
        (body, "expected a mapping, found text"),
    ] {
        fs::write(folder.path().join("shop.key"), text).unwrap();
        fs::write(&config, format!("{site}shop.key\n")).unwrap();
        for path in [config.clone(), folder.path().join("shop.key")] {
            let problems = config::check(&path, NOW, CertificateFiles::Skip).unwrap_err();
            let said = rendered(&problems) + &problems.iter().map(Problem::to_string).collect::<String>();
            assert!(said.contains(what) && said.contains("shop.key") && !said.contains("MII"), "{said}");
        }
    }
    // In the configuration itself.
    let inline = format!("{site}|\n      {}\n", key.trim().replace('\n', "\n      "));
    for text in [format!("{site}\"{}\"\n", key.replace('\n', "\\n")), inline] {
        fs::write(&config, text).unwrap();
        let said = rendered(&config::check(&config, NOW, CertificateFiles::Skip).unwrap_err());
        assert!(said.contains("sites[0].policy") && !said.contains("MII"), "{said}");
    }
}

#[test]
fn folders_that_cannot_be_written_are_told_where_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    fs::write(folder.path().join("file"), "").unwrap();
    for (lines, told) in [
        ("log: { access_file: nowhere/access.log }", Some((5, 21, "log.access_file"))),
        ("log: { access_file: file/access.log }", Some((5, 21, "log.access_file"))),
        ("log: { access_file: '.' }", Some((5, 21, "log.access_file"))),
        ("log: { access: false, access_file: nowhere/access.log }", None),
        ("log: { access_file: access.log }", None),
        ("state: file", Some((5, 8, "state"))),
        ("state: file/state", Some((5, 8, "state"))),
        ("state: new/state", None),
        ("", None),
    ] {
        let site = "host: a.example\n    origin: http://127.0.0.1:1\n    policy: standard";
        fs::write(&path, format!("sites:\n  - {site}\n{lines}\nlisten: 127.0.0.1:0\n")).unwrap();
        let problems = config::check(&path, NOW, CertificateFiles::Read).unwrap_err();
        // The certificate is missing, too.
        assert_eq!(problems.len(), 1 + usize::from(told.is_some()), "{lines}: {problems:?}");
        let found = problems.last().filter(|_| told.is_some());
        assert_eq!(found.map(|found| (found.line, found.column, &*found.key)), told, "{lines}");
        assert!(config::check(&path, NOW, CertificateFiles::Skip).is_ok(), "checked away from the machine");
    }
}
