//! What the site serves, and what a visitor may see of it.

use std::io::{Read as _, Write as _};
use std::time::Duration;

/// Bytes of `/download`.
pub(super) const DOWNLOAD: usize = 10 << 20;

/// `/slow`, each piece some time after the one before.
pub(super) const SLOW: [&str; 5] = [
    "<!DOCTYPE html><html lang=en><head><title>Slow</title>",
    "<script src=https://www.googletagmanager.com/gtag/js?id=G-1></script></head><body>",
    "<p>First.</p><img src=//www.facebook.com/tr?id=1>",
    "<p>Second.</p>",
    "<p>Last.</p></body></html>",
];
pub(super) const SLOW_PAUSE: Duration = Duration::from_millis(400);

/// What no visitor may see who has not agreed to it: the hosts in [`SLOW`] and in the page.
pub(super) const TRACKERS: [&str; 3] = ["www.googletagmanager.com", "www.facebook.com", "fbq('init'"];

/// In which coding a client wants a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Brotli,
}

impl Coding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    fn encode(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Identity => text.to_vec(),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).and_then(|()| encoder.finish()).unwrap()
            }
            Self::Brotli => {
                let mut out = Vec::new();
                brotli::CompressorWriter::new(&mut out, 4096, 4, 20).write_all(text).unwrap();
                out
            }
        }
    }

    pub(super) fn decode(self, body: &[u8]) -> std::io::Result<String> {
        let mut text = String::new();
        match self {
            Self::Identity => (&*body).read_to_string(&mut text),
            Self::Gzip => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
            Self::Brotli => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        }?;
        Ok(text)
    }
}

/// All answers that lie ready, with their heads.
pub(super) struct Answers {
    pages: [(Coding, Vec<u8>); 3],
    unchanged: Vec<u8>,
    json: Vec<u8>,
    missing: Vec<u8>,
}

impl Answers {
    pub(super) fn new() -> Self {
        let page = page();
        let pages = [Coding::Brotli, Coding::Gzip, Coding::Identity].map(|coding| {
            let kind = "Content-Type: text/html; charset=utf-8\r\nVary: Accept-Encoding\r\nETag: \"one\"\r\n\
                Set-Cookie: PHPSESSID=0123456789abcdef; path=/\r\nSet-Cookie: _ga=GA1.1.1.1; Max-Age=63072000\r\n";
            let coded = format!("{kind}Content-Encoding: {}\r\n", coding.name());
            let lines = if coding == Coding::Identity { kind } else { &coded };
            (coding, answer("200 OK", lines, &coding.encode(page.as_bytes())))
        });
        let json = "Content-Type: application/json\r\nSet-Cookie: PHPSESSID=0123456789abcdef; path=/\r\n\
            Set-Cookie: _fbp=fb.1.1.1; Max-Age=7776000\r\n";
        Self {
            pages,
            unchanged: b"HTTP/1.1 304 Not Modified\r\nETag: \"one\"\r\n\r\n".to_vec(),
            json: answer("200 OK", json, br#"{"answer":42}"#),
            missing: answer("404 Not Found", "Content-Type: text/html\r\n", b"<p>There is no such page.</p>"),
        }
    }

    /// The answer to a request, whose head is in lower case.
    pub(super) fn to(&self, path: &str, head: &str) -> &[u8] {
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        match path {
            "/page" if field("if-none-match: ").contains("\"one\"") => &self.unchanged,
            "/page" => {
                let accepted = field("accept-encoding: ");
                let fits = |coding: Coding| accepted.contains(coding.name()) || coding == Coding::Identity;
                self.pages.iter().find(|(coding, _)| fits(*coding)).map_or(&self.missing, |(_, page)| page)
            }
            "/api" => &self.json,
            _ => &self.missing,
        }
    }
}

fn answer(status: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// About 20 KiB.
fn page() -> String {
    let mut page =
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Teas</title></head><body>\n".to_owned();
    for number in 0..40 {
        let text = "A tea of which there is much to say, and little that was not said before. ".repeat(5);
        page += &format!(
            "<article id=a{number}><h2><a href=/tea/{number}>Tea &amp; more</a></h2><p>{text}</p></article>\n"
        );
        page += &match number % 8 {
            2 => format!("<script async src=\"https://www.googletagmanager.com/gtag/js?id=G-{number}\"></script>\n"),
            4 => format!("<img src=\"//www.facebook.com/tr?id={number}&amp;noscript=1\">\n"),
            6 => format!("<script>fbq('init', '{number}');</script>\n"),
            _ => format!("<img src=/tea/{number}.jpg alt=\"\">\n"),
        };
    }
    page + "<footer>The end.</footer></body></html>\n"
}
