//! The rewriter of one page: settles the charset, then hands the bytes to the document.

use std::sync::Arc;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_16BE, UTF_16LE};
use lol_html::AsciiCompatibleEncoding;

use super::charset::{self, Mark};
use super::document::Document;
use super::page::Place;
use super::xml::{Closer, Opener, Unreadable};
use super::{Contact, Error, Gating, Settings, iso2022, utf16};
use crate::consent;
use crate::policy::Finding;

/// Rewrites one page. The outcome is the same however the page is cut into chunks.
pub struct Rewriter {
    settings: Arc<Settings>,
    stage: Stage,
    filtered: bool,
}

enum Stage {
    /// The first bytes may yet be a byte order mark.
    First(Vec<u8>),
    /// The bytes go to the parser as they are. No charset is declared outside of the page itself if `open`.
    Plain { document: Box<Document>, open: bool },
    /// They go through something first that makes the parser read them right, and back.
    Made(Box<Made>),
}

struct Made {
    document: Document,
    charset: Option<Charset>,
    xml: Option<(Closer, Opener)>,
}

/// One that the parser can't read.
enum Charset {
    Utf16(utf16::Decoder, utf16::Encoder),
    Iso2022Jp(iso2022::Decoder, iso2022::Encoder),
}

impl Rewriter {
    /// Starts a page.
    pub fn new(mut settings: Settings) -> Self {
        if settings.gating == Gating::Client {
            settings.grant = consent::required(&settings.policy);
        }
        Self { settings: Arc::new(settings), stage: Stage::First(Vec::new()), filtered: true }
    }

    /// Starts a page of which the parser reads every byte: slower, and to the same end, for those who compare.
    pub fn unfiltered(settings: Settings) -> Self {
        Self { filtered: false, ..Self::new(settings) }
    }

    /// Takes more of the page and appends to `out` what may leave. Held back are the token or inline script being read,
    /// no more. After an error the page must not be completed.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.stage {
            Stage::First(first) => {
                let mut first = std::mem::take(first);
                first.extend_from_slice(chunk);
                self.begin(first, false, out)
            }
            Stage::Plain { document, open: false } => document.write(chunk, out),
            Stage::Plain { .. } => self.write_open(chunk, out),
            Stage::Made(made) => made.write(chunk, out),
        }
    }

    /// The page is complete.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Stage::First(first) = &mut self.stage {
            let first = std::mem::take(first);
            self.begin(first, true, out)?;
        }
        match &mut self.stage {
            Stage::First(_) => Ok(()),
            Stage::Plain { document, .. } => document.end(out),
            Stage::Made(made) => made.end(out),
        }
    }

    /// What was taken out since the last call; at most `Limits::findings`, each once.
    pub fn findings(&mut self) -> Vec<Finding> {
        self.document_mut().map(Document::findings).unwrap_or_default()
    }

    /// Tags that stayed and lead to other sites, since the last call; at most `Limits::findings`, each once.
    pub fn passed(&mut self) -> Vec<Finding> {
        self.document_mut().map(Document::passed).unwrap_or_default()
    }

    /// Whom the page contacts, since the last call; at most `Limits::contacts`, each once. Of an element that is not
    /// granted, only up to the address for which it goes.
    pub fn contacts(&mut self) -> Vec<Contact> {
        self.document_mut().map(Document::contacts).unwrap_or_default()
    }

    /// Whether anything was taken out: if not, what left so far is what came.
    pub fn changed(&self) -> bool {
        self.document().is_some_and(Document::changed)
    }

    /// Why the rest of the page passes unfiltered, if it does (`OnError::Pass`).
    pub fn gave_up(&self) -> Option<Error> {
        self.document().and_then(Document::gave_up)
    }

    fn begin(&mut self, first: Vec<u8>, whole: bool, out: &mut Vec<u8>) -> Result<(), Error> {
        let said = match charset::mark(&first, whole) {
            Mark::None if self.settings.charset.is_none() => charset::declared(&first, self.settings.xml, whole),
            mark => mark,
        };
        let charset = match said {
            Mark::NeedMore => {
                self.stage = Stage::First(first);
                return Ok(());
            }
            Mark::Of(encoding) => Some(encoding),
            Mark::None => self.settings.charset,
        };
        self.stage = self.stage_for(charset);
        self.write(&first, out)
    }

    fn stage_for(&self, charset: Option<&'static Encoding>) -> Stage {
        let utf16 = |big_endian| Charset::Utf16(utf16::Decoder::new(big_endian), utf16::Encoder::new(big_endian));
        let unreadable = match charset {
            Some(charset) if charset == UTF_16LE => Some(utf16(false)),
            Some(charset) if charset == UTF_16BE => Some(utf16(true)),
            Some(charset) if charset == ISO_2022_JP => Some(Charset::iso_2022_jp()),
            _ => None,
        };
        let readable = charset.map(|c| AsciiCompatibleEncoding::new(c).unwrap_or_else(AsciiCompatibleEncoding::utf_8));
        let document = Document::new(Arc::clone(&self.settings), Place::top(&self.settings, self.filtered), readable);
        let xml = self.settings.xml.then(|| (Closer::new(), Opener::default()));
        if unreadable.is_some() || xml.is_some() {
            return Stage::Made(Box::new(Made { document, charset: unreadable, xml }));
        }
        Stage::Plain { document: Box::new(document), open: charset.is_none() }
    }

    /// ISO-2022-JP begins with an escape byte: up to there it is ASCII, and by there a `<meta>` has said so.
    fn write_open(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let mut rest = chunk;
        while let Stage::Plain { document, .. } = &mut self.stage {
            let Some(escape) = memchr::memchr(0x1b, rest) else { return document.write(rest, out) };
            let (before, after) = rest.split_at(escape);
            document.write(before, out)?;
            if document.says_iso_2022_jp() {
                let Stage::Plain { document, .. } = std::mem::replace(&mut self.stage, Stage::First(Vec::new())) else {
                    return Ok(());
                };
                let made = Made { document: *document, charset: Some(Charset::iso_2022_jp()), xml: None };
                self.stage = Stage::Made(Box::new(made));
                rest = after;
            } else {
                let (escape, after) = after.split_at(1);
                document.write(escape, out)?;
                rest = after;
            }
        }
        self.write(rest, out)
    }

    fn document(&self) -> Option<&Document> {
        match &self.stage {
            Stage::First(_) => None,
            Stage::Plain { document, .. } => Some(document),
            Stage::Made(made) => Some(&made.document),
        }
    }

    fn document_mut(&mut self) -> Option<&mut Document> {
        match &mut self.stage {
            Stage::First(_) => None,
            Stage::Plain { document, .. } => Some(document),
            Stage::Made(made) => Some(&mut made.document),
        }
    }
}

