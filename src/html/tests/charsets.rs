//! Bytes that are not ours to change, in every charset.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, KOI8_R, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1251, WINDOWS_1252,
};

use super::*;

fn with(charset: Option<&'static Encoding>) -> Settings {
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

/// A tag that had begun before the page turned out to be Japanese, with bytes in it that no such page has.
#[test]
fn bytes_before_japanese_text_are_not_lost() {
    for garbage in [&b"\xee"[..], b"\xee\xee", b"\xee\x80", b"\xee\x80\xee", b"\xff\xee\x84"] {
        for rest in [&b""[..], b"\x1b", b"\x1b$B<<A%\x1b(B>", b">\xee\x1b(B"] {
            let page = [b"<meta charset=iso-2022-jp><p title=", garbage, rest, garbage].concat();
            assert_eq!(rewrite_bytes(&with(None), &page), page, "{}", page.escape_ascii());
        }
    }
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

/// How a page says what its charset is, and whether that is true.
const SAID: [(&str, &str); 8] = [
    ("in the header", "*"),
    ("in a meta", "<meta charset=*>"),
    ("in a meta of old", "<meta http-equiv='Content-Type' content='text/html; charset=*'>"),
    ("late", "<!-- LONG --><meta charset=*>"),
    ("later than anything", "LATE"),
    ("nowhere", ""),
    ("wrongly in the header", "!"),
    ("wrongly in a meta", "<meta charset=euc-kr>"),
];

/// In their words some second bytes look like `\`, `|` or `` ` ``.
#[test]
fn text_stays_byte_for_byte_whatever_is_said_of_its_charset() {
    for (encoding, words) in [
        (UTF_8, "Gr\u{fc}\u{df}e, \u{4e16}\u{754c} \u{1f36a}"),
        (WINDOWS_1252, "Gr\u{fc}\u{df}e \u{20ac} caf\u{e9}"),
        (SHIFT_JIS, "\u{8868}\u{30bd}\u{80fd}\u{4e88}\u{ff76}\u{ff9e} \u{8cbc}\u{69cb}"),
        (EUC_JP, "\u{8868}\u{30bd}\u{80fd}"),
        (GBK, "\u{8bda}\u{5031}\u{7ff7}\u{4e16}\u{754c}"),
        (GB18030, "\u{8bda}\u{1f36a}\u{e9}\u{4e16}"),
        (BIG5, "\u{529f}\u{8a31}\u{84cb}\u{7ad9}"),
        (EUC_KR, "\u{b620}\u{c37c}\u{ae00}"),
        (KOI8_R, "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}"),
        (WINDOWS_1251, "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}"),
    ] {
        let (text, _, unmappable) = encoding.encode(words);
        assert!(!unmappable && !text.is_ascii(), "{}", encoding.name());
        for (how, said) in SAID {
            let header = match said {
                "*" => Some(encoding),
                "!" if encoding == UTF_8 => Some(SHIFT_JIS),
                "!" => Some(UTF_8),
                _ => None,
            };
            let said = said.replace('*', encoding.name()).replace("LONG", &"x ".repeat(2000));
            let (early, late) = match &*said {
                "LATE" => (String::new(), format!("<p>{}<meta charset={}>", "x ".repeat(2000), encoding.name())),
                said if said.starts_with('<') => (said.to_owned(), String::new()),
                _ => (String::new(), String::new()),
            };
            let page = |refused: bool| -> Vec<u8> {
                let when = |what: &'static [u8]| if refused { what } else { b"" };
                [
                    early.as_bytes(),
                    b"<title>",
                    &text,
                    b"</title><p class='",
                    &text,
                    b"' ",
                    &text,
                    b">",
                    &text,
                    late.as_bytes(),
                    when(b"<script src=//bad.example/></script>"),
                    &text,
                    b"<a href='/",
                    &text,
                    b"'",
                    when(b" ping=//bad.example/"),
                    b" title=\"",
                    &text,
                    b"\">",
                    &text,
                    b"</a><script>/* ",
                    &text,
                    b" */ own('",
                    &text,
                    b"')</script><noscript>",
                    &text,
                    when(b"<img src=//bad.example/>"),
                    b"</noscript><!-- ",
                    &text,
                    b" -->",
                    &text,
                ]
                .concat()
            };
            let out = rewrite_bytes(&with(header), &page(true));
            assert!(out == page(false), "{} {how}: {}", encoding.name(), lossy(&out));
            let out = rewrite_bytes(&Settings { charset: header, ..granted() }, &page(true));
            assert!(out == page(true), "{} {how}, granted", encoding.name());
        }
    }
}

/// Browsers see no tag in these either.
#[test]
fn utf16_that_is_said_wrongly_passes_as_it_came() {
    let page = "<p>\u{e9}<img src=//bad.example/>";
    let le: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (charset, page) in [
        (None, &le[..]),
        (Some(UTF_8), &le),
        (Some(UTF_16BE), &le),
        (Some(UTF_16LE), b"<p><img src=//bad.example/>\xe9"),
        (Some(UTF_16BE), b"<meta charset=utf-8><img src=//bad.example/>"),
    ] {
        assert_eq!(rewrite_bytes(&with(charset), page), page, "{charset:?}");
    }
    // A page in ASCII cannot say in ASCII that it is UTF-16: browsers take it for UTF-8.
    for said in ["utf-16", "utf-16le", "UTF-16BE", "unicode"] {
        assert_eq!(
            rewrite(&format!("<meta charset={said}>\u{e9}<img src=//bad.example/>")),
            format!("<meta charset={said}>\u{e9}")
        );
    }
}
