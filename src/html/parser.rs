//! The parser of a document, its handlers, and what takes the bytes that it hands back.
//!
//! lol_html only *finds* here. Its own mutations would decode and re-encode text and set a changed tag anew, so none
//! is used: it returns every byte of its input, in order, a start or end tag that was asked for in one piece and after
//! its handler ran. The handler says what the next piece is; [`Page`] judges and edits it as the bytes come by.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex};

use lol_html::errors::RewritingError;
use lol_html::html_content::{BailOut, EndTag};
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings as ParserSettings};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, OutputSink, Selector};

use super::document::lock;
use super::elements::{self, Form, Kind, PASSED_OVER};
use super::ending::ASKED;
use super::page::{Next, Page, Start};
use super::region::Region;
use super::{Error, OnError, insert, xml};

/// `adjusts` says that a `<meta>` may name the charset.
pub(super) fn parser(
    shared: &Arc<Mutex<Page>>,
    encoding: AsciiCompatibleEncoding,
    adjusts: bool,
) -> HtmlRewriter<'static, Sink> {
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

/// The namespace of HTML, as the parser writes it.
const HTML: &str = "http://www.w3.org/1999/xhtml";

/// Receives what the parser hands back.
pub(super) struct Sink(Arc<Mutex<Page>>);

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
    let mut page = lock(shared);
    let kind = elements::kind(if page.place.xml { xml::local(name.as_bytes()) } else { name.as_bytes() });
    if page.progress.telling {
        page.ending.in_content |= name == ASKED;
        return Ok(());
    }
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
    if kind == Kind::Foreign && element.is_self_closing() && !page.place.xml && page.around.foreign.is_empty() {
        page.rest = Some(Vec::new());
        return Err(Box::new(StartAnew));
    }
    let ends_later = match kind.form() {
        Form::Leaf if kind == Kind::Other => false,
        Form::Text if kind == Kind::Style && styles => element.can_have_content(),
        // In SVG these may have content: its `image` and `feImage`, and whatever has no meaning there.
        Form::Leaf => !is_html && element.can_have_content(),
        Form::Branch => element.can_have_content(),
        Form::Text if page.around.is_doubtful() || page.place.xml => element.can_have_content(),
        // Where the body may begin, it does not begin in the text of the head.
        Form::Text if page.inserting.is_searching() => element.can_have_content(),
        Form::Text if styles => false,
        Form::Text if page.progress.wanted && element.can_have_content() => {
            drop(page);
            return tell_end(shared, element, name);
        }
        Form::Text => return Ok(()),
    };
    if !ends_later {
        page.next = Some(Next::Start(Start { kind, is_html, number: 0 }));
        return Ok(());
    }
    page.starts += 1;
    let number = page.starts;
    page.next = Some(Next::Start(Start { kind, is_html, number }));
    drop(page);
    let shared = Arc::clone(shared);
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        let mut page = lock(&shared);
        let own = end.name() == name;
        page.progress.end(own);
        page.leave(kind);
        page.end(number, own);
        Ok(())
    }))
}

/// Where nothing is done with the element, and the prefilter waits for its end.
fn tell_end(shared: &Arc<Mutex<Page>>, element: &mut Element<'_, '_>, name: String) -> HandlerResult {
    let shared = Arc::clone(shared);
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        lock(&shared).progress.end(end.name() == name);
        Ok(())
    }))
}
