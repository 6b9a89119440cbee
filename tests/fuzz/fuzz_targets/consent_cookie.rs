//! Any bytes as a consent cookie: nobody without the key makes a choice, and a choice that was changed is none.
#![no_main]

use consentry::consent::{Choice, ConsentId, Keys, decode, encode};
use consentry::cookie::UnixTime;
use consentry::policy::{Catalogue, CatalogueParts, Policy, PolicyParts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A key that never signs here: libFuzzer learns signed values from the comparisons below and replays them.
    let unused = Keys::new(b"a secret that signs nothing", []);
    assert_eq!(decode(data, &unused, "site"), None);
    let keys = Keys::new(b"a secret that signs", []);
    let Some((id, rest)) = data.split_first_chunk() else { return };
    let Some((made, flips)) = rest.split_first_chunk() else { return };
    let made = UnixTime(i64::from(u32::from_le_bytes(*made)));
    let policy = Policy::compile(PolicyParts::default(), Catalogue::compile(CatalogueParts::default()).into());
    let choice = Choice::reject_all(&policy, ConsentId(*id), made);
    let value = encode(&choice, &keys, "site").into_bytes();
    assert_eq!(decode(&value, &keys, "site"), Some(choice));
    let mut forged = value.clone();
    for (byte, flip) in forged.iter_mut().zip(flips) {
        *byte ^= flip;
    }
    if forged != value {
        assert_eq!(decode(&forged, &keys, "site"), None);
    }
});
