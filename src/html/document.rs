//! One document: the parser, and what happens to the bytes that it hands back.
//!
//! lol_html only *finds* here. Its own mutations would decode and re-encode text and set a changed tag anew, so none
//! is used: it returns every byte of its input, in order, a start or end tag that was asked for in one piece and after
//! its handler ran. The handler says what to do with the tag and with what follows it; [`Page`] does it as the bytes
//! come by.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use encoding_rs::Encoding;
use lol_html::errors::RewritingError;
use lol_html::html_content::EndTag;
use lol_html::send::{Element, ElementContentHandlers, HtmlRewriter, Settings as ParserSettings};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, OutputSink, Selector};
use url::Url;

use super::attributes::{self, Attribute, Edit};
use super::elements::{self, KINDS, Kind, Outcome};
use super::judge::{self, Finding};
use super::script::{self, Script};
use super::{Error, OnError, Settings};
use crate::page::placeholder;

/// Where a document lies.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What relative URLs are resolved against.
    base: Url,
    /// The first `<base href>` counts, and was seen.
    base_is_final: bool,
    /// 0 for the page itself.
    depth: u8,
}

impl Place {
    /// The page itself.
    pub(super) fn top(settings: &Settings) -> Self {
        Self { base: settings.url.clone(), base_is_final: false, depth: 0 }
    }
}

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
            parser.append_bail_out_handler(move |_: &RewritingError, _: &mut lol_html::html_content::BailOut<'_>| {
                lock(&bailed_out).release()
            });
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

/// What handlers and sink share.
struct Page {
    settings: Arc<Settings>,
    place: Place,
    encoding: &'static Encoding,
    out: Vec<u8>,
    /// What happens to the tag that comes next, and where it leads. Set by handlers, for the next chunk only.
    next: Option<(Tag, Region)>,
    region: Region,
    findings: Vec<Finding>,
    changed: bool,
    /// Of a document inside, which the sink can't return.
    error: Option<Error>,
    gave_up: Option<Error>,
}

/// What happens to one tag.
enum Tag {
    Keep,
    Drop,
    Edit(Vec<Edit>),
    Replace(String),
}

/// What happens to the bytes that come by.
enum Region {
    Pass,
    Drop,
    Script(Script),
    /// Text that some browser reads as HTML.
    Inner(Box<Document>),
}

