//! Any bytes in any content codings: nothing panics, no more comes out than may, and not otherwise when it comes in pieces.
#![no_main]

use consentry::proxy::coding::{Caps, Coding, Decoder, Error};
use libfuzzer_sys::fuzz_target;

const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];
const CAPS: Caps = Caps { bytes: 2 << 20, ratio: 100 };

/// What came out before an error, and whether there was one.
fn decode<'a>(codings: &[Coding], pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut decoder = Decoder::new(codings, CAPS);
    for piece in pieces {
        let written = decoder.write::<Error>(piece, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        });
        if written.is_err() {
            return (out, false);
        }
    }
    let whole = decoder.end().is_ok();
    (out, whole)
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, step], body)) = data.split_first_chunk() else { return };
    let two = [CODINGS[usize::from(kind & 3)], CODINGS[usize::from(kind >> 2 & 3)]];
    let codings = &two[..1 + usize::from(kind >> 4 & 1)];
    let (whole, good) = decode(codings, std::iter::once(body));
    assert!(whole.len() as u64 <= CAPS.bytes);
    let (cut, cut_good) = decode(codings, body.chunks(usize::from(step).max(1)));
    assert_eq!(good, cut_good, "{codings:?} whole and in pieces");
    if good {
        assert!(whole == cut, "{codings:?} whole and in pieces");
    }
});
