//! Style sheets in `<style>` and `style=`: what they would fetch from a blocked host is put out of reach, where the policy
//! asks for it. Only the blocked URL changes.

use std::borrow::Cow;

use encoding_rs::{BIG5, Encoding, GB18030, GBK, SHIFT_JIS};

use super::css::{Reader, State, Token};
use super::escapes::unescape;
use super::references;

/// What is written instead of a blocked URL: it contacts nobody, and needs no quotes.
const NOTHING: &[u8] = b"data:,";

/// A style sheet that is read as it comes.
#[derive(Debug)]
pub(super) struct Sheet {
    encoding: &'static Encoding,
    /// Inside SVG text is markup: references stand for characters.
    in_markup: bool,
    /// The token that has not ended.
    held: Vec<u8>,
    /// Not worth reading again before so much is held.
    enough: usize,
    state: State,
}

impl Sheet {
    pub(super) fn new(encoding: &'static Encoding, in_markup: bool) -> Self {
        Self { encoding, in_markup, held: Vec::new(), enough: 0, state: State::default() }
    }

    /// Takes more of the text and appends to `out` all but the token that may go on. What is not worth reading yet is
    /// read all the same where more than `most` would be held otherwise.
    pub(super) fn push(&mut self, chunk: &[u8], most: usize, blocked: impl FnMut(&str) -> bool, out: &mut Vec<u8>) {
        self.held.extend_from_slice(chunk);
        if self.held.len() >= self.enough || self.held.len() > most {
            self.read(false, blocked, out);
        }
    }

    /// The sheet is complete.
    pub(super) fn end(&mut self, blocked: impl FnMut(&str) -> bool, out: &mut Vec<u8>) {
        self.read(true, blocked, out);
    }

    /// What was held leaves unjudged: only for a page that is given up.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }

    /// How many bytes are held.
    pub(super) fn holds(&self) -> usize {
        self.held.len()
    }

    fn read(&mut self, whole: bool, mut blocked: impl FnMut(&str) -> bool, out: &mut Vec<u8>) {
        let masked = without_trail_bytes(&self.held, self.encoding);
        let mut reader = Reader { text: &masked, at: 0, whole, state: self.state };
        let mut done = 0;
        while let Some(token) = reader.next() {
            let Token::Url(at) = token else { continue };
            let (text, _) = self.encoding.decode_without_bom_handling(&self.held[at.clone()]);
            let url = unescape(&text);
            let url = match self.in_markup {
                true => Cow::Owned(references::decode(&url).trim_matches(['"', '\'']).to_owned()),
                false => Cow::Borrowed(&*url),
            };
            if blocked(&url) {
                out.extend_from_slice(&self.held[done..at.start]);
                out.extend_from_slice(NOTHING);
                done = at.end;
            }
        }
        let end = if whole { self.held.len() } else { reader.at };
        self.state = reader.state;
        out.extend_from_slice(&self.held[done..end]);
        self.held.drain(..end);
        // Reading a long token anew with each chunk would take quadratic time.
        self.enough = if self.held.len() > 4096 { 2 * self.held.len() } else { 0 };
    }
}

/// A `style` attribute's text with nothing blocked in it; `None` if there was nothing.
pub(super) fn filter(text: &str, mut blocked: impl FnMut(&str) -> bool) -> Option<String> {
    let (mut any, mut out) = (false, Vec::new());
    let blocked = |url: &str| {
        let is = blocked(url);
        any |= is;
        is
    };
    let mut sheet = Sheet { held: text.as_bytes().to_vec(), ..Sheet::new(encoding_rs::UTF_8, false) };
    sheet.end(blocked, &mut out);
    any.then(|| String::from_utf8_lossy(&out).into_owned())
}