impl Charset {
    fn iso_2022_jp() -> Self {
        Self::Iso2022Jp(iso2022::Decoder::new(), iso2022::Encoder::default())
    }
}

impl Made {
    fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let mut text = Vec::with_capacity(chunk.len());
        match &mut self.charset {
            Some(Charset::Utf16(decoder, _)) => decoder.decode(chunk, &mut text),
            Some(Charset::Iso2022Jp(decoder, _)) => decoder.decode(chunk, &mut text),
            None => text.extend_from_slice(chunk),
        }
        self.forward(&text, false, out)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut text = Vec::new();
        let odd = match &mut self.charset {
            Some(Charset::Utf16(decoder, _)) => decoder.end(&mut text),
            Some(Charset::Iso2022Jp(decoder, _)) => {
                decoder.end(&mut text);
                None
            }
            None => None,
        };
        let result = self.forward(&text, true, out);
        if let Some(Charset::Iso2022Jp(_, encoder)) = &mut self.charset {
            encoder.end(out);
        }
        out.extend(odd);
        result
    }

    fn forward(&mut self, text: &[u8], whole: bool, out: &mut Vec<u8>) -> Result<(), Error> {
        let (mut closed, mut unread) = (Vec::new(), None);
        let readable = match &mut self.xml {
            Some((closer, _)) => {
                unread = closer.close(text, &mut closed).err();
                &closed
            }
            None => text,
        };
        let mut left = Vec::with_capacity(text.len());
        let mut result = self.document.write(readable, &mut left);
        if result.is_ok() && unread.is_some() {
            result = self.document.refuse(
                Error::Malformed("a DOCTYPE that declares things, or bytes that are no XML".to_owned()),
                &mut left,
            );
        }
        if whole && result.is_ok() {
            result = self.document.end(&mut left);
        }
        if let Some((_, opener)) = &mut self.xml {
            opener.open(&mut left);
        }
        if let Some((at, Unreadable)) = unread {
            self.xml = None;
            if result.is_ok() {
                left.extend_from_slice(&text[at..]);
            }
        }
        match &mut self.charset {
            Some(Charset::Utf16(_, encoder)) => encoder.encode(&left, out),
            Some(Charset::Iso2022Jp(_, encoder)) => encoder.encode(&left, out),
            None => out.append(&mut left),
        }
        result
    }
}

impl std::fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriter").finish_non_exhaustive()
    }
}
