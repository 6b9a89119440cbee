//! A PostgreSQL server for one test, in a folder of its own, reached by a socket in it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::store::Postgres;

/// Where Debian has its programs; elsewhere they are in the path.
const DEBIAN: &str = "/usr/lib/postgresql";

pub(super) struct Server {
    folder: tempfile::TempDir,
    server: Option<Child>,
}

impl Server {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It refuses to be root.
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
        }
        let made = program("initdb")
            .args(["--no-sync", "--auth=trust", "--username=consentry", "--pgdata"])
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "PostgreSQL is needed: apt-get install postgresql");
        let mut server = Self { folder, server: None };
        server.resume();
        server
    }

    /// Stops it as an operator would, connections and all.
    pub(super) fn stop(&mut self) {
        let mut ctl = program("pg_ctl");
        ctl.args(["stop", "--mode=fast", "--wait", "--pgdata"]).arg(self.folder.path().join("data"));
        assert!(ctl.stdout(Stdio::null()).status().unwrap().success());
        self.server.take().unwrap().wait().unwrap();
    }

    pub(super) fn resume(&mut self) {
        let mut postgres = program("postgres");
        postgres.arg("-D").arg(self.folder.path().join("data")).arg("-k").arg(self.folder.path());
        postgres.args(["-c", "listen_addresses=", "-c", "synchronous_commit=off"]);
        self.server = Some(postgres.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..200 {
            if Postgres::open(&self.url(), Duration::from_secs(5)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{:?}", Postgres::open(&self.url(), Duration::from_secs(5)));
    }

    /// The file with its URL.
    pub(super) fn url(&self) -> PathBuf {
        let file = self.folder.path().join("url");
        let socket = self.folder.path().display();
        std::fs::write(&file, format!("host={socket} user=consentry dbname=postgres\n")).unwrap();
        file
    }

    pub(super) fn store(&self) -> Postgres {
        Postgres::open(&self.url(), Duration::from_secs(30)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.stop();
        }
    }
}

fn program(name: &str) -> Command {
    let versions = std::fs::read_dir(DEBIAN).ok().into_iter().flatten();
    let newest = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name))).max();
    let path = newest.filter(|path| path.exists()).unwrap_or_else(|| name.into());
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path).current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}
