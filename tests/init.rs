//! `consentry init`: what a newcomer gets, and that it never takes away what is there.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

fn consentry(folder: &Path, args: &[&str]) -> (String, String, i32) {
    let output = Command::cargo_bin("consentry").unwrap().current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

#[test]
fn what_is_written_is_right_and_only_observes() {
    let folder = tempfile::tempdir().unwrap();
    for (host, file) in [("tea.example", "consentry.yaml"), ("*.tea.example", "etc/wild.yaml")] {
        let (stdout, stderr, code) =
            consentry(folder.path(), &["init", "--host", host, "--origin", "https://10.0.0.7:8443", file]);
        assert_eq!((&*stderr, code), ("", 0));
        for step in ["consentry check", "consentry serve", "openssl req", "certs/tea.example.pem", "mode: enforce"] {
            assert!(stdout.contains(step), "{step} is not in\n{stdout}");
        }
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(text.lines().count() <= 20 && text.contains("mode: observe"), "{text}");
        let (stdout, stderr, code) = consentry(folder.path(), &["check", "--config", file, "--no-certificates"]);
        assert_eq!((code, &*stderr), (0, ""), "{stdout}");
        // All that is missing is the certificate.
        let (_, stderr, code) = consentry(folder.path(), &["check", "--short", "--config", file]);
        assert_eq!((code, stderr.lines().count()), (2, 1), "{stderr}");
        assert!(stderr.contains("certs/tea.example.pem"), "{stderr}");
    }
}

#[test]
fn file_that_is_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("consentry.yaml");
    fs::write(&file, "mine").unwrap();
    let (stdout, stderr, code) = consentry(folder.path(), &["init"]);
    assert_eq!((&*stdout, code), ("", 1));
    assert!(stderr.contains("--force"), "{stderr}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(consentry(folder.path(), &["init", "--force"]).2, 0);
    assert!(fs::read_to_string(&file).unwrap().contains("sites:"));
}

#[test]
fn nonsense_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    for args in [["--host", "https://tea.example/"], ["--host", "tea:\n  x"], ["--origin", "tea"], ["--host", "a # b"]]
    {
        let (_, stderr, code) = consentry(folder.path(), &["init", args[0], args[1]]);
        assert_eq!(code, 2, "{args:?}");
        assert!(stderr.contains("error"), "{stderr}");
        assert!(!folder.path().join("consentry.yaml").exists());
    }
}
