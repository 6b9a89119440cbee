//! A shop behind the built program, its visitors, and its records.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use rustls::RootCertStore;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::program::{Program, connect};
use crate::support::Authority;
use crate::support::proxy::POLICY;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_consentry");
const HOST: &str = "shop.example";

/// A configuration with a state folder of its own.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    roots: RootCertStore,
}

/// The program, serving.
pub(crate) struct Serving {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

/// A browser that posts forms, over one connection.
pub(crate) struct Visitor {
    address: SocketAddr,
    roots: RootCertStore,
    stream: Option<TlsStream<TcpStream>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Name and value of the consent cookie, and the consent id in it.
    pub(crate) cookie: Option<String>,
    pub(crate) id: Option<String>,
}

impl Shop {
    /// With further keys at the top of the configuration.
    pub(crate) fn new(top: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.issue(folder.path(), "site", &[HOST]);
        let policy: String = POLICY.lines().map(|line| format!("      {line}\n")).collect();
        let text = format!(
            "listen: 127.0.0.1:0\ncertificate: site.pem\nworkers: 2\nlog: {{ access: false }}\nlimits: {{ choices_a_minute: 60000 }}\n{top}\nsites:\n  \
             - host: {HOST}\n    origin: http://127.0.0.1:9\n    policy:\n{policy}"
        );
        std::fs::write(folder.path().join("consentry.yaml"), text).unwrap();
        Self { folder, roots: authority.roots() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> String {
        self.path("consentry.yaml").to_str().unwrap().to_owned()
    }

    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("state/receipts.sqlite")).unwrap()
    }

    pub(crate) fn serve(&self) -> Serving {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--config", &self.config()]);
        self.serve_by(command)
    }

    pub(crate) fn serve_by(&self, command: Command) -> Serving {
        let program = Program::of(command);
        let address = program.address();
        Serving { program, address }
    }

    /// Serves once and stops in good order, so that what waits in the spool is delivered.
    pub(crate) fn settle(&self) {
        let mut serving = self.serve();
        serving.program.signal("TERM");
        assert_eq!(serving.program.exit_code(), Some(0));
        let spool = std::fs::metadata(self.path("state/receipts.spool"));
        assert_eq!(spool.map_or(0, |spool| spool.len()), 0, "something still waits");
    }

    pub(crate) fn visitor(&self, address: SocketAddr) -> Visitor {
        Visitor { address, roots: self.roots.clone(), stream: None }
    }

    /// Exit code, standard output and standard error of `consentry receipts`.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(PROGRAM)
            .args(["receipts", "--config", &self.config()])
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    pub(crate) fn export(&self, arguments: &[&str]) -> Vec<Value> {
        let (code, out, err) = self.run(&[&["export"], arguments].concat());
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    }
}

impl Visitor {
    /// Posts a choice with this consent cookie; `None` once the program is gone.
    pub(crate) async fn post(&mut self, form: &str, cookie: &str) -> Option<Reply> {
        if self.stream.is_none() {
            self.stream = Some(connect(self.address, &self.roots, HOST).await.ok()?);
        }
        let stream = self.stream.as_mut().unwrap();
        let port = self.address.port();
        let request = format!(
            "POST /_consent/choice HTTP/1.1\r\nHost: {HOST}:{port}\r\nOrigin: https://{HOST}:{port}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nCookie: {cookie}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let field = |name: &str| {
                    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
                };
                if body.len() >= field("content-length").map_or(0, |length| length.parse().unwrap()) {
                    let cookie = field("set-cookie").map(|line| line.split(';').next().unwrap().to_owned());
                    let id = cookie.as_ref().map(|cookie| cookie.split('.').nth(2).unwrap().to_owned());
                    return Some(Reply { status: head[9..12].parse().unwrap(), cookie, id });
                }
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
    }
}
