//! Several proxies with one PostgreSQL, which goes away and comes back.

use std::time::Duration;

use super::server::Server;
use super::*;

fn proxy(folder: &Path, server: &Server) -> Store {
    let settings = config::Receipts {
        postgres: Some(server.url()),
        // Receipts of 1970 are not too old here.
        retention: Duration::from_secs(1_000 * 365 * 86_400),
        ..config::Receipts::in_folder(folder)
    };
    let place = Place { spool: folder.join("receipts.spool"), anchor: folder.join("receipts.head") };
    let opened = settings.clone();
    Store::with(Box::new(move || open(&opened)), &place, &settings).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn proxies_write_side_by_side_and_every_chain_is_whole() {
    let mut server = Server::start();
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let proxies: Vec<_> = folders.iter().map(|folder| proxy(folder.path(), &server)).collect();
    let record_all = |from: u8| {
        block_on(async {
            let tasks: Vec<_> = (from..from + 30)
                .map(|number| {
                    let receipts = proxies[usize::from(number % 3)].receipts();
                    tokio::spawn(async move { receipts.record(receipt(number, i64::from(number))).await })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
        });
    };
    record_all(0);
    // Away: what is acknowledged waits beside each proxy.
    server.stop();
    record_all(30);
    server.resume();
    record_all(60);
    let erased = block_on(proxies[0].receipts().erase("shop.example", ConsentId([1; 16]))).unwrap();
    drop(proxies);
    // What still waited was delivered at the next start.
    let last: Vec<_> = folders.iter().map(|folder| proxy(folder.path(), &server)).collect();
    drop(last);
    let mut store = server.store();
    let kept = found(&mut store, &Filter::default());
    let all: Vec<u8> = (0..90).filter(|number| kept.contains(number) || number % 4 != 1).collect();
    assert_eq!(kept, all);
    assert!(erased > 0 && kept.len() as u64 + erased == 90, "{erased} and {kept:?}");
    let anchors: Vec<_> = folders
        .iter()
        .map(|folder| Anchor::at(&folder.path().join("receipts.head")).read().unwrap().unwrap())
        .collect();
    let report = verify(&mut store, &anchors, &mut || ()).unwrap();
    assert_eq!((report.broken(), report.chains.len()), (None, 3));
}

#[test]
fn the_url_is_a_secret_and_wrong_ones_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let open = || Postgres::open(&file, Duration::from_secs(5)).unwrap_err();
    assert!(open().to_string().contains("url: No such file"), "{}", open());
    std::fs::write(&file, "postgres://user:s3cret@[::1:x/").unwrap();
    assert!(!open().to_string().contains("s3cret"), "{}", open());
    // Nobody listens there: that may pass.
    std::fs::write(&file, "postgres://user:s3cret@127.0.0.1:9/db").unwrap();
    assert!(open().is_passing() && !open().to_string().contains("s3cret"), "{}", open());
}
