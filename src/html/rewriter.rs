//! The rewriter of one page: settles the charset, then hands the bytes to the document.

use std::sync::Arc;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use lol_html::AsciiCompatibleEncoding;

use super::charset::{self, Mark};
use super::document::Document;
use super::page::Place;
use super::utf16::{Decoder, Encoder};
use super::{Error, Gating, Settings};
use crate::policy::{Finding, Grant};

/// Rewrites one page. The outcome is the same however the page is cut into chunks.
pub struct Rewriter {
    settings: Arc<Settings>,
    stage: Stage,
}

enum Stage {
    /// The first bytes may yet be a byte order mark.
    First(Vec<u8>),
    /// The bytes go to the parser as they are.
    Plain(Box<Document>),
    Utf16(Box<Utf16>),
}

struct Utf16 {
    document: Document,
    decoder: Decoder,
    encoder: Encoder,
}

impl Rewriter {
    /// Starts a page.
    pub fn new(mut settings: Settings) -> Self {
        if settings.gating == Gating::Client {
            settings.grant = Grant::none();
        }
        Self { settings: Arc::new(settings), stage: Stage::First(Vec::new()) }
    }

    /// Takes more of the page and appends to `out` what may leave. Held back are the tag or inline script being read,
    /// no more. After an error the page must not be completed.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.stage {
            Stage::First(first) => {
                let mut first = std::mem::take(first);
                first.extend_from_slice(chunk);
                self.begin(first, false, out)
            }
            Stage::Plain(document) => document.write(chunk, out),
            Stage::Utf16(utf16) => utf16.write(chunk, out),
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
            Stage::Plain(document) => document.end(out),
            Stage::Utf16(utf16) => utf16.end(out),
        }
    }

    /// What was taken out since the last call; at most `Limits::findings`, each once.
    pub fn findings(&mut self) -> Vec<Finding> {
        self.document_mut().map(Document::findings).unwrap_or_default()
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
        let charset = match charset::mark(&first, whole) {
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
        let document = |charset| Document::new(Arc::clone(&self.settings), Place::top(&self.settings), charset);
        match charset {
            Some(utf16) if utf16 == UTF_16LE || utf16 == UTF_16BE => Stage::Utf16(Box::new(Utf16 {
                document: document(Some(AsciiCompatibleEncoding::utf_8())),
                decoder: Decoder::new(utf16 == UTF_16BE),
                encoder: Encoder::new(utf16 == UTF_16BE),
            })),
            // Of ISO-2022-JP, which lol_html can't read, the ASCII parts are markup all the same.
            Some(other) => {
                let charset = AsciiCompatibleEncoding::new(other).unwrap_or_else(AsciiCompatibleEncoding::utf_8);
                Stage::Plain(Box::new(document(Some(charset))))
            }
            None => Stage::Plain(Box::new(document(None))),
        }
    }

    fn document(&self) -> Option<&Document> {
        match &self.stage {
            Stage::First(_) => None,
            Stage::Plain(document) => Some(document),
            Stage::Utf16(utf16) => Some(&utf16.document),
        }
    }

    fn document_mut(&mut self) -> Option<&mut Document> {
        match &mut self.stage {
            Stage::First(_) => None,
            Stage::Plain(document) => Some(document),
            Stage::Utf16(utf16) => Some(&mut utf16.document),
        }
    }
}

impl Utf16 {
    fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let (mut text, mut left) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
        self.decoder.decode(chunk, &mut text);
        let result = self.document.write(&text, &mut left);
        self.encoder.encode(&left, out);
        result
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let (mut text, mut left) = (Vec::new(), Vec::new());
        let odd = self.decoder.end(&mut text);
        let result = self.document.write(&text, &mut left).and_then(|()| self.document.end(&mut left));
        self.encoder.encode(&left, out);
        out.extend(odd);
        result
    }
}

impl std::fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriter").finish_non_exhaustive()
    }
}
