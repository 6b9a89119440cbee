use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::receipt::{Hash, Head, Reason, Row};
use crate::store::backend::ChainState;

/// A SQLite store that can be switched off, and counts its transactions.
#[derive(Debug)]
struct Moody {
    store: Sqlite,
    mood: Arc<Mood>,
}

#[derive(Debug, Default)]
struct Mood {
    away: AtomicBool,
    commits: AtomicUsize,
    slow: AtomicBool,
}

impl Mood {
    fn check(&self) -> Result<(), Error> {
        if self.away.load(Ordering::SeqCst) { Err(std::io::Error::other("away").into()) } else { Ok(()) }
    }
}

impl Backend for Moody {
    fn append(&mut self, chain: ChainId, entries: &[Entry]) -> Result<Head, Error> {
        self.mood.check()?;
        if self.mood.slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(100));
        }
        self.mood.commits.fetch_add(1, Ordering::SeqCst);
        self.store.append(chain, entries)
    }

    fn each(&mut self, filter: &Filter, see: &mut dyn FnMut(Receipt) -> Result<(), Error>) -> Result<(), Error> {
        self.mood.check()?;
        self.store.each(filter, see)
    }

    fn count(&mut self, filter: &Filter) -> Result<u64, Error> {
        self.store.count(filter)
    }

    fn erase(&mut self, filter: &Filter, reason: Reason, now: UnixTime) -> Result<u64, Error> {
        self.mood.check()?;
        self.store.erase(filter, reason, now)
    }

    fn purge(&mut self, before: UnixTime, now: UnixTime) -> Result<u64, Error> {
        self.mood.check()?;
        self.store.purge(before, now)
    }

    fn chains(&mut self) -> Result<Vec<ChainState>, Error> {
        self.store.chains()
    }

    fn pin(&mut self) -> Result<(), Error> {
        self.store.pin()
    }

    fn backup(&mut self, to: &Path, step: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
        self.store.backup(to, step)
    }

    fn rows(&mut self, chain: ChainId, see: &mut dyn FnMut(&Row<'_>) -> bool) -> Result<(), Error> {
        self.store.rows(chain, see)
    }
}

struct Home {
    folder: tempfile::TempDir,
    mood: Arc<Mood>,
    spool: u64,
    retention: Duration,
}

impl Home {
    fn new() -> Self {
        let retention = Duration::from_secs(1_000 * 365 * 86_400);
        Self { folder: tempfile::tempdir().unwrap(), mood: Arc::default(), spool: 1 << 20, retention }
    }

    fn place(&self) -> Place {
        let at = |name: &str| self.folder.path().join(name);
        Place { spool: at("receipts.spool"), anchor: at("receipts.head") }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("receipts.sqlite")
    }

    fn start(&self) -> Store {
        let (mood, path) = (self.mood.clone(), self.database());
        let open = move || {
            mood.check()?;
            let store = Sqlite::open(&path, Duration::from_millis(50))?;
            Ok(Box::new(Moody { store, mood: mood.clone() }) as Box<dyn Backend>)
        };
        let Self { spool, retention, .. } = *self;
        let settings = config::Receipts { spool, retention, ..config::Receipts::in_folder(Path::new("")) };
        Store::with(Box::new(open), &self.place(), &settings).unwrap()
    }

    fn anchor(&self) -> Head {
        Anchor::at(&self.place().anchor).read().unwrap().unwrap()
    }

    /// What is in the store, which must be whole.
    fn kept(&self) -> Vec<u8> {
        let mut store = sqlite(self.folder.path());
        assert_eq!(verify(&mut store, &[self.anchor()], &mut || ()).unwrap().broken(), None);
        found(&mut store, &Filter::default())
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn record(receipts: &Receipts, number: u8) -> Result<(), Unrecordable> {
    receipts.record(receipt(number, i64::from(number) * 86_400)).await
}

/// MGS WA W5.
#[test]
fn what_is_past_its_retention_goes_without_being_asked() {
    let mut home = Home::new();
    let store = home.start();
    let now = crate::telemetry::now();
    block_on(async {
        record(&store.receipts(), 1).await.unwrap();
        store.receipts().record(receipt(2, now.0)).await.unwrap();
    });
    drop(store);
    assert_eq!(home.kept(), [1, 2]);
    home.retention = Duration::from_secs(30 * 86_400);
    let _store = home.start();
    let gone = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        home.kept() == [2]
    });
    assert!(gone, "{:?} are kept", home.kept());
}

#[test]
fn what_waits_together_is_committed_together() {
    let home = Home::new();
    let store = home.start();
    home.mood.slow.store(true, Ordering::SeqCst);
    block_on(async {
        let receipts = store.receipts();
        let all: Vec<_> = (0..60)
            .map(|number| {
                let receipts = receipts.clone();
                tokio::spawn(async move { record(&receipts, number).await })
            })
            .collect();
        for one in all {
            one.await.unwrap().unwrap();
        }
    });
    let commits = home.mood.commits.load(Ordering::SeqCst);
    assert!(commits <= 10, "{commits} commits for 60 receipts");
    drop(store);
    assert_eq!(home.kept(), (0..60).collect::<Vec<_>>());
}

