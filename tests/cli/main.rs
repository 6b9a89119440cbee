//! The built program: what it prints, its exit codes, and what it does on signals.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

mod load;
mod packaging;
mod program;
mod reload;
mod scan;
mod soak;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assert_cmd::Command;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use program::{Program, fetch};
use support::{Authority, Origin, RawOrigin, Step, block_on};

/// Three mistakes on three lines.
const WRONG: &str = "lisen: 127.0.0.1:0\nsites:\n  - host: shop.example\n    origin: 127.0.0.1\n    mode: enforced\n";

fn consentry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Exit code, standard output and standard error.
pub(crate) fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = consentry(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn wrong() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("consentry.yaml");
    fs::write(&file, WRONG).unwrap();
    (folder, file.to_str().unwrap().to_owned())
}

/// A site before this origin, with a certificate; gives the file and whom to trust.
pub(crate) fn right(folder: &Path, origin: std::net::SocketAddr) -> (String, RootCertStore) {
    let authority = Authority::new();
    authority.issue(folder, "site", &["shop.example"]);
    let file = folder.join("consentry.yaml");
    let text = format!(
        "listen: 127.0.0.1:0\ncertificate: site.pem\nworkers: 1\nsites:\n  \
         - {{ host: shop.example, origin: 'http://{origin}', policy: standard }}\n"
    );
    fs::write(&file, text).unwrap();
    (file.to_str().unwrap().to_owned(), authority.roots())
}

#[test]
fn check_tells_every_problem_at_once() {
    let (_folder, file) = wrong();
    let (code, out, err) = run(&["check", "--config", &file]);
    assert_eq!(code, 2, "{out}{err}");
    for (key, place) in [("lisen", ":1:1"), ("origin", ":4:13"), ("mode", ":5:11")] {
        assert!(err.contains(&format!("{file}{place}")), "{key} at {place} in {err}");
    }
    assert!(err.contains("listen"), "a hint for the misspelt key: {err}");
    assert!(out.contains("errors"), "{out}");
}

#[test]
fn check_short_is_one_line_a_problem() {
    let (_folder, file) = wrong();
    let (code, _, err) = run(&["check", "--short", "--config", &file]);
    assert_eq!(code, 2);
    assert!(err.lines().count() >= 3, "{err}");
    for line in err.lines() {
        let rest = line.strip_prefix(&format!("{file}:")).unwrap_or_else(|| panic!("{line}"));
        let mut parts = rest.splitn(3, ':');
        assert!(parts.next().unwrap().parse::<u32>().is_ok(), "{line}");
        assert!(parts.next().unwrap().parse::<u32>().is_ok(), "{line}");
        assert!(parts.next().unwrap().starts_with(" error: "), "{line}");
    }
}

#[test]
fn check_says_what_is_right() {
    let (code, out, err) = run(&["check", "--no-certificates", "--config", "config/examples/minimal.yaml"]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    assert!(out.contains("1 site is right"), "{out}");
    // The same without its certificate cannot be served.
    let (code, _, err) = run(&["check", "--config", "config/examples/minimal.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("shop.pem"), "{err}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for command in ["check", "serve"] {
        let (code, _, err) = run(&[command, "--config", "/nonexistent/consentry.yaml"]);
        assert_eq!(code, 2, "{command}: {err}");
        assert!(err.contains("/nonexistent/consentry.yaml"), "{command}: {err}");
    }
}

#[test]
fn serve_refuses_what_check_refuses() {
    let (_folder, file) = wrong();
    let (_, _, checked) = run(&["check", "--config", &file]);
    let (code, out, served) = run(&["serve", "--config", &file]);
    assert_eq!((code, &*out), (2, ""));
    assert_eq!(served, checked);
}

#[test]
fn serve_finishes_what_is_in_flight_and_exits_with_0() {
    for signal in ["TERM", "INT"] {
        block_on(async {
            let origin = RawOrigin::start(vec![
                Step::ReadHead,
                Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".to_vec()),
                Step::Wait,
                Step::Write(b"world".to_vec()),
                Step::Stall,
            ])
            .await;
            let folder = tempfile::tempdir().unwrap();
            let (file, roots) = right(folder.path(), origin.address);
            let mut program = Program::start(&["serve", "--config", &file]);
            let address = program.address();
            let mut answer = fetch(address, &roots, "shop.example", "/").await;
            answer.read_until("hello").await;
            program.signal(signal);
            program.line_with("finishing what is in flight");
            origin.go();
            assert_eq!(answer.rest().await, "world");
            assert_eq!(program.exit_code(), Some(0), "SIG{signal}");
        });
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    block_on(async {
        let origin = RawOrigin::start(vec![
            Step::ReadHead,
            Step::Write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello".to_vec()),
            Step::Stall,
        ])
        .await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        let mut program = Program::start(&["serve", "--config", &file]);
        let mut answer = fetch(program.address(), &roots, "shop.example", "/").await;
        answer.read_until("hello").await;
        program.signal("TERM");
        program.line_with("finishing what is in flight");
        program.signal("INT");
        assert_eq!(program.exit_code(), Some(130), "128 and the signal's number, as shells have it");
        assert_eq!(answer.rest().await, "", "cut off, not completed");
    });
}

#[test]
fn serve_enforces_the_standard_policy() {
    block_on(async {
        let headers = [("set-cookie", "_ga=1"), ("set-cookie", "PHPSESSID=2"), ("content-type", "text/html")];
        let origin = Origin::fixed(200, &headers, "<p><script src=//www.google-analytics.com/ga.js></script>").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        let program = Program::start(&["serve", "--config", &file]);
        let answer = fetch(program.address(), &roots, "shop.example", "/").await.rest().await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("PHPSESSID=2; HttpOnly;"), "{answer}");
        assert!(!answer.contains("_ga") && !answer.contains("google"), "{answer}");
        // The access line, and no secret in it.
        let line = program.line_with("GET");
        assert!(line.contains("shop.example") && line.contains("200") && !line.contains("PHPSESSID"), "{line}");
    });
}

#[test]
fn demo_serves_a_shop_with_a_certificate_that_only_it_can_use() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join("certs");
        let mut program = Program::start(&["demo", "--listen", "127.0.0.1:0", "--certs", certs.to_str().unwrap()]);
        let line = program.line_with("https://localhost:");
        let port = line.split("https://localhost:").nth(1).unwrap().split('/').next().unwrap().parse::<u16>().unwrap();
        assert_ne!(port, 0, "{line}");
        program.line_with("Ctrl-C");

        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certs.join("dev-ca.pem")).unwrap()).unwrap();
        let answer = fetch(([127, 0, 0, 1], port).into(), &roots, "localhost", "/").await.rest().await;
        let (head, page) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("PHPSESSID="), "{head}");
        assert!(!head.contains("_fbp") && !page.contains("fbq("), "nothing was allowed: {answer}");

        let mut keys = Vec::new();
        for entry in fs::read_dir(&certs).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            let text = fs::read_to_string(entry.path()).unwrap();
            if text.contains("PRIVATE KEY") {
                assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
                keys.push(entry.file_name());
            }
        }
        assert_eq!(keys, ["localhost.key"], "the authority's key is nowhere");

        program.signal("INT");
        assert_eq!(program.exit_code(), Some(0));
    });
}

