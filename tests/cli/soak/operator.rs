//! The operator, who reloads configurations and certificates, rotates logs, and whose origins go away and come back.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::time::sleep;

use super::errands::text;
use super::gauges;
use super::origin::Origin;
use super::visitors::Place;
use super::{BLOG, SHOP};
use crate::program::{connect_with, signal};
use crate::support::Authority;

/// How often, in a run that does not hurry.
const RELOAD: Duration = Duration::from_secs(20);
const RESTART: Duration = Duration::from_secs(45);
const ROTATE: Duration = Duration::from_secs(33);
/// For how long an origin is away.
const AWAY: Duration = Duration::from_millis(1500);

/// The files of the program, and what was done to them.
pub(super) struct Files {
    pub(super) folder: PathBuf,
    authority: Authority,
    /// Of the shop, and two of the blog.
    origins: [SocketAddr; 3],
    pub(super) good: AtomicU64,
    pub(super) refused: AtomicU64,
}

impl Files {
    pub(super) fn new(folder: &Path, origins: [SocketAddr; 3]) -> Self {
        let (good, refused) = Default::default();
        let files = Self { folder: folder.to_owned(), authority: Authority::new(), origins, good, refused };
        files.certify();
        files.write(0);
        files
    }

    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("consentry.yaml")
    }

    pub(super) fn roots(&self) -> RootCertStore {
        self.authority.roots()
    }

    /// A new certificate.
    fn certify(&self) {
        self.authority.issue(&self.folder, "site", &[SHOP, BLOG]);
    }

    /// One of three configurations, of which the last is wrong.
    fn write(&self, which: usize) {
        let [shop, blog, other] = self.origins;
        let (idle, origins, more) = match which {
            0 => ("70s", format!("['http://{blog}', 'http://{other}']"), ""),
            1 => ("80s", format!("'http://{other}'"), ", banner: false, server_timing: true"),
            _ => ("never", "[]".to_owned(), ""),
        };
        let text = format!(
            "listen: 127.0.0.1:0\ncertificate: site.pem\nworkers: 2\nstate: state\ntrusted_proxies: [127.0.0.1]\n\
             admin: {{ listen: '127.0.0.1:0' }}\nlog: {{ access: json, access_file: access.log }}\n\
             timeouts: {{ idle: {idle}, origin_idle: 2s, body_idle: 10s }}\nsites:\n  \
             - {{ host: {SHOP}, origin: 'http://{shop}', policy: standard{more} }}\n  \
             - {{ host: {BLOG}, origin: {origins}, policy: standard }}\n"
        );
        fs::write(self.config(), text).unwrap();
    }

    /// All access lines that were written, over all files.
    pub(super) fn access_lines(&self) -> u64 {
        let files = fs::read_dir(&self.folder).unwrap().map(|file| file.unwrap());
        let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with("access"));
        logs.map(|log| fs::read(log.path()).unwrap().iter().filter(|byte| **byte == b'\n').count() as u64).sum()
    }
}

impl Place {
    /// Reloads: a good configuration, the other, a wrong one; each second time with a new certificate, which must be the
    /// one that the next client sees.
    pub(super) async fn reload(self, files: Arc<Files>, program: u32, admin: SocketAddr) {
        self.repeat("reload", None, self.every(RELOAD), |turn| {
            let (place, files) = (self.clone(), Arc::clone(&files));
            async move {
                let which = (turn + 1) % 3;
                let (done, result) = if which == 2 { (&files.refused, "refused") } else { (&files.good, "good") };
                if turn % 2 == 1 && which != 2 {
                    files.certify();
                }
                files.write(which);
                signal(program, "HUP");
                let count = done.fetch_add(1, Ordering::Relaxed) + 1;
                let name = format!("consentry_config_reloads_total{{result=\"{result}\"}}");
                while gauges::metrics(admin).await?.of(&name) < count as f64 {
                    sleep(Duration::from_millis(50)).await;
                }
                if which == 2 {
                    return Ok(());
                }
                let stream = connect_with(place.address, &place.roots, SHOP, &[b"h2"]).await.map_err(text)?;
                let seen = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first()).cloned();
                let text = fs::read(files.folder.join("site.pem")).unwrap();
                let meant = CertificateDer::from_pem_slice(&text).unwrap();
                if seen == Some(meant) { Ok(()) } else { Err("the old certificate is still there".to_owned()) }
            }
        })
        .await;
    }

    /// Moves the access log away, as logrotate does.
    pub(super) async fn rotate(self, files: Arc<Files>, program: u32) {
        self.repeat("log rotated", None, self.every(ROTATE), |turn| {
            let files = Arc::clone(&files);
            async move {
                let log = files.folder.join("access.log");
                fs::rename(&log, files.folder.join(format!("access.{turn}"))).map_err(text)?;
                signal(program, "USR1");
                while !log.exists() {
                    sleep(Duration::from_millis(20)).await;
                }
                Ok(())
            }
        })
        .await;
    }

    /// Ends origins, in turn, and has them come back.
    pub(super) async fn restart(self, mut origins: [Origin; 3]) {
        for turn in 0.. {
            tokio::select! {
                () = sleep(self.every(RESTART)) => {}
                () = self.end.cancelled() => break,
            }
            let which = turn % origins.len();
            let site = if which == 0 { SHOP } else { BLOG };
            self.met.leaves(site);
            origins[which].restart(turn % 2 == 0, AWAY).await;
            self.met.is_back(site);
        }
        // They stay until everybody has gone.
        std::future::pending().await
    }
}
