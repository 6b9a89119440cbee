//! The built program under load: reloads and its end cost nobody a request.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::load::Load;
use crate::program::{Program, fetch};
use crate::right;
use crate::support::{Origin, block_on};

#[test]
fn fifty_reloads_under_load_fail_no_request() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        let text = fs::read_to_string(&file).unwrap() + "log: { access: false }\n";
        fs::write(&file, text.replace("workers: 1", "workers: 2")).unwrap();
        let mut program = Program::start(&["serve", "--config", &file]);
        let load = Load::start(program.address(), &roots, 4);
        for reload in 0..50 {
            load.more(5).await;
            // Each one different, and each fifth one wrong.
            let idle = if reload % 5 == 4 { "never".to_owned() } else { format!("{}s", 60 + reload) };
            fs::write(&file, format!("{text}timeouts: {{ idle: {idle} }}\n")).unwrap();
            program.signal("HUP");
            program.line_with(if reload % 5 == 4 { "goes on" } else { "was read again" });
        }
        load.more(20).await;
        let (good, bad) = load.end().await;
        assert!(bad.is_empty() && good > 250, "{good} good, and {bad:#?}");
        program.signal("TERM");
        assert_eq!(program.exit_code(), Some(0));
    });
}

#[test]
fn its_end_under_load_fails_no_request() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        fs::write(&file, fs::read_to_string(&file).unwrap() + "log: { access: false }\n").unwrap();
        let mut program = Program::start(&["serve", "--config", &file]);
        let load = Load::start(program.address(), &roots, 8);
        load.more(200).await;
        program.signal("TERM");
        assert_eq!(program.exit_code(), Some(0));
        let (good, bad) = load.end().await;
        assert!(bad.is_empty() && good > 200, "{good} good, and {bad:#?}");
    });
}

#[test]
fn sigusr1_begins_a_new_access_log() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}log: {{ access: combined, access_file: access.log }}\n")).unwrap();
        let mut program = Program::start(&["serve", "--config", &file]);
        let address = program.address();
        let (log, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
        let ask = async |path: &str| drop(fetch(address, &roots, "shop.example", path).await.rest().await);
        ask("/one").await;
        fs::rename(&log, &moved).unwrap();
        program.signal("USR1");
        while !log.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        ask("/two").await;
        // A line waits in the worker's buffer for a fraction of a second.
        while !fs::read_to_string(&log).unwrap().contains("/two") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        program.signal("TERM");
        assert_eq!(program.exit_code(), Some(0));
        assert!(!fs::read_to_string(&moved).unwrap().contains("/two"));
        let both = fs::read_to_string(&moved).unwrap() + &fs::read_to_string(&log).unwrap();
        let lines: Vec<_> = both.lines().collect();
        assert_eq!(lines.len(), 2, "none is lost and none is twice: {lines:?}");
        assert!(
            lines[0].starts_with("127.0.0.1 - - [") && lines[0].contains("] \"GET /one HTTP/1.1\" 200 4 \"-\" \"-\""),
            "{lines:?}"
        );

        let wrong = folder.path().join("wrong.yaml");
        fs::write(&wrong, format!("{text}log: {{ access_file: nowhere/access.log }}\n")).unwrap();
        let mut program = Program::start(&["serve", "--config", wrong.to_str().unwrap()]);
        program.line_with("cannot write");
        assert_eq!(program.exit_code(), Some(2));
    });
}

#[test]
fn sockets_of_systemd_are_used_where_they_are_configured() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "fine").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let start = || {
            let mut command = Command::new("sh");
            let program = env!("CARGO_BIN_EXE_consentry");
            // As systemd does it: the sockets are files from 3 on, and for this process alone.
            let script = format!("exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 exec {program} serve --config {file}");
            command.args(["-c", &script]);
            Program::with_stdin(command, OwnedFd::from(socket.try_clone().unwrap()).into())
        };
        let mut stray = start();
        stray.line_with("which is not configured");
        assert_eq!(stray.exit_code(), Some(1));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("listen: 127.0.0.1:0", &format!("listen: {address}"))).unwrap();
        let mut program = start();
        assert_eq!(program.address(), address);
        assert!(fetch(address, &roots, "shop.example", "/").await.rest().await.ends_with("fine"));
        program.signal("TERM");
        assert_eq!(program.exit_code(), Some(0));
        assert!(std::net::TcpStream::connect(address).is_ok(), "between two runs nobody is refused");
    });
}

#[test]
fn with_watch_a_changed_file_is_read_and_systemd_is_told() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "lang=de")], "").await;
        let folder = tempfile::tempdir().unwrap();
        let (file, roots) = right(folder.path(), origin.address);
        let policy = |category: &str| {
            let text = format!(
                "version: 1\ncategories: {{ necessary: {{ required: true }}, functional: {{}} }}\n\
                 cookies: {{ lang: {{ category: {category} }} }}\n"
            );
            fs::write(folder.path().join("policy.new"), text).unwrap();
            fs::rename(folder.path().join("policy.new"), folder.path().join("policy.yaml")).unwrap();
        };
        policy("functional");
        let text = fs::read_to_string(&file).unwrap().replace("policy: standard", "policy: policy.yaml");
        fs::write(&file, format!("{text}watch: true\n")).unwrap();
        let systemd = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let told = || {
            let mut buffer = [0; 512];
            let length = systemd.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
        command.args(["serve", "--config", &file]);
        command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "4000000");
        let mut program = Program::of(command);
        let address = program.address();
        assert_eq!(told().trim(), "READY=1");
        assert_eq!(told().trim(), "WATCHDOG=1");
        let answer = fetch(address, &roots, "shop.example", "/").await.rest().await;
        assert!(!answer.contains("lang=de"), "{answer}");
        policy("necessary");
        let reloading = std::iter::repeat_with(&told).find(|told| told.contains("RELOADING=1")).unwrap();
        let (_, clock) = reloading.split_once("MONOTONIC_USEC=").unwrap_or_else(|| panic!("{reloading:?}"));
        assert!(clock.trim().parse::<u64>().unwrap() > 0);
        assert!(std::iter::repeat_with(&told).any(|told| told.trim() == "READY=1"));
        let answer = fetch(address, &roots, "shop.example", "/").await.rest().await;
        assert!(answer.contains("lang=de"), "{answer}");
        program.signal("TERM");
        assert!(std::iter::repeat_with(&told).any(|told| told.trim() == "STOPPING=1"));
        assert_eq!(program.exit_code(), Some(0));
    });
}
