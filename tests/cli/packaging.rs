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
    // As the sidecar's comments say, with the site in the same network.
    let text = fs::read_to_string("config/deploy/kubernetes/consentry.yaml").unwrap();
    let (folder, origin) = (tempfile::tempdir().unwrap(), "http://shop.default.svc.cluster.local:8080 ");
    assert!(text.contains(origin));
    let file = folder.path().join("consentry.yaml");
    fs::write(&file, text.replace(origin, "http://127.0.0.1:8080 ")).unwrap();
    let (code, out, err) = run(&["check", "--no-certificates", "--config", file.to_str().unwrap()]);
    assert_eq!((code, &*err), (0, ""), "{out}");
}

/// What is built is what is run, and each port that we listen on is one of the container's.
#[test]
fn manifests_name_the_image_that_is_built_and_its_ports() {
    let image = format!("consentry:{}", env!("CARGO_PKG_VERSION"));
    let read = |name: &str| fs::read_to_string(Path::new("config/deploy").join(name)).unwrap();
    assert!(read("container/Containerfile").contains(&format!("build -t {image} ")));
    let config = read("kubernetes/consentry.yaml");
    for manifest in ["kubernetes/front.yaml", "kubernetes/sidecar.yaml"].map(read) {
        assert!(manifest.contains(&format!("image: {image}\n")));
        for port in ["8443", "8081", "9464"] {
            assert!(
                config.contains(&format!(" 0.0.0.0:{port}")) && manifest.contains(&format!("containerPort: {port} "))
            );
        }
    }
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
