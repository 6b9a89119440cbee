//! What an operator does with records, beside the running program and without it.

use std::os::unix::fs::PermissionsExt as _;

use crate::shop::Shop;
use crate::support::block_on;

/// Four choices of two visitors, made while `serve` runs; gives the visitors' ids.
async fn choices(shop: &Shop) -> [String; 2] {
    let serving = shop.serve();
    let mut visitor = shop.visitor(serving.address);
    let first = visitor.post("decision=accept-all", "").await.unwrap();
    visitor.post("decision=withdraw", first.cookie.as_deref().unwrap()).await.unwrap();
    let second = visitor.post("decision=reject-all", "").await.unwrap();
    visitor.post("decision=save&category=analytics", second.cookie.as_deref().unwrap()).await.unwrap();
    // Beside the running program.
    assert_eq!(shop.export(&[]).len(), 4);
    assert_eq!(shop.run(&["verify"]).0, 0);
    drop(serving);
    [first.id.unwrap(), second.id.unwrap()]
}

#[test]
fn records_are_listed_exported_deleted_purged_and_backed_up() {
    block_on(async {
        let shop = Shop::new("");
        let (code, out, err) = shop.run(&["list"]);
        assert_eq!((code, &*out), (0, ""));
        assert!(err.contains("no receipts yet"), "{err}");
        let [first, second] = choices(&shop).await;

        let (_, out, err) = shop.run(&["list"]);
        let columns: Vec<_> = out.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap()).collect();
        assert_eq!((columns, &*err), (vec!["accept-all", "withdraw", "reject-all", "custom"], ""));
        for (arguments, count) in [
            (&["--site", "shop.example", "--since", "2020-01-01"][..], 4),
            (&["--consent-id", &first], 2),
            (&["--method", "custom", "--consent-id", &second], 1),
            (&["--until", "2020-01-01"], 0),
        ] {
            assert_eq!(shop.export(arguments).len(), count, "{arguments:?}");
        }
        for wrong in [["--method", "maybe"], ["--since", "yesterday"], ["--consent-id", "x"]] {
            assert_eq!(shop.run(&["export", wrong[0], wrong[1]]).0, 2, "{wrong:?}");
        }
        let (_, csv, _) = shop.run(&["export", "--format", "csv"]);
        assert_eq!(csv.lines().count(), 5);
        assert!(csv.starts_with("receipt_id,consent_id,site,time,method,") && csv.contains(&second), "{csv}");
        let (code, _, err) = shop.run(&["export", "--output", "out.json"]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(shop.path("out.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(shop.run(&["export", "--output", "out.json"]).0, 1, "nothing is overwritten");

        let (code, out, _) = shop.run(&["backup", "copy.sqlite"]);
        assert_eq!(code, 0, "{out}");
        assert_eq!(shop.run(&["backup", "copy.sqlite"]).0, 1, "nothing is overwritten");

        let (code, out, _) = shop.run(&["delete", "--consent-id", &first]);
        assert_eq!((code, &*out), (0, "2 records were erased\n"));
        assert_eq!(shop.export(&[]).len(), 2);
        assert_eq!(shop.run(&["delete", "--consent-id", &first]).1, "0 records were erased\n");
        let (code, out, _) = shop.run(&["verify"]);
        assert!(code == 0 && out.contains("2 erased"), "{out}");
        // A note of the end, kept elsewhere, still fits later; one that never was does not.
        let head = out.split_whitespace().nth(1).unwrap();
        let (code, out, _) = shop.run(&["purge", "--before", "2999-01-01"]);
        assert_eq!(code, 0, "{out}");
        assert!(shop.export(&[]).is_empty());
        assert_eq!(shop.run(&["verify", "--head", head]).0, 0);
        let longer = head.replacen(":6:", ":60:", 1);
        assert_ne!(head, longer);
        let (code, out, _) = shop.run(&["verify", "--head", &longer]);
        assert!(code == 1 && out.contains("cut off"), "{out}");

        // The backup is a store like any other.
        std::fs::rename(shop.path("copy.sqlite"), shop.path("state/receipts.sqlite")).unwrap();
        assert_eq!(shop.export(&[]).len(), 4);
    });
}

#[test]
fn verify_names_the_first_record_that_is_wrong() {
    block_on(async {
        let shop = Shop::new("");
        choices(&shop).await;
        let (database, copy) = (shop.path("state/receipts.sqlite"), shop.path("copy.sqlite"));
        assert_eq!(shop.run(&["backup", "copy.sqlite"]).0, 0);
        for (sql, words) in [
            ("UPDATE record SET body = replace(body, 'withdraw', 'accept-all')", "record 1: its content was changed"),
            ("DELETE FROM record WHERE position = 2", "record 2: it is missing"),
            (
                "UPDATE record SET position = 9 WHERE position = 1; UPDATE record SET position = 1 WHERE position = 2; \
                 UPDATE record SET position = 2 WHERE position = 9",
                "record 1: it is not the record that followed",
            ),
            ("DELETE FROM record WHERE position = 3", "record 3: it is missing: the end of the chain was cut off"),
            ("UPDATE record SET body = NULL WHERE position = 0", "record 0: its content was erased, and no later"),
        ] {
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(shop.path(&format!("state/receipts.sqlite{end}")));
            }
            std::fs::copy(&copy, &database).unwrap();
            shop.database().execute_batch(sql).unwrap();
            let (code, out, err) = shop.run(&["verify"]);
            assert_eq!(code, 1, "{out}{err}");
            assert!(out.contains(words), "{words} in {out}");
        }
        // All of it gone: the noted end of the chain is left.
        std::fs::remove_file(&database).unwrap();
        let (code, out, _) = shop.run(&["verify"]);
        assert!(code == 1 && out.contains("all of its 4 records are missing"), "{out}");
    });
}