#[test]
fn while_the_store_is_away_receipts_wait_and_come_in_order() {
    let home = Home::new();
    let store = home.start();
    block_on(async {
        let receipts = store.receipts();
        for number in 0..3 {
            record(&receipts, number).await.unwrap();
        }
        home.mood.away.store(true, Ordering::SeqCst);
        for number in 3..6 {
            record(&receipts, number).await.unwrap();
        }
        assert_eq!(home.kept(), [0, 1, 2]);
        assert!(receipts.history("shop.example", ConsentId([1; 16])).await.is_err());
        assert!(receipts.erase("shop.example", ConsentId([1; 16])).await.is_err());
        home.mood.away.store(false, Ordering::SeqCst);
        // Whoever asks for what was acknowledged sees it.
        let history = receipts.history("shop.example", ConsentId([1; 16])).await.unwrap();
        assert_eq!(history.iter().map(|receipt| receipt.id.0[0]).collect::<Vec<_>>(), [1, 5]);
        record(&receipts, 6).await.unwrap();
    });
    drop(store);
    assert_eq!(home.kept(), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(std::fs::metadata(home.place().spool).unwrap().len(), 0);
}

#[test]
fn what_waits_is_delivered_without_being_asked_and_after_a_restart() {
    let home = Home::new();
    let store = home.start();
    home.mood.away.store(true, Ordering::SeqCst);
    block_on(async { record(&store.receipts(), 1).await.unwrap() });
    drop(store);
    assert_eq!(home.kept(), [0_u8; 0]);
    home.mood.away.store(false, Ordering::SeqCst);
    let store = home.start();
    block_on(async {
        tokio::time::timeout(Duration::from_secs(10), async {
            while home.kept() != [1] {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("it was not delivered");
    });
    drop(store);
    assert_eq!(home.kept(), [1]);
}

#[test]
fn a_database_that_another_process_locks_holds_nobody_up() {
    let home = Home::new();
    let store = home.start();
    block_on(async {
        let receipts = store.receipts();
        record(&receipts, 0).await.unwrap();
        let outside = rusqlite::Connection::open(home.database()).unwrap();
        outside.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let began = tokio::time::Instant::now();
        for number in 1..4 {
            record(&receipts, number).await.unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        outside.execute_batch("COMMIT").unwrap();
    });
    drop(store);
    // Still locked when we start: not a reason not to start.
    let outside = rusqlite::Connection::open(home.database()).unwrap();
    outside.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let store = home.start();
    block_on(async { record(&store.receipts(), 4).await.unwrap() });
    outside.execute_batch("COMMIT").unwrap();
    drop((store, outside));
    let store = home.start();
    block_on(async { record(&store.receipts(), 5).await.unwrap() });
    drop(store);
    assert_eq!(home.kept(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn without_a_durable_place_nothing_is_acknowledged() {
    let home = Home { spool: 1_200, ..Home::new() };
    let store = home.start();
    block_on(async {
        let receipts = store.receipts();
        home.mood.away.store(true, Ordering::SeqCst);
        let mut kept = Vec::new();
        for number in 0..6 {
            match record(&receipts, number).await {
                Ok(()) => kept.push(number),
                Err(error) => assert!(error.to_string().contains("full"), "{error}"),
            }
        }
        assert!(!kept.is_empty() && kept.len() < 6, "{kept:?}");
        home.mood.away.store(false, Ordering::SeqCst);
        // The store is tried before anybody is sent away, even if its time has not come.
        record(&receipts, 9).await.unwrap();
        kept.push(9);
        assert_eq!(home.kept(), kept, "what was acknowledged, and nothing else");
    });
}

#[test]
fn a_chain_that_lost_its_end_is_kept_as_evidence() {
    let home = Home::new();
    let store = home.start();
    block_on(async {
        for number in 0..4 {
            record(&store.receipts(), number).await.unwrap();
        }
    });
    drop(store);
    let noted = home.anchor();
    assert_eq!(noted.next, 4);
    let outside = rusqlite::Connection::open(home.database()).unwrap();
    let cut = "DELETE FROM record WHERE position = 3; UPDATE chain SET next = 3, head = (SELECT hash FROM record WHERE \
               position = 2)";
    outside.execute_batch(cut).unwrap();
    drop(outside);
    let store = home.start();
    block_on(async { record(&store.receipts(), 8).await.unwrap() });
    drop(store);
    let anchors = Anchor::at(&home.place().anchor).read_all().unwrap();
    assert!(anchors.contains(&noted) && anchors.len() == 2, "{anchors:?}");
    assert_ne!(home.anchor().chain, noted.chain);
    let report = verify(&mut sqlite(home.folder.path()), &anchors, &mut || ()).unwrap();
    let broken = report.broken().unwrap();
    assert_eq!((broken.chain, broken.position), (noted.chain, 3));
    assert_ne!(noted.hash, Hash([0; 32]));
}