impl Page {
    fn new(settings: Arc<Settings>, place: Place, encoding: &'static Encoding) -> Self {
        Self {
            settings,
            place,
            encoding,
            out: Vec::new(),
            next: None,
            region: Region::Pass,
            findings: Vec::new(),
            changed: false,
            error: None,
            gave_up: None,
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        if chunk.is_empty() {
            return;
        }
        if let Some((tag, region)) = self.next.take() {
            match tag {
                Tag::Keep => self.out.extend_from_slice(chunk),
                Tag::Drop => {}
                Tag::Edit(edits) => attributes::apply(chunk, &edits, &mut self.out),
                Tag::Replace(html) => self.out.extend_from_slice(html.as_bytes()),
            }
            self.region = region;
            return;
        }
        match &mut self.region {
            Region::Pass => self.out.extend_from_slice(chunk),
            Region::Drop => {}
            Region::Script(script) => {
                let finding = script.push(chunk, &self.settings, self.encoding, &mut self.out);
                self.found(finding);
            }
            Region::Inner(document) => {
                let result = document.write(chunk, &mut self.out);
                self.error = self.error.take().or(result.err());
            }
        }
    }

    /// Ends the region; what was held is judged.
    fn close(&mut self) {
        match std::mem::replace(&mut self.region, Region::Pass) {
            Region::Pass | Region::Drop => {}
            Region::Script(mut script) => {
                let finding = script.end(&self.settings, self.encoding, &mut self.out);
                self.found(finding);
            }
            Region::Inner(mut document) => {
                let result = document.end(&mut self.out);
                self.error = self.error.take().or(result.err());
                self.absorb(&mut document);
            }
        }
    }

    /// The document is given up: what was held leaves unjudged, ahead of what the parser still has.
    fn release(&mut self) {
        self.next = None;
        match std::mem::replace(&mut self.region, Region::Pass) {
            Region::Pass | Region::Drop => {}
            Region::Script(mut script) => script.release(&mut self.out),
            // Its last, unfinished tag leaves with its end.
            Region::Inner(mut document) => {
                let _ = document.end(&mut self.out);
                self.absorb(&mut document);
            }
        }
    }

    fn absorb(&mut self, inner: &mut Document) {
        for finding in inner.findings() {
            self.found(Some(finding));
        }
        self.changed |= inner.changed();
        self.gave_up = self.gave_up.take().or(inner.gave_up());
    }

    fn found(&mut self, finding: Option<Finding>) {
        let Some(finding) = finding else { return };
        self.changed = true;
        if self.findings.len() < self.settings.limits.findings && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn blocked(&self, url: &str) -> Option<Finding> {
        let url = url.trim_start_matches(|c: char| c <= ' ');
        // Nobody is contacted, and they are long.
        if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
            return None;
        }
        judge::blocked_tag(&self.settings, &self.place.base.join(url).ok()?)
    }

    /// Decides on a start tag. `Some` is what to do with it and what follows.
    fn start(&mut self, kind: Kind, is_html: bool, attributes: &[Attribute]) -> Result<Option<(Tag, Region)>, Error> {
        match kind {
            Kind::NoScript if is_html => return Ok(Some((Tag::Keep, Region::Inner(Box::new(self.inner(false)?))))),
            Kind::NoScript => return Ok(None),
            Kind::Base => {
                self.base(attributes, is_html);
                return Ok(None);
            }
            _ => {}
        }
        match elements::judge(kind, attributes, |url| self.blocked(url)) {
            Outcome::Go(finding) => {
                let tag = match kind {
                    Kind::Frame => Tag::Replace(self.placeholder(&finding, attributes)),
                    _ => Tag::Drop,
                };
                self.found(Some(finding));
                Ok(Some((tag, Region::Drop)))
            }
            Outcome::Stay(mut edits, findings) => {
                for finding in findings {
                    self.found(Some(finding));
                }
                if let Some(srcdoc) = elements::find(attributes, "srcdoc") {
                    edits.extend(self.srcdoc(srcdoc)?);
                }
                let tag = if edits.is_empty() { Tag::Keep } else { Tag::Edit(edits) };
                let region = match kind {
                    Kind::Script if is_inline(attributes) => Region::Script(Script::new()),
                    _ => Region::Pass,
                };
                Ok(match (tag, region) {
                    (Tag::Keep, Region::Pass) => None,
                    both => Some(both),
                })
            }
        }
    }

    /// An end tag at which the region ends: the element's own, or that of an element around it.
    fn end(&mut self, own: bool) {
        let drop_tag = own && matches!(self.region, Region::Drop);
        self.close();
        if drop_tag {
            self.next = Some((Tag::Drop, Region::Pass));
        }
    }

    fn base(&mut self, attributes: &[Attribute], is_html: bool) {
        if self.place.base_is_final || !is_html {
            return;
        }
        let Some(href) = elements::find(attributes, "href") else { return };
        self.place.base_is_final = true;
        if let Ok(url) = self.place.base.join(&href.value())
            && !matches!(url.scheme(), "data" | "javascript")
        {
            self.place.base = url;
        }
    }

    /// A document inside this one. One of its own (`srcdoc`) may bring its own base.
    fn inner(&self, own: bool) -> Result<Document, Error> {
        let depth = self.place.depth + 1;
        if depth > self.settings.limits.depth {
            return Err(Error::Depth);
        }
        let place = Place { depth, base_is_final: !own && self.place.base_is_final, ..self.place.clone() };
        let encoding = if own { Some(encoding_rs::UTF_8) } else { Some(self.encoding) };
        let charset = encoding.and_then(AsciiCompatibleEncoding::new);
        Ok(Document::new(Arc::clone(&self.settings), place, charset))
    }

    /// Rewrites a `srcdoc`; an edit only if it changed.
    fn srcdoc(&mut self, srcdoc: &Attribute) -> Result<Option<Edit>, Error> {
        let mut inner = self.inner(true)?;
        let mut out = Vec::new();
        inner.write(srcdoc.value().as_bytes(), &mut out)?;
        inner.end(&mut out)?;
        self.absorb(&mut inner);
        Ok(inner.changed().then(|| srcdoc.replace(&String::from_utf8_lossy(&out))))
    }

    fn placeholder(&self, finding: &Finding, attributes: &[Attribute]) -> String {
        let value = |name| elements::find(attributes, name).map(Attribute::value);
        placeholder::frame(&placeholder::Frame {
            service: judge::label(&self.settings, finding),
            preferences: &self.settings.preferences,
            width: value("width").as_deref(),
            height: value("height").as_deref(),
            style: value("style").as_deref(),
            class: value("class").as_deref(),
        })
    }
}

/// Whether the script's text is what a browser would run.
fn is_inline(attributes: &[Attribute]) -> bool {
    !["src", "href", "xlink:href"].iter().any(|name| elements::find(attributes, name).is_some())
        && !elements::find(attributes, "type").is_some_and(|kind| script::is_data(&kind.value()))
}

fn start_tag(shared: &Arc<Mutex<Page>>, kind: Kind, element: &mut Element<'_, '_>) -> HandlerResult {
    let mut page = lock(shared);
    // Inside a region nothing is looked at: it goes, or is judged as a whole.
    if !matches!(page.region, Region::Pass) {
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