/// The second byte of a character may look like `\` or `{` in these encodings.
fn without_trail_bytes<'t>(text: &'t [u8], encoding: &'static Encoding) -> Cow<'t, [u8]> {
    if text.is_ascii() || ![SHIFT_JIS, GBK, GB18030, BIG5].contains(&encoding) {
        return Cow::Borrowed(text);
    }
    let is_lead = |byte: u8| byte >= 0x81 && !(encoding == SHIFT_JIS && (0xa0..0xe0).contains(&byte));
    let mut text = text.to_vec();
    let mut at = 0;
    while at + 1 < text.len() {
        if is_lead(text[at]) && text[at + 1] >= 0x40 {
            text[at + 1] = 0x80;
            at += 1;
        }
        at += 1;
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocked(url: &str) -> bool {
        let base = url::Url::parse("https://shop.example/").unwrap();
        base.join(url).is_ok_and(|url| url.host_str() == Some("bad.example"))
    }

    fn pieces<'a>(encoding: &'static Encoding, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let (mut sheet, mut out) = (Sheet::new(encoding, false), Vec::new());
        pieces.for_each(|piece| sheet.push(piece, 1 << 20, blocked, &mut out));
        sheet.end(blocked, &mut out);
        out
    }

    /// Whole and byte by byte, which must agree.
    fn read(css: &str) -> String {
        let whole = pieces(encoding_rs::UTF_8, std::iter::once(css.as_bytes()));
        let bytewise = pieces(encoding_rs::UTF_8, css.as_bytes().chunks(1));
        assert_eq!(String::from_utf8_lossy(&bytewise), String::from_utf8_lossy(&whole));
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn only_what_is_blocked_changes() {
        for (css, after) in [
            ("a{background:url(//bad.example/x) no-repeat}", "a{background:url(data:,) no-repeat}"),
            ("a{background:URL( '//bad.example/x' )}", "a{background:URL( 'data:,' )}"),
            ("a{b:url(\"//BAD.example\")}", "a{b:url(\"data:,\")}"),
            ("a{b:url(/own),url(//bad.example)}", "a{b:url(/own),url(data:,)}"),
            ("@import '//bad.example/c.css' screen;a{}", "@import 'data:,' screen;a{}"),
            ("@IMPORT/**/ url(//bad.example/c.css) layer(x);", "@IMPORT/**/ url(data:,) layer(x);"),
            ("@\\69mport \"//bad.example\";", "@\\69mport \"data:,\";"),
            ("a{b:\\75 rl(//bad.example)}", "a{b:\\75 rl(data:,)}"),
            ("a{b:u\\72l(//b\\61 d.example/\\)x)}", "a{b:u\\72l(data:,)}"),
            ("a{b:url(\\2f\\2f bad.example)}", "a{b:url(data:,)}"),
            ("a{b:url('//bad\\\n.example')}", "a{b:url('data:,')}"),
            ("a{b:image-set('//bad.example/1' 1x, url(/own) 2x)}", "a{b:image-set('data:,' 1x, url(/own) 2x)}"),
            ("a{b:-webkit-image-set(url(//bad.example/1) 1x)}", "a{b:-webkit-image-set(url(data:,) 1x)}"),
            ("a{b:src('//bad.example')}", "a{b:src('data:,')}"),
            ("@font-face{src:url(//bad.example/f)format('x')}", "@font-face{src:url(data:,)format('x')}"),
            ("a{b:url(//bad.example", "a{b:url(data:,"),
            ("a{b:url('//bad.example", "a{b:url('data:,"),
            ("@import '//bad.example", "@import 'data:,"),
            ("a{b:url(data:x;y,z),url(//bad.example)}", "a{b:url(data:x;y,z),url(data:,)}"),
            ("a{b:url('data:x,(\"),}'),url(//bad.example)}", "a{b:url('data:x,(\"),}'),url(data:,)}"),
            ("a{b:url(bad(x),url(//bad.example)}", "a{b:url(bad(x),url(data:,)}"),
            ("a{b:url(x y),url(//bad.example)}", "a{b:url(x y),url(data:,)}"),
            ("a{b:'x\n;c:url(//bad.example)}", "a{b:'x\n;c:url(data:,)}"),
            (
                "/* ' */a{b:url(//bad.example)}/* url(//bad.example) */",
                "/* ' */a{b:url(data:,)}/* url(//bad.example) */",
            ),
            ("<!-- a{b:url(//bad.example)} -->", "<!-- a{b:url(data:,)} -->"),
        ] {
            assert_eq!(read(css), after, "{css}");
        }
    }

    #[test]
    fn what_fetches_nothing_stays() {
        for css in [
            "",
            "a{content:'url(//bad.example)'}a::after{content:'//bad.example'}",
            "/* url(//bad.example) @import '//bad.example' **/",
            "@namespace svg url(//bad.example);@namespace '//bad.example';",
            "a{b:curl(//bad.example)}#url(//bad.example){}a{b:url(//bad.example\"x)}",
            "a{b:url(//notbad.example)}@importx '//bad.example';@media '//bad.example'",
            "@import x '//bad.example';",
            "a{b:url('//bad.example\n')}",
            "\\",
            "/",
            "@",
            "a{b:url(",
            "a{b:url('",
            "/* open",
        ] {
            assert_eq!(read(css), css);
        }
    }

    #[test]
    fn second_bytes_are_no_syntax() {
        for (encoding, lead) in [(SHIFT_JIS, 0x83), (GBK, 0x90), (BIG5, 0xa5)] {
            let css = [&b"a{b:'"[..], &[lead, b'\\'], b"';c:url(//bad.example)}"].concat();
            let out = pieces(encoding, css.chunks(1));
            assert!(out.ends_with(b"c:url(data:,)}"), "{}", String::from_utf8_lossy(&out));
        }
    }

    #[test]
    fn only_the_token_being_read_is_held() {
        let (mut sheet, mut out) = (Sheet::new(encoding_rs::UTF_8, false), Vec::new());
        sheet.push(b"a{color:red;b:url(//goo", 1 << 20, blocked, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "a{color:red;b:");
        sheet.push(b"d.example)url(data:image/png;base64,AAAA", 1 << 20, blocked, &mut out);
        assert_eq!(sheet.holds(), 0);
        sheet.push(b"AA) /* long", 1 << 20, blocked, &mut out);
        assert_eq!(sheet.holds(), 0);
    }

    /// Bits of CSS that, put together, open, close and break things.
    fn soup() -> impl Strategy<Value = String> {
        let bits = prop::sample::select(vec![
            "url(",
            "//bad.example/",
            "'",
            "\"",
            ")",
            "(",
            "\\",
            "\n",
            "\r",
            " ",
            "@import",
            "@namespace",
            "/*",
            "*/",
            ";",
            "{",
            "}",
            "image-set(",
            "\\75 ",
            "\\",
            "data:",
            "d",
            "x",
            "\u{e9}",
            "#",
            "1",
            "-",
            "/",
            "*",
            "\0",
            ",",
        ]);
        prop::collection::vec(bits, 0..24).prop_map(|bits| bits.concat())
    }

    proptest! {
        #[test]
        fn outcome_is_the_same_for_any_cut(css in soup(), size in 1_usize..6) {
            let whole = pieces(encoding_rs::UTF_8, std::iter::once(css.as_bytes()));
            let cut = pieces(encoding_rs::UTF_8, css.as_bytes().chunks(size));
            prop_assert_eq!(String::from_utf8_lossy(&cut), String::from_utf8_lossy(&whole));
            let again = pieces(encoding_rs::UTF_8, std::iter::once(&whole[..]));
            prop_assert_eq!(again, whole, "nothing blocked is left of {}", css);
        }

        #[test]
        fn nothing_blocked_is_nothing_changed(css in soup()) {
            let css = css.replace("bad", "good");
            prop_assert_eq!(read(&css), css);
        }

        #[test]
        fn any_spelling_of_a_url_is_seen(
            escapes in prop::collection::vec(0_u8..4, 13),
            quote in prop::sample::select(vec!["", "'", "\""]),
            before in "[a-z0-9 ,:;]{0,8}",
        ) {
            let url: String = "//bad.example".chars().zip(escapes).map(|(c, how)| match how {
                0 => format!("\\{:x} ", u32::from(c)),
                1 => format!("\\{:06x}", u32::from(c)),
                2 if !c.is_ascii_hexdigit() => format!("\\{c}"),
                _ => c.to_string(),
            }).collect();
            let css = format!("a{{{before} url({quote}{url}{quote})}}");
            prop_assert_eq!(read(&css), format!("a{{{before} url({quote}data:,{quote})}}"), "{}", css);
        }
    }
}
