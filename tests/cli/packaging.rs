//! What is shipped beside the program: manual pages, completions, and files of systemd, Debian and containers.

use std::fs;
use std::path::Path;

use crate::run;

#[test]
fn manual_pages_and_completions_know_every_command() {
    let (code, page, _) = run(&["man"]);
    assert_eq!(code, 0);
    assert!(page.contains(".TH consentry 1"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", folder.path().to_str().unwrap()]).0, 0);
    for command in ["serve", "check", "explain", "receipts", "policy"] {
        assert!(page.contains(&format!("consentry\\-{command}(1)")), "{command} in {page}");
        let page = fs::read_to_string(folder.path().join(format!("consentry-{command}.1"))).unwrap();
        assert!(page.contains(".TH"), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completions", shell]);
        assert!(code == 0 && script.contains("receipts"), "{shell}: {script}");
    }
}

#[test]
fn shipped_configuration_of_kubernetes_is_right() {
    let (code, out, err) = run(&["check", "--no-certificates", "--config", "config/deploy/kubernetes/consentry.yaml"]);
    assert_eq!((code, &*err), (0, ""), "{out}");
}

/// The files exist that the package is made of, and those that packaging makes are made by its one script.
#[test]
fn package_is_made_of_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let assets = manifest.split_once("assets = [").unwrap().1.split_once("\n]").unwrap().0;
    let mut seen = 0;
    for line in assets.lines().filter(|line| line.trim_start().starts_with('[')) {
        let source = line.split('"').nth(1).unwrap();
        seen += 1;
        assert!(source.starts_with("target/") || root.join(source).exists(), "{source} is not there");
    }
    assert!(seen >= 8, "{seen} assets");
}
