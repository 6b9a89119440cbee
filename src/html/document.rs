//! One document: the parser, and what happens to the bytes that it hands back.
//!
//! lol_html only *finds* here. Its own mutations would decode and re-encode text and set a changed tag anew, so none
//! is used: it returns every byte of its input, in order, a start or end tag that was asked for in one piece and after
//! its handler ran. The handler says what to do with the tag and with what follows it; [`Page`] does it as the bytes
//! come by.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lol_html::errors::RewritingError;
use lol_html::html_content::{BailOut, EndTag};
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings as ParserSettings};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, OutputSink, Selector};

use super::elements::{self, KINDS, Kind};
use super::page::{Page, Place, Region};
use super::{Error, OnError, Settings, attributes};
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
            // Some nestings of text elements (`<select><xmp>`) are markup to one browser and text to another, and lol_html
            // cannot know. Strict refuses them: right for a page that must not leak. Under `pass` it would give up the
            // whole rest of the page for one doubtful spot; there the best guess goes on filtering.
            .with_strict(!pass)
            .with_encoding(encoding)
            .with_adjust_charset_on_meta_tag(charset.is_none());
        for ((_, kind), selector) in KINDS.iter().zip(SELECTORS.iter()) {
            let page = Arc::clone(&page);
            let handler = move |element: &mut Element<'_, '_>| start_tag(&page, *kind, element);
            let handlers = ElementContentHandlers::default().element(handler);
            parser = parser.append_element_content_handler((Cow::Borrowed(selector), handlers));
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
            lock(&self.page).close();
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

    /// Whether any byte differs.
    pub(super) fn changed(&self) -> bool {
        lock(&self.page).changed
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

/// Plain tag names: lol_html looks those up by hash, and reading the attributes in the handler is cheaper than its
/// attribute selectors. Parsed once a process.
static SELECTORS: LazyLock<Vec<Selector>> =
    LazyLock::new(|| KINDS.iter().map(|(tag, _)| tag.parse().expect("a tag name is a selector")).collect());

fn lock(page: &Mutex<Page>) -> MutexGuard<'_, Page> {
    page.lock().unwrap_or_else(PoisonError::into_inner)
}

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

fn start_tag(shared: &Arc<Mutex<Page>>, kind: Kind, element: &mut Element<'_, '_>) -> HandlerResult {
    let mut page = lock(shared);
    // Inside a region nothing is looked at: it goes, or is judged as a whole.
    if !matches!(page.region, Region::Pass) {
        return Ok(());
    }
    if elements::telltale(kind).is_some_and(|names| !names.iter().any(|name| element.has_attribute(name))) {
        return Ok(());
    }
    let attributes = attributes::read(element, |name| elements::wanted(kind, name));
    let is_html = element.namespace_uri() == "http://www.w3.org/1999/xhtml";
    let Some((tag, region)) = page.start(kind, is_html, &attributes)? else { return Ok(()) };
    // A browser makes an `img` of HTML's `image`; the parser would wait for its end.
    let is_void = !element.can_have_content() || is_html && element.tag_name() == "image";
    if matches!(region, Region::Pass) || is_void {
        page.next = Some((tag, Region::Pass));
        return Ok(());
    }
    page.next = Some((tag, region));
    drop(page);
    let (shared, name) = (Arc::clone(shared), element.tag_name());
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        lock(&shared).end(end.name() == name);
        Ok(())
    }))
}
