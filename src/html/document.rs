//! One document: the parser, and what happens to the bytes that it hands back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::AsciiCompatibleEncoding;
use lol_html::errors::RewritingError;
use lol_html::send::HtmlRewriter;

use super::attributes::tag_end;
use super::page::{Page, Place};
use super::parser::{Sink, parser};
use super::{Contact, Error, OnError, Settings};
use crate::policy::Finding;

/// A document being rewritten.
pub(super) struct Document {
    /// `None` once it ended or failed.
    parser: Option<HtmlRewriter<'static, Sink>>,
    page: Arc<Mutex<Page>>,
    /// Whether a `<meta>` may name the charset.
    meta_counts: bool,
    failed: Option<Error>,
}

impl Document {
    /// `charset` is `None` where a `<meta>` may say it.
    pub(super) fn new(settings: Arc<Settings>, place: Place, charset: Option<AsciiCompatibleEncoding>) -> Self {
        let encoding = charset.unwrap_or_else(AsciiCompatibleEncoding::utf_8);
        let page = Arc::new(Mutex::new(Page::new(settings, place, encoding.into())));
        let parser = Some(parser(&page, encoding, charset.is_none()));
        Self { parser, page, meta_counts: charset.is_none(), failed: None }
    }

    /// Takes more of the document, and appends to `out` what may leave.
    pub(super) fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.parser {
            Some(parser) => {
                lock(&self.page).out = std::mem::take(out);
                let result = parser.write(chunk);
                let result = self.start_anew(result);
                self.settle(result, out)
            }
            None => self.without_parser(chunk, out),
        }
    }

    /// The document is complete.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(parser) = self.parser.take() else { return self.without_parser(&[], out) };
        lock(&self.page).out = std::mem::take(out);
        let result = parser.end();
        if result.is_ok() {
            // What was open stays open: an unclosed script is judged like any other.
            let mut page = lock(&self.page);
            page.close();
            page.insert_last();
        }
        self.settle(result, out)
    }

    /// Why the rest passes unfiltered, if it does.
    pub(super) fn gave_up(&self) -> Option<Error> {
        let page = lock(&self.page);
        let failed = self.failed.clone().filter(|_| page.settings.on_error == OnError::Pass);
        failed.or_else(|| page.gave_up.clone())
    }

    /// What was taken out so far; each is told once.
    pub(super) fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut lock(&self.page).findings)
    }

    /// Other sites' tags that passed so far; each is told once.
    pub(super) fn passed(&mut self) -> Vec<Finding> {
        lock(&self.page).passed.take()
    }

    /// What was contacted so far; each is told once.
    pub(super) fn contacts(&mut self) -> Vec<Contact> {
        std::mem::take(&mut lock(&self.page).contacts)
    }

    /// Whether any byte differs.
    pub(super) fn changed(&self) -> bool {
        lock(&self.page).changed
    }

    /// Whether a `<meta>` so far says ISO-2022-JP.
    pub(super) fn says_iso_2022_jp(&self) -> bool {
        lock(&self.page).iso_2022_jp
    }

    /// Reads what the parser could not read right with a fresh one, as often as it takes.
    fn start_anew(&mut self, result: Result<(), RewritingError>) -> Result<(), RewritingError> {
        let Some(rest) = lock(&self.page).rest.take() else { return result };
        let mut at = 0;
        loop {
            let encoding = {
                let mut page = lock(&self.page);
                let tag = tag_end(&rest[at..]);
                page.begin_anew(&rest[at..at + tag]);
                at += tag;
                AsciiCompatibleEncoding::new(page.encoding).unwrap_or_else(AsciiCompatibleEncoding::utf_8)
            };
            let fresh = self.parser.insert(parser(&self.page, encoding, self.meta_counts));
            let again = loop {
                // What is read in vain is read again: little at a time keeps that short.
                let piece = &rest[at..(at + 1024).min(rest.len())];
                if piece.is_empty() {
                    return Ok(());
                }
                at += piece.len();
                let result = fresh.write(piece);
                match lock(&self.page).rest.take() {
                    Some(again) => break again,
                    None => result?,
                }
            };
            // It holds nothing from before this rest.
            at -= again.len();
        }
    }

    fn settle(&mut self, result: Result<(), RewritingError>, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut page = lock(&self.page);
        *out = std::mem::take(&mut page.out);
        let inner = page.error.take();
        let pass = page.settings.on_error == OnError::Pass;
        drop(page);
        let error = match (inner, result) {
            (None, Ok(())) => return Ok(()),
            (Some(inner), _) => inner,
            (None, Err(error)) => error.into(),
        };
        self.parser = None;
        self.failed = Some(error.clone());
        if pass { Ok(()) } else { Err(error) }
    }

    fn without_parser(&self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &self.failed {
            Some(error) if lock(&self.page).settings.on_error == OnError::Abort => Err(error.clone()),
            _ => {
                out.extend_from_slice(chunk);
                Ok(())
            }
        }
    }
}

pub(super) fn lock(page: &Mutex<Page>) -> MutexGuard<'_, Page> {
    page.lock().unwrap_or_else(PoisonError::into_inner)
}
