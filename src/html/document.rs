//! One document: the parser, and what happens to the bytes that it hands back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::AsciiCompatibleEncoding;
use lol_html::errors::RewritingError;
use lol_html::send::HtmlRewriter;

use super::attributes::tag_end;
use super::page::{Page, Place, Start};
use super::parser::{Sink, parser};
use super::prefilter::{Inside, Prefilter, Step, Then};
use super::{Contact, Error, OnError, Settings, ending};
use crate::policy::Finding;

/// A document being rewritten.
pub(super) struct Document {
    /// `None` once it ended or failed.
    parser: Option<HtmlRewriter<'static, Sink>>,
    page: Arc<Mutex<Page>>,
    /// `None` once the parser reads all that is left.
    prefilter: Option<Prefilter>,
    /// Whether a `<meta>` may name the charset.
    meta_counts: bool,
    failed: Option<Error>,
}

/// What the prefilter has left of its bytes.
enum Left<'b> {
    /// A token of which more must come.
    Begun(&'b [u8]),
    /// All that follows is the parser's.
    Unread(&'b [u8]),
}

impl Document {
    /// `charset` is `None` where a `<meta>` may say it.
    pub(super) fn new(settings: Arc<Settings>, place: Place, charset: Option<AsciiCompatibleEncoding>) -> Self {
        let encoding = charset.unwrap_or_else(AsciiCompatibleEncoding::utf_8);
        let prefilter = Prefilter::of(&settings, &place);
        let mut page = Page::new(settings, place, encoding.into());
        page.progress.wanted = prefilter.is_some();
        let page = Arc::new(Mutex::new(page));
        let parser = Some(parser(&page, encoding, charset.is_none()));
        Self { parser, page, prefilter, meta_counts: charset.is_none(), failed: None }
    }

    /// Takes more of the document, and appends to `out` what may leave.
    pub(super) fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(mut prefilter) = self.prefilter.take() else { return self.feed(chunk, out) };
        let mut held = prefilter.held();
        let bytes = match held.is_empty() {
            true => chunk,
            false => {
                held.extend_from_slice(chunk);
                &held
            }
        };
        let left = self.filter(&mut prefilter, bytes, out)?;
        match left {
            Left::Begun(bytes) => {
                prefilter.hold(bytes);
                self.prefilter = Some(prefilter);
                Ok(())
            }
            Left::Unread(bytes) => self.feed(bytes, out),
        }
    }

    /// The parser's part.
    fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.parser {
            Some(parser) => {
                {
                    let mut page = lock(&self.page);
                    page.out = std::mem::take(out);
                    page.ending.feed(chunk.len());
                }
                let result = parser.write(chunk);
                let result = self.start_anew(result);
                self.settle(result, out)
            }
            None => self.without_parser(chunk, out),
        }
    }

    /// The document is complete.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Some(mut prefilter) = self.prefilter.take() {
            self.feed(&prefilter.held(), out)?;
        }
        let Some(mut parser) = self.parser.take() else { return self.without_parser(&[], out) };
        lock(&self.page).out = std::mem::take(out);
        let asked = ending::ask(&self.page, &mut parser);
        // A parser that has failed at our question has handed back all of the page.
        let result = if asked.is_ok() { parser.end() } else { Ok(()) };
        if result.is_ok() {
            // What was open stays open: an unclosed script is judged like any other.
            let mut page = lock(&self.page);
            page.close();
            page.insert_last();
        }
        self.settle(result, out)
    }

    /// The rest cannot be read, which begins behind what was written so far.
    pub(super) fn refuse(&mut self, error: Error, out: &mut Vec<u8>) -> Result<(), Error> {
        let passes = lock(&self.page).settings.on_error == OnError::Pass;
        if passes {
            self.end(out)?;
        }
        self.parser = None;
        self.failed = Some(error.clone());
        if passes { Ok(()) } else { Err(error) }
    }

    /// Lets pass what the prefilter knows to be plain, and feeds the parser what it must see.
    fn filter<'b>(
        &mut self,
        prefilter: &mut Prefilter,
        mut bytes: &'b [u8],
        out: &mut Vec<u8>,
    ) -> Result<Left<'b>, Error> {
        while self.parser.is_some() {
            let all = lock(&self.page).needs_all();
            let (now, then) = match prefilter.next(bytes, all) {
                Step::More => return Ok(Left::Begun(bytes)),
                Step::Leave => break,
                Step::Tell(tags) => {
                    lock(&self.page).progress.telling = true;
                    let result = self.feed(&tags, out);
                    let mut page = lock(&self.page);
                    page.progress.telling = false;
                    page.ending.take(tags.len());
                    drop(page);
                    result?;
                    continue;
                }
                Step::Pass(length) => {
                    let (now, later) = bytes.split_at(length);
                    out.extend_from_slice(now);
                    bytes = later;
                    continue;
                }
                Step::Judge(kind, length) => {
                    let (tag, later) = bytes.split_at(length);
                    self.judge(Start { kind, is_html: true, number: 0 }, tag, out)?;
                    bytes = later;
                    continue;
                }
                Step::Feed(length, then) => (length, then),
            };
            let (now, later) = bytes.split_at(now);
            lock(&self.page).progress.feed(now.len());
            self.feed(now, out)?;
            bytes = later;
            let page = lock(&self.page);
            let whole = page.progress.is_whole();
            let in_content = whole && page.is_in_content();
            match then {
                Then::Content | Then::Begun(_) if in_content => {}
                Then::Within(Inside::Tag) => prefilter.enter(Inside::Tag),
                Then::Begun(element) | Then::Within(element) if whole => prefilter.enter(element),
                Then::Closed if in_content => prefilter.leave(),
                Then::Closed => {}
                Then::Ended if page.progress.is_unwound() => break,
                Then::Ended if in_content && page.progress.has_ended() => prefilter.leave(),
                Then::Ended => {}
                Then::Content | Then::Begun(_) | Then::Within(_) => break,
            }
        }
        Ok(Left::Unread(bytes))
    }

    /// Judges a start tag that the parser has not seen.
    fn judge(&mut self, start: Start, tag: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        {
            let mut page = lock(&self.page);
            page.out = std::mem::take(out);
            page.start_or_fail(start, tag);
        }
        self.settle(Ok(()), out)
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
