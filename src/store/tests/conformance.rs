//! One suite for all kinds of store.

use super::*;
use crate::receipt::{Flaw, Head, Reason, Whole};

/// Runs a test on a fresh store of each kind.
fn on_each(test: impl Fn(&mut dyn Backend)) {
    let folder = tempfile::tempdir().unwrap();
    test(&mut sqlite(folder.path()));
    #[cfg(feature = "postgres")]
    {
        let server = server::Server::start();
        test(&mut server.store());
    }
}

fn whole(store: &mut dyn Backend, anchors: &[Head]) -> Vec<Whole> {
    let report = verify(store, anchors, &mut || ()).unwrap();
    assert_eq!(report.broken(), None);
    report.chains.into_iter().map(Result::unwrap).collect()
}

#[test]
fn what_is_appended_is_found_in_order_and_once() {
    on_each(|store| {
        let head = store.append(CHAIN, &entries(0..5)).unwrap();
        assert_eq!(head.next, 5);
        // Delivered again, with something new behind.
        let again = store.append(CHAIN, &entries(3..7)).unwrap();
        assert_eq!(again.next, 7);
        assert_eq!(found(store, &Filter::default()), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(whole(store, &[head, again])[0].kept, 7);
        assert_eq!(store.append(CHAIN, &[]).unwrap(), again);
        // Another proxy has a chain of its own, and delivers what the first one had delivered.
        store.append(ChainId([2; 16]), &entries(6..9)).unwrap();
        assert_eq!(found(store, &Filter::default()), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(whole(store, &[again]).iter().map(|whole| whole.kept).collect::<Vec<_>>(), [7, 2]);
    });
}

#[test]
fn filters_narrow() {
    on_each(|store| {
        store.append(CHAIN, &[entries(0..8), entries(100..102)].concat()).unwrap();
        let any = Filter::default();
        for (filter, ids) in [
            (any.clone(), &[0, 1, 2, 3, 4, 5, 6, 7, 100, 101][..]),
            (Filter { site: Some("other.example".into()), ..any.clone() }, &[100, 101]),
            (Filter { site: Some("other".into()), ..any.clone() }, &[]),
            (Filter { consent: Some(ConsentId([1; 16])), ..any.clone() }, &[1, 5, 101]),
            (Filter { since: Some(UnixTime(6 * 86_400)), ..any.clone() }, &[6, 7, 100, 101]),
            (Filter { until: Some(UnixTime(2 * 86_400)), ..any.clone() }, &[0, 1]),
            (Filter { method: Some(Method::Custom), until: Some(UnixTime(4 * 86_400)), ..any.clone() }, &[1, 3]),
            (Filter { method: Some(Method::Withdraw), ..any }, &[]),
        ] {
            assert_eq!(found(store, &filter), ids, "{filter:?}");
        }
    });
}

#[test]
fn erased_receipts_are_gone_and_proven_gone() {
    on_each(|store| {
        let head = store.append(CHAIN, &entries(0..8)).unwrap();
        store.append(ChainId([2; 16]), &entries(8..12)).unwrap();
        let whose = Filter { consent: Some(ConsentId([1; 16])), ..Filter::default() };
        assert_eq!(store.erase(&whose, Reason::Visitor, UnixTime(1)).unwrap(), 3);
        assert_eq!(found(store, &whose), [0_u8; 0]);
        assert_eq!(found(store, &Filter::default()), [0, 2, 3, 4, 6, 7, 8, 10, 11]);
        let whole = whole(store, &[head]);
        assert_eq!(whole.iter().map(|whole| whole.erased).sum::<u64>(), 3);
        assert_eq!(store.erase(&whose, Reason::Visitor, UnixTime(1)).unwrap(), 0);
        // Delivered once more out of some spool, it does not come back.
        store.append(CHAIN, &entries(1..2)).unwrap();
        assert_eq!(found(store, &whose), [0_u8; 0]);
        // Nothing of it is left in any row.
        let text = ConsentId([1; 16]).to_string();
        store
            .rows(CHAIN, &mut |row| {
                assert!(!row.body.unwrap_or_default().contains(&text));
                true
            })
            .unwrap();
    });
}

#[test]
fn old_receipts_are_purged_and_the_rest_stays_whole() {
    on_each(|store| {
        // One with a clock that ran ahead stands before old ones.
        let mut all = entries(0..6);
        all.insert(3, Entry::Choice(receipt(50, 50 * 86_400)));
        let head = store.append(CHAIN, &all).unwrap();
        let day = |day: i64| UnixTime(day * 86_400);
        assert_eq!(store.purge(day(0), day(60)).unwrap(), 0);
        assert_eq!(store.purge(day(5), day(60)).unwrap(), 5);
        assert_eq!(found(store, &Filter::default()), [5, 50]);
        let state = whole(store, &[head])[0];
        // Three went with the beginning, two were erased; the purge and two deletions came.
        assert_eq!((state.purged, state.erased, state.kept), (3, 2, 5));
        // Later all that is left, with the deletions and the old purge.
        assert!(store.purge(day(61), day(200)).unwrap() >= 7);
        assert_eq!(found(store, &Filter::default()), [0_u8; 0]);
        assert_eq!(whole(store, &[head])[0].kept, 1);
        store.append(CHAIN, &entries(60..62)).unwrap();
        assert_eq!(found(store, &Filter::default()), [60, 61]);
        whole(store, &[head]);
    });
}

#[test]
fn purging_leaves_the_proof_of_a_younger_deletion() {
    on_each(|store| {
        let day = |day: i64| UnixTime(day * 86_400);
        let head = store.append(CHAIN, &entries(50..52)).unwrap();
        let whose = Filter { consent: Some(ConsentId([50 % 4; 16])), ..Filter::default() };
        assert_eq!(store.erase(&whose, Reason::Operator, day(52)).unwrap(), 1);
        // Nothing is known to be as old: not the erased one, whose time is gone with its content.
        assert_eq!(store.purge(day(10), day(53)).unwrap(), 0);
        let state = whole(store, &[head])[0];
        assert_eq!((state.purged, state.erased, state.kept), (0, 1, 2));
        // What is old behind it is erased one by one.
        assert_eq!(store.purge(day(52), day(60)).unwrap(), 1);
        let state = whole(store, &[head])[0];
        assert_eq!((state.purged, state.erased), (0, 2));
        // The first deletion is old enough, the second is not.
        assert_eq!(store.purge(day(53), day(61)).unwrap(), 1);
        let state = whole(store, &[head])[0];
        assert_eq!((state.purged, state.erased), (1, 1));
        assert!(store.purge(day(100), day(101)).unwrap() >= 3);
        whole(store, &[head]);
    });
}

#[test]
fn long_changes_are_made_in_steps() {
    on_each(|store| {
        for batch in 0..12_u8 {
            let all: Vec<_> = (0..200_u8)
                .map(|number| {
                    let mut receipt = receipt(number % 100, i64::from(number));
                    receipt.id.0[1] = batch + 1;
                    receipt.id.0[2] = number;
                    Entry::Choice(receipt)
                })
                .collect();
            store.append(CHAIN, &all).unwrap();
        }
        let whose = Filter { consent: Some(ConsentId([0; 16])), ..Filter::default() };
        assert_eq!(store.erase(&whose, Reason::Operator, UnixTime(1_000)).unwrap(), 600);
        assert_eq!(store.count(&Filter::default()).unwrap(), 1_800);
        whole(store, &[]);
        // The deletions are as old by then.
        assert_eq!(store.purge(UnixTime(2_000), UnixTime(9_000)).unwrap(), 3_000);
        assert_eq!(store.count(&Filter::default()).unwrap(), 0);
        whole(store, &[]);
    });
}

/// What somebody with `sqlite3` can do, and what `verify` says of it.
#[test]
fn tampering_is_found() {
    let move_row = "UPDATE record SET position = 90 WHERE position = 2; UPDATE record SET position = 2 WHERE \
                    position = 3; UPDATE record SET position = 3 WHERE position = 90";
    for (sql, position, flaw) in [
        ("UPDATE record SET body = replace(body, 'analytics', 'marketing') WHERE position = 2", 2, Flaw::Changed),
        ("UPDATE record SET body = replace(body, ':', ': ') WHERE position = 2", 2, Flaw::Changed),
        ("UPDATE record SET id = randomblob(16) WHERE position = 2", 2, Flaw::Changed),
        ("UPDATE record SET content = randomblob(32), body = NULL WHERE position = 2", 2, Flaw::Unlinked),
        ("UPDATE record SET hash = randomblob(32) WHERE position = 2", 2, Flaw::Unlinked),
        ("DELETE FROM record WHERE position = 2", 2, Flaw::Missing),
        ("DELETE FROM record WHERE position = 0", 0, Flaw::Missing),
        (move_row, 2, Flaw::Unlinked),
        ("UPDATE record SET body = NULL WHERE position = 2", 2, Flaw::ErasedInSilence),
        ("DELETE FROM record WHERE position = 4", 4, Flaw::Truncated),
        ("DELETE FROM record", 0, Flaw::Truncated),
        ("DELETE FROM record; DELETE FROM chain", 0, Flaw::Truncated),
        (
            "UPDATE chain SET first = 2, base = (SELECT hash FROM record WHERE position = 1); \
             DELETE FROM record WHERE position < 2",
            2,
            Flaw::PurgedInSilence,
        ),
        // The end cut off, and the chain's own word for it made to fit: only the head that was noted elsewhere tells.
        (
            "DELETE FROM record WHERE position = 4; UPDATE chain SET next = 4, head = (SELECT hash FROM record WHERE \
             position = 3)",
            4,
            Flaw::Truncated,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let head = sqlite(folder.path()).append(CHAIN, &entries(0..5)).unwrap();
        let outside = rusqlite::Connection::open(folder.path().join("receipts.sqlite")).unwrap();
        outside.execute_batch("PRAGMA foreign_keys = off").unwrap();
        outside.execute_batch(sql).unwrap();
        drop(outside);
        let report = verify(&mut sqlite(folder.path()), &[head], &mut || ()).unwrap();
        let broken = report.broken().unwrap_or_else(|| panic!("not found: {sql}"));
        assert_eq!((broken.position, broken.flaw), (position, flaw), "{sql}");
        assert!(broken.to_string().contains(&format!("record {position}: ")), "{broken}");
    }
}

#[test]
fn the_whole_chain_made_anew_is_found_by_the_noted_head() {
    on_each(|store| {
        let other = tempfile::tempdir().unwrap();
        let head = sqlite(other.path()).append(CHAIN, &entries(0..5)).unwrap();
        store.append(CHAIN, &entries(1..7)).unwrap();
        let broken = verify(store, &[head], &mut || ()).unwrap().broken().unwrap();
        assert_eq!((broken.position, broken.flaw), (4, Flaw::Rewritten));
    });
}

#[test]
fn the_database_is_the_owners_alone_and_holds_nothing_that_was_erased() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut store = sqlite(folder.path());
    store.append(CHAIN, &entries(0..40)).unwrap();
    let secret = ConsentId([1; 16]).to_string();
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let holds = || {
        let bytes: Vec<u8> = files().iter().flat_map(|file| std::fs::read(file).unwrap()).collect();
        memchr::memmem::find(&bytes, secret.as_bytes()).is_some()
    };
    assert!(holds() && files().len() == 3, "{:?}", files());
    for file in files() {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    let whose = Filter { consent: Some(ConsentId([1; 16])), ..Filter::default() };
    store.erase(&whose, Reason::Visitor, UnixTime(1)).unwrap();
    assert!(!holds(), "the content is still in a file");
}

#[test]
fn a_backup_is_whole_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = sqlite(folder.path());
    let head = store.append(CHAIN, &entries(0..90)).unwrap();
    let to = folder.path().join("copy.sqlite");
    let mut seen = Vec::new();
    sqlite(folder.path()).backup(&to, &mut |done, all| seen.push((done, all))).unwrap();
    store.append(CHAIN, &entries(100..110)).unwrap();
    let mut copy = Sqlite::open_existing(&to, Duration::ZERO).unwrap();
    assert_eq!(whole(&mut copy, &[head])[0].kept, 90);
    assert!(seen.iter().all(|(done, all)| done <= all), "{seen:?}");
    assert!(store_error(&mut sqlite(folder.path()), &to).contains("exists"));
    assert_eq!(whole(&mut copy, &[head])[0].kept, 90, "the first backup was not touched");
}

fn store_error(store: &mut Sqlite, to: &Path) -> String {
    store.backup(to, &mut |_, _| ()).unwrap_err().to_string()
}

#[test]
fn what_a_later_release_made_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("receipts.sqlite");
    drop(sqlite(folder.path()));
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Sqlite::open(&path, Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("later release"), "{error}");
    std::fs::write(folder.path().join("text"), "this is no database, whatever its name says").unwrap();
    assert!(Sqlite::open(&folder.path().join("text"), Duration::ZERO).is_err());
}
