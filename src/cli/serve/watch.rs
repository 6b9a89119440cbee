//! Tells when files of the configuration have changed.
//!
//! Folders are watched, not files: editors write a new file and rename it, Kubernetes swaps a link. Whether that
//! concerned us is seen by looking at the files.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};

/// Whoever writes several files has done so when nothing happened for this long…
const QUIET: Duration = Duration::from_millis(200);
/// …and after this long we look in any case.
const PATIENCE: Duration = Duration::from_secs(2);

/// Watches some files, whether they are there or not.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    happened: Arc<Notify>,
    /// Each file as it was before it was last read.
    files: HashMap<PathBuf, Option<Stamp>>,
    folders: BTreeSet<PathBuf>,
    /// When something happened first, and when we look.
    due: Option<(Instant, Instant)>,
}

/// Differs when a file was written, renamed or linked anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Watch {
    /// # Errors
    /// If the system does not watch files.
    pub(super) fn new(files: &[PathBuf]) -> notify::Result<Self> {
        let happened = Arc::new(Notify::new());
        let tell = Arc::clone(&happened);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Our own reading is an event too.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                tell.notify_one();
            }
        })?;
        let mut watch = Self { watcher, happened, files: HashMap::new(), folders: BTreeSet::new(), due: None };
        watch.look_at(files);
        Ok(watch)
    }

    /// Waits until a file has changed and nothing more happens. Can be dropped and asked again.
    pub(super) async fn changed(&mut self) {
        loop {
            let Some((first, due)) = self.due else {
                self.happened.notified().await;
                let now = Instant::now();
                self.due = Some((now, now + QUIET));
                continue;
            };
            tokio::select! {
                () = self.happened.notified() => {
                    self.due = Some((first, (Instant::now() + QUIET).min(first + PATIENCE)));
                }
                () = sleep_until(due) => {
                    self.due = None;
                    if self.files.iter().any(|(file, last)| stamp(file) != *last) {
                        return;
                    }
                }
            }
        }
    }

    /// The files are about to be read: what happens from now on is new.
    pub(super) fn before_reading(&mut self) {
        self.files.iter_mut().for_each(|(file, last)| *last = stamp(file));
    }

    /// These are the files from now on.
    pub(super) fn look_at(&mut self, files: &[PathBuf]) {
        self.files = files.iter().map(|file| (file.clone(), self.last(file))).collect();
        let folders: BTreeSet<_> = files.iter().flat_map(|file| folders(file)).collect();
        for gone in self.folders.difference(&folders) {
            let _ = self.watcher.unwatch(gone);
        }
        // Those that stay too: a folder of the same name may be another one by now.
        for folder in &folders {
            if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::warn!(%error, "Changes in {} will not be noticed.", folder.display());
            }
        }
        self.folders = folders;
    }

    fn last(&self, file: &Path) -> Option<Stamp> {
        self.files.get(file).copied().unwrap_or_else(|| stamp(file))
    }
}

/// Those in which a file can be replaced: where its name stands, and where the file itself does, if that is a link;
/// and the ones above, where the folder can be.
fn folders(file: &Path) -> impl Iterator<Item = PathBuf> {
    let named = std::path::absolute(file).ok();
    let real = std::fs::canonicalize(file).ok();
    let above = |file: PathBuf| file.ancestors().skip(1).take(2).map(Path::to_owned).collect::<Vec<_>>();
    named.into_iter().chain(real).flat_map(above).filter(|folder| folder.is_dir())
}

/// Of what is behind a name, links followed; `None` if nothing is.
fn stamp(file: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(file).ok()?;
    Some(Stamp {
        place: (file.dev(), file.ino()),
        size: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    async fn is_told(watch: &mut Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(3), watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn writes_renames_and_swapped_links_are_seen_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("1")).unwrap();
        fs::create_dir(at("2")).unwrap();
        for version in ["1", "2"] {
            fs::write(at(version).join("policy.yaml"), version).unwrap();
        }
        symlink("1", at("..data")).unwrap();
        symlink("..data/policy.yaml", at("policy.yaml")).unwrap();
        fs::write(at("consentry.yaml"), "a").unwrap();
        let files = [at("consentry.yaml"), at("policy.yaml"), at("missing.pem")];
        let mut watch = Watch::new(&files).unwrap();

        fs::read(at("consentry.yaml")).unwrap();
        fs::write(at("access.log"), "a line").unwrap();
        let other = tokio::time::timeout(Duration::from_millis(700), watch.changed()).await;
        assert!(other.is_err(), "a file that is none of ours");

        type Change<'a> = (&'a str, &'a dyn Fn());
        let changes: [Change<'_>; 4] = [
            ("written in place", &|| fs::write(at("consentry.yaml"), "b").unwrap()),
            ("renamed over it", &|| {
                fs::write(at("consentry.yaml~"), "c").unwrap();
                fs::rename(at("consentry.yaml~"), at("consentry.yaml")).unwrap();
            }),
            ("link swapped", &|| {
                symlink("2", at("..data_tmp")).unwrap();
                fs::rename(at("..data_tmp"), at("..data")).unwrap();
            }),
            ("came into being", &|| fs::write(at("missing.pem"), "d").unwrap()),
        ];
        for (what, change) in changes {
            change();
            assert!(is_told(&mut watch).await, "{what}");
            watch.before_reading();
            watch.look_at(&files);
        }
    }
}
