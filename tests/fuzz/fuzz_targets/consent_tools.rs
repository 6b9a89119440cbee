//! Any bytes as `Cookie` lines of any consent tool: nothing panics, and a second copy of a record never grants more.
#![no_main]

use consentry::consent::formats::{Format, Reading};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for format in Format::all() {
        let _ = format.read([data], None);
        for pattern in format.cookies() {
            let cookie = [pattern.replace('*', "x").as_bytes(), b"=", data].concat();
            let alone = format.read([&cookie[..]], None);
            let twice = format.read([&cookie[..], &cookie[..]], None);
            let act = |reading: &Reading| matches!(reading, Reading::Act(_));
            assert_eq!(act(&alone), act(&twice), "{format:?}");
        }
    }
});
