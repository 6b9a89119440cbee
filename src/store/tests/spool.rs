use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 20;

#[test]
fn what_waits_survives_a_restart_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let mut spool = Spool::at(&path, LIMIT);
    assert!(spool.is_empty().unwrap() && !path.exists(), "nothing is made before it is needed");
    spool.append(&entries(0..3)).unwrap();
    spool.append(&entries(3..5)).unwrap();
    assert!(matches!(Spool::at(&path, LIMIT).is_empty(), Err(SpoolError::InUse)), "one process at a time");
    drop(spool);
    let mut spool = Spool::at(&path, LIMIT);
    assert_eq!(spool.read().unwrap(), (entries(0..5), 0));
    spool.clear().unwrap();
    assert!(spool.is_empty().unwrap());
    spool.append(&entries(7..8)).unwrap();
    assert_eq!(spool.read().unwrap().0, entries(7..8));
}

#[test]
fn it_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::at(&folder.path().join("spool"), 2_000);
    let mut taken = 0;
    while spool.append(&entries(taken..taken + 1)).is_ok() {
        taken += 1;
    }
    assert!((2..10).contains(&taken), "{taken}");
    assert!(matches!(spool.append(&entries(0..1)), Err(SpoolError::Full(2_000))));
    assert_eq!(spool.read().unwrap(), (entries(0..taken), 0));
}

#[test]
fn a_disk_that_takes_nothing_is_an_error() {
    let mut spool = Spool::at(Path::new("/dev/full"), LIMIT);
    assert!(matches!(spool.append(&entries(0..1)), Err(SpoolError::Io(_))));
}

proptest! {
    /// Cut and damaged anywhere, no other receipt is lost and nothing is invented.
    #[test]
    fn damage_hides_nothing_else(
        cut: prop::sample::Index,
        flipped in prop::option::of(any::<prop::sample::Index>()),
        new in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        Spool::at(&path, LIMIT).append(&entries(0..6)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let ends: Vec<usize> = (0..6)
            .map(|number| (0..=number).map(|number| entry(number).canonical().len() + 16).sum())
            .collect();
        let cut = cut.index(bytes.len() + 1);
        bytes.truncate(cut);
        let flipped = flipped.filter(|_| cut > 0).map(|at| at.index(cut));
        if let Some(at) = flipped {
            bytes[at] ^= 0x20;
        }
        std::fs::write(&path, &bytes).unwrap();
        let mut spool = Spool::at(&path, LIMIT);
        if new {
            spool.append(&entries(50..51)).unwrap();
        }
        let frame_of = |at: usize| ends.iter().filter(|end| **end <= at).count();
        let lost = |number: usize| ends[number] > cut || flipped.is_some_and(|at| frame_of(at) == number);
        let mut left: Vec<_> = (0..6).filter(|number| !lost(usize::from(*number))).map(entry).collect();
        left.extend(new.then(|| entry(50)));
        let (read, torn) = spool.read().unwrap();
        prop_assert_eq!(read, left);
        prop_assert_eq!(torn > 0, cut != 0 && !ends.contains(&cut) || flipped.is_some());
    }
}
