//! Bytes that are not ours to change, in every charset.

use encoding_rs::{BIG5, EUC_KR, GB18030, GBK, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::*;

fn with(charset: Option<&'static encoding_rs::Encoding>) -> Settings {
    Settings { charset, ..settings() }
}

#[test]
fn bytes_stay_whatever_charset_is_declared() {
    let all: Vec<u8> = (0..=255_u8).filter(|b| !b"<>\"'&=`".contains(b)).collect();
    for charset in [
        None,
        Some(UTF_8),
        Some(WINDOWS_1252),
        Some(SHIFT_JIS),
        Some(GBK),
        Some(GB18030),
        Some(BIG5),
        Some(EUC_KR),
        Some(ISO_2022_JP),
    ] {
        for meta in [
            "",
            "<meta charset=shift_jis>",
            "<meta charset=utf-16>",
            "<meta http-equiv=content-type content='text/html; charset=gbk'>",
        ] {
            let parts: [&[u8]; 11] = [
                meta.as_bytes(),
                b"<p title=\"",
                &all,
                b"\">",
                &all,
                b"<script>",
                &all,
                b"</script><img src=//bad.example/i alt='",
                &all,
                b"'><a href=/x ping=//bad.example/ title='",
                &all,
            ];
            let page = [&parts.concat()[..], b"'>z<iframe class='", &all, b"' src=/i></iframe>"].concat();
            let cut = |what: &[u8], page: &[u8]| {
                let at = memchr::memmem::find(page, what).expect("it is there");
                [&page[..at], &page[at + what.len()..]].concat()
            };
            let wanted = cut(
                b" ping=//bad.example/",
                &cut(&[b"<img src=//bad.example/i alt='", &all[..], b"'>"].concat(), &page),
            );
            assert_eq!(lossy(&rewrite_bytes(&with(charset), &page)), lossy(&wanted), "{charset:?} {meta}");
            assert!(rewrite_bytes(&with(charset), &page) == wanted);
        }
    }
}

#[test]
fn utf16_is_rewritten_as_utf16() {
    let page = "<p>\u{1f36a}\u{e9}<img src=//bad.example/\u{e9}><script>track('init')</script>\u{4e2d}";
    let wanted = "<p>\u{1f36a}\u{e9}<script></script>\u{4e2d}";
    let le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    assert_eq!(rewrite_bytes(&with(Some(UTF_16LE)), &le(page)), le(wanted));
    assert_eq!(rewrite_bytes(&with(Some(UTF_16BE)), &be(page)), be(wanted));
    // The mark beats the header.
    for charset in [None, Some(UTF_8), Some(UTF_16BE)] {
        let marked = format!("\u{feff}{page}");
        assert_eq!(rewrite_bytes(&with(charset), &le(&marked)), le(&format!("\u{feff}{wanted}")));
    }
    let odd = [le("<b>\u{4e2d}"), vec![0x00, 0xd8, 0x41, 0x00, 0x3c]].concat();
    assert_eq!(rewrite_bytes(&with(Some(UTF_16LE)), &odd), odd);
}

#[test]
fn japanese_text_is_no_markup() {
    let text = b"\x1b$B$<<A%<img'\"<script<!--\x1b(B";
    let page = |meta: &[u8], bad: &[u8]| [meta, b"<p title='", text, b"'>", text, b"</p>", bad, b"<i>", text].concat();
    let bad = [b"<img alt=\"", &text[..], b"\" src=//bad.example/>"].concat();
    for (charset, meta) in [
        (Some(ISO_2022_JP), &b""[..]),
        (None, b"<meta charset=iso-2022-jp>"),
        (None, b"<META content='text/html; charset=ISO-2022-JP' http-equiv=Content-Type>"),
    ] {
        assert_eq!(lossy(&rewrite_bytes(&with(charset), &page(meta, &bad))), lossy(&page(meta, b"")));
    }
    // Without a word for it these are bytes like others.
    assert_eq!(rewrite("<meta charset=utf-8>\u{1b}$B<img src=//bad.example/>x"), "<meta charset=utf-8>\u{1b}$Bx");
}

#[test]
fn hosts_are_read_in_the_charset_of_the_page() {
    let latin = b"<b><img src=//caf\xe9.example/></b>";
    assert_eq!(lossy(&rewrite_bytes(&with(Some(WINDOWS_1252)), latin)), "<b></b>");
    let meta = [&b"<meta charset=windows-1252>"[..], latin].concat();
    assert_eq!(lossy(&rewrite_bytes(&with(None), &meta)), "<meta charset=windows-1252><b></b>");
    let marked = "\u{feff}<b><img src=//caf\u{e9}.example/></b>";
    assert_eq!(lossy(&rewrite_bytes(&with(Some(WINDOWS_1252)), marked.as_bytes())), "\u{feff}<b></b>");
}

#[test]
fn short_pages_come_whole() {
    for page in [&b""[..], b"\xef", b"\xef\xbb", b"\xff", b"\xfe\xff", b"<", b"&"] {
        assert_eq!(rewrite_bytes(&with(None), page), page);
    }
}
