//! Any bytes as a PROXY header: nothing panics, and a header is whole neither with a byte less nor with one more.
#![no_main]

use consentry::server::announced::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let binary = [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), data].concat();
    let line = [b"PROXY ".as_slice(), data, b"\r\n"].concat();
    for header in [data, &binary, &line] {
        if parse(header).is_ok() {
            assert!(parse(&header[..header.len() - 1]).is_err());
            assert!(parse(&[header, b"x"].concat()).is_err());
        }
    }
});
