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

use super::attributes::tag_end;
use super::elements::{self, Form, Kind, PASSED_OVER};
use super::insert;
use super::page::{Next, Page, Place, Start};
use super::region::Region;
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

/// `adjusts` says that a `<meta>` may name the charset.
fn parser(shared: &Arc<Mutex<Page>>, encoding: AsciiCompatibleEncoding, adjusts: bool) -> HtmlRewriter<'static, Sink> {
    let page = lock(shared);
    let limits = page.settings.limits;
    let memory = MemorySettings::new()
        .with_max_allowed_memory_usage(limits.memory)
        // Most pages never need it; it must stay below the limit, or lol_html panics.
        .with_preallocated_parsing_buffer_size(limits.memory.min(1024) / 2)
        .with_graceful_bail_out_on_memory_limit_exceeded(page.settings.on_error == OnError::Pass);
    let selector = if page.settings.policy.parts().styles { &*EVERYTHING } else { &*SELECTOR };
    drop(page);
    let found = Arc::clone(shared);
    let handlers = ElementContentHandlers::default().element(move |e: &mut Element<'_, '_>| start(&found, e));
    let bailed_out = Arc::clone(shared);
    let settings = ParserSettings::new_send()
        .with_memory_settings(memory)
        // The one error of a handler is `StartAnew`.
        .with_graceful_bail_out_on_content_handler_error(true)
        // Strict refuses some nestings of text elements (`<select><xmp>`) that are markup to one browser and text to
        // another. Real pages have them; we look for tags in such text instead.
        .with_strict(false)
        .with_encoding(encoding)
        .with_adjust_charset_on_meta_tag(adjusts)
        .append_element_content_handler((Cow::Borrowed(selector), handlers))
        .append_bail_out_handler(move |_: &RewritingError, _: &mut BailOut<'_>| lock(&bailed_out).release());
    let settings = insert::handlers(shared)
        .into_iter()
        .fold(settings, |settings, handler| settings.append_element_content_handler(handler));
    HtmlRewriter::new(settings, Sink(Arc::clone(shared)))
}

/// The parser is wrong about what follows this tag: what it has not handed back is for a fresh one.
#[derive(Debug, thiserror::Error)]
#[error("to be read by a fresh parser")]
struct StartAnew;

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

/// One selector and one handler: lol_html tries them all at each tag. It takes a name as one comparison, while the
/// attributes are found cheaper in the tag's bytes.
static SELECTOR: LazyLock<Selector> = LazyLock::new(|| {
    let text: String = std::iter::once("*".to_owned()).chain(PASSED_OVER.map(|name| format!(":not({name})"))).collect();
    text.parse().expect("tag names are selectors")
});

/// Where any element may have a `style`.
static EVERYTHING: LazyLock<Selector> = LazyLock::new(|| "*".parse().expect("a star is a selector"));

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

fn start(shared: &Arc<Mutex<Page>>, element: &mut Element<'_, '_>) -> HandlerResult {
    let name = element.tag_name();
    let kind = elements::kind(name.as_bytes());
    let mut page = lock(shared);
    if name == "html"
        && element.namespace_uri() == HTML
        && let Some(language) = element.get_attribute("lang").or_else(|| element.get_attribute("xml:lang"))
    {
        page.is_in(&language);
    }
    let styles = page.settings.policy.parts().styles;
    let Some(kind) = kind.or_else(|| styles.then_some(Kind::Other)) else { return Ok(()) };
    let is_html = element.namespace_uri() == HTML;
    // Inside a region nothing is looked at: it goes, or is judged as a whole.
    if !matches!(page.region, Region::Pass) {
        if page.holds_markup() {
            page.next = Some(Next::Start(Start { kind, is_html, number: 0 }));
        }
        return Ok(());
    }
    // The parser takes what follows `<svg/>` for SVG's, and so markup for text, and text for markup.
    if kind == Kind::Foreign && element.is_self_closing() && !page.settings.xml && page.around.foreign.is_empty() {
        page.rest = Some(Vec::new());
        return Err(Box::new(StartAnew));
    }
    let ends_later = match kind.form() {
        Form::Leaf if kind == Kind::Other => false,
        Form::Text if kind == Kind::Style && styles => element.can_have_content(),
        // In SVG these may have content: its `image` and `feImage`, and whatever has no meaning there.
        Form::Leaf => !is_html && element.can_have_content(),
        Form::Branch => element.can_have_content(),
        Form::Text if page.around.is_doubtful() || page.settings.xml => element.can_have_content(),
        // Where the body may begin, it does not begin in the text of the head.
        Form::Text if page.inserting.is_searching() => element.can_have_content(),
        Form::Text if styles => false,
        Form::Text => return Ok(()),
    };
    if !ends_later {
        page.next = Some(Next::Start(Start { kind, is_html, number: 0 }));
        return Ok(());
    }
    page.starts += 1;
    let number = page.starts;
    page.next = Some(Next::Start(Start { kind, is_html, number }));
    let is_made = page.settings.xml && is_html && element.is_self_closing();
    drop(page);
    let shared = Arc::clone(shared);
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        let mut page = lock(&shared);
        let own = end.name() == name;
        page.leave(kind);
        page.end(number, own);
        if is_made && own {
            page.next = Some(Next::Made);
        }
        Ok(())
    }))
}
