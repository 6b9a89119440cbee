//! One document: the parser, and what happens to the bytes that it hands back.
//!
//! lol_html only *finds* here. Its own mutations would decode and re-encode text and set a changed tag anew, so none
//! is used: it returns every byte of its input, in order, a start or end tag that was asked for in one piece and after
//! its handler ran. The handler says what the next piece is; [`Page`] judges and edits it as the bytes come by.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lol_html::errors::RewritingError;
use lol_html::html_content::{BailOut, EndTag};
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings as ParserSettings};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, OutputSink, Selector};

use super::elements::{BRANCHES, LEAVES, TEXTS};
use super::insert;
use super::page::{Next, Page, Place, Region, Start};
use super::{Contact, Error, OnError, Settings};
use crate::policy::Finding;

/// A document being rewritten.
pub(super) struct Document {
    /// `None` once it ended or failed.
    parser: Option<HtmlRewriter<'static, Sink>>,
    page: Arc<Mutex<Page>>,
    failed: Option<Error>,
}

impl Document {
    /// `charset` is `None` where a `<meta>` may say it.
    pub(super) fn new(settings: Arc<Settings>, place: Place, charset: Option<AsciiCompatibleEncoding>) -> Self {
        let encoding = charset.unwrap_or_else(AsciiCompatibleEncoding::utf_8);
        let limits = settings.limits;
        let pass = settings.on_error == OnError::Pass;
        let page = Arc::new(Mutex::new(Page::new(settings, place, encoding.into())));
        let memory = MemorySettings::new()
            .with_max_allowed_memory_usage(limits.memory)
            // Most pages never need it; it must stay below the limit, or lol_html panics.
            .with_preallocated_parsing_buffer_size(limits.memory.min(1024) / 2)
            .with_graceful_bail_out_on_memory_limit_exceeded(pass);
        let mut parser = ParserSettings::new_send()
            .with_memory_settings(memory)
            .with_graceful_bail_out_on_content_handler_error(pass)
            // Strict refuses some nestings of text elements (`<select><xmp>`) that are markup to one browser and text to
            // another. Real pages have them; we look for tags in such text instead.
            .with_strict(false)
            .with_encoding(encoding)
            .with_adjust_charset_on_meta_tag(charset.is_none());
        let handlers: [Handler; 3] = [leaf, branch, text];
        for (handler, selector) in handlers.into_iter().zip(SELECTORS.iter()) {
            let page = Arc::clone(&page);
            let handlers = ElementContentHandlers::default().element(move |e: &mut Element<'_, '_>| handler(&page, e));
            parser = parser.append_element_content_handler((Cow::Borrowed(selector), handlers));
        }
        for handler in insert::handlers(&page) {
            parser = parser.append_element_content_handler(handler);
        }
        let bailed_out = Arc::clone(&page);
        let parser =
            parser.append_bail_out_handler(move |_: &RewritingError, _: &mut BailOut<'_>| lock(&bailed_out).release());
        Self { parser: Some(HtmlRewriter::new(parser, Sink(Arc::clone(&page)))), page, failed: None }
    }

    /// Takes more of the document, and appends to `out` what may leave.
    pub(super) fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match &mut self.parser {
            Some(parser) => {
                lock(&self.page).out = std::mem::take(out);
                let result = parser.write(chunk);
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
        self.failed.clone().or_else(|| lock(&self.page).gave_up.clone())
    }

    /// What was taken out so far; each is told once.
    pub(super) fn findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut lock(&self.page).findings)
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

impl From<RewritingError> for Error {
    fn from(error: RewritingError) -> Self {
        match error {
            RewritingError::MemoryLimitExceeded(_) => Self::Memory,
            RewritingError::ContentHandlerError(error) => match error.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Malformed(other.to_string()),
            },
            other => Self::Malformed(other.to_string().lines().next().unwrap_or_default().to_owned()),
        }
    }
}

/// Plain tag names: lol_html looks those up by hash, and finding the attributes in the tag's bytes is cheaper than its
/// attribute selectors. Few handlers: it walks over all of them at each tag.
static SELECTORS: LazyLock<[Selector; 3]> =
    LazyLock::new(|| [LEAVES, BRANCHES, TEXTS].map(|names| names.parse().expect("tag names are selectors")));

type Handler = fn(&Arc<Mutex<Page>>, &mut Element<'_, '_>) -> HandlerResult;

fn lock(page: &Mutex<Page>) -> MutexGuard<'_, Page> {
    page.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The namespace of HTML, as the parser writes it.
const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Receives what the parser hands back.
struct Sink(Arc<Mutex<Page>>);

impl OutputSink for Sink {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        lock(&self.0).take(chunk);
    }

    fn set_encoding(&mut self, encoding: AsciiCompatibleEncoding) {
        lock(&self.0).encoding = encoding.into();
    }
}

fn leaf(shared: &Arc<Mutex<Page>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let is_html = element.namespace_uri() == HTML;
    // In SVG these may have content: its `image` and `feImage`, and whatever has no meaning there.
    if !is_html && element.can_have_content() {
        return branch(shared, element);
    }
    let mut page = lock(shared);
    if matches!(page.region, Region::Pass) {
        page.next = Some(Next::Start(Start { is_html, number: 0 }));
    }
    Ok(())
}

fn branch(shared: &Arc<Mutex<Page>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let is_html = element.namespace_uri() == HTML;
    let mut page = lock(shared);
    // Inside a region nothing is looked at: it goes, or is judged as a whole.
    if !matches!(page.region, Region::Pass) {
        return Ok(());
    }
    if !element.can_have_content() {
        page.next = Some(Next::Start(Start { is_html, number: 0 }));
        return Ok(());
    }
    page.starts += 1;
    let number = page.starts;
    page.next = Some(Next::Start(Start { is_html, number }));
    let is_made = page.settings.xml && is_html && element.is_self_closing();
    drop(page);
    let (shared, name) = (Arc::clone(shared), element.tag_name());
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        let mut page = lock(&shared);
        let own = end.name() == name;
        page.leave(&name);
        page.end(number, own);
        if is_made && own {
            page.next = Some(Next::Made);
        }
        Ok(())
    }))
}

fn text(shared: &Arc<Mutex<Page>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let page = lock(shared);
    let doubtful = page.around.is_doubtful() || page.settings.xml || page.inserting.is_searching();
    drop(page);
    if doubtful { branch(shared, element) } else { Ok(()) }
}