#[test]
fn help_names_each_command_and_version_is_the_packages() {
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, 0);
    for command in ["serve", "demo", "check"] {
        assert!(out.lines().any(|line| line.trim_start().starts_with(command)), "{command} in {out}");
        let (code, help, _) = run(&[command, "--help"]);
        assert!(code == 0 && help.contains("Usage: consentry"), "{help}");
    }
    let (code, out, _) = run(&["--version"]);
    assert_eq!((code, out.trim()), (0, concat!("consentry ", env!("CARGO_PKG_VERSION"))));
    let (code, _, err) = run(&["serv"]);
    assert_eq!(code, 2);
    assert!(err.contains("serve"), "a near miss gets a hint: {err}");
}

/// Says no more than that there is a basket.
const BASKET: &str =
    "policy: { version: 1, categories: { necessary: {} }, cookies: { cart: { category: necessary } } }";

#[test]
fn policy_drift_tells_of_a_running_instance_and_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let origin = Origin::start(|seen| {
            let line = if seen.target.starts_with("/more") { "mystery=1" } else { "cart=1" };
            support::origin::respond(200, &[("set-cookie", line)], "")
        })
        .await;
        let (file, roots) = right(folder.path(), origin.address);
        let text = fs::read_to_string(&file).unwrap().replace("policy: standard", &format!("mode: observe, {BASKET}"));
        fs::write(&file, format!("admin: {{ listen: 127.0.0.1:0 }}\n{text}")).unwrap();
        let state = folder.path().join("state/findings.json");

        let (code, _, err) = run(&["policy", "drift", "--config", &file]);
        assert_eq!(code, 2, "nothing was ever seen: {err}");
        assert!(err.contains("findings.json"), "{err}");

        let mut program = Program::start(&["serve", "--config", &file]);
        let line = program.line_with("Listening for administrators");
        let admin = format!("http://{}", line.split_once(" address=").unwrap().1.trim());
        let address = program.address();
        fetch(address, &roots, "shop.example", "/").await.rest().await;
        let (code, out, err) = run(&["policy", "drift", "--admin", &admin]);
        assert_eq!((code, &*out, &*err), (0, "shop.example: no drift\n", ""));

        fetch(address, &roots, "shop.example", "/more?private").await.rest().await;
        program.line_with("Enforced, this would be removed.");
        let by_admin = run(&["policy", "drift", "--admin", &admin, "--json"]);
        assert_eq!(by_admin.0, 1, "{by_admin:?}");
        program.signal("TERM");
        assert_eq!(program.exit_code(), Some(0));

        let by_file = run(&["policy", "drift", "--config", &file, "--json"]);
        assert_eq!(by_file, by_admin, "the file says the same, after the end");
        let drift: serde_json::Value = serde_json::from_str(&by_file.1).unwrap();
        assert_eq!(
            (&drift["drift"], &drift["kind"], &drift["name"]),
            (&"undeclared".into(), &"cookie".into(), &"mystery".into())
        );
        let (code, out, _) = run(&["policy", "drift", "--config", &file, "--findings", state.to_str().unwrap()]);
        assert_eq!(code, 1);
        assert!(out.starts_with("shop.example: 1 difference\n"), "{out}");
        assert!(out.contains("mystery") && out.contains("seen once, on /more; nobody knows it"), "{out}");
        assert!(!out.contains("private"), "{out}");

        for wrong in
            [&["--admin", &admin][..], &["--admin", "nonsense"], &["--site", "nobody.example", "--config", &file]]
        {
            let (code, _, err) = run(&[&["policy", "drift"], wrong].concat());
            assert_eq!(code, 2, "{wrong:?}: {err}");
            assert!(!err.is_empty());
        }
    });
}
