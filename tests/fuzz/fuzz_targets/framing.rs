//! Any bytes as the messages of an HTTP/1.1 client: nothing panics, and what is seen does not depend on how they come.
#![no_main]

#[path = "../../../src/server/http1/framing.rs"]
mod framing;

use framing::Framing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((step, stream)) = data.split_first() else { return };
    let whole = Framing::default().doubtful(stream);
    let mut framing = Framing::default();
    let cut = stream.chunks(usize::from(*step).max(1)).find_map(|piece| framing.doubtful(piece));
    assert_eq!(whole, cut, "seen whole and in pieces");
    if whole.is_none() {
        return;
    }
    let lower = stream.to_ascii_lowercase();
    let has = |name: &[u8]| lower.windows(name.len()).any(|window| window == name);
    assert!(has(b"content-length") && has(b"transfer-encoding"), "a field was seen that is not there");
});
