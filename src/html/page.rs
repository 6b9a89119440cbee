//! The bytes of one document as they come back from the parser: what passes, what is dropped, held or read apart.

use std::sync::Arc;

use encoding_rs::Encoding;
use url::Url;

use super::attributes::name_end;
use super::document::Document;
use super::elements;
use super::insert::Inserting;
use super::script::Script;
use super::{Contact, Error, OnError, Settings};
use crate::filter::Csp;
use crate::policy::Finding;

/// Where a document lies.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What relative URLs are resolved against.
    pub(super) base: Url,
    /// The first `<base href>` counts, and was seen.
    pub(super) base_is_final: bool,
    /// 0 for the page itself.
    pub(super) depth: u8,
    /// What the page lets us do in it.
    pub(super) csp: Csp,
}

impl Place {
    /// The page itself.
    pub(super) fn top(settings: &Settings) -> Self {
        Self { base: settings.url.clone(), base_is_final: false, depth: 0, csp: settings.csp.clone() }
    }
}

/// What handlers and sink share.
pub(super) struct Page {
    pub(super) settings: Arc<Settings>,
    pub(super) place: Place,
    pub(super) encoding: &'static Encoding,
    pub(super) out: Vec<u8>,
    /// What the chunk is that comes next. Set by handlers.
    pub(super) next: Option<Next>,
    pub(super) region: Region,
    /// Numbers the start tags whose end is told, so that an end tag ends the region that its own start tag opened.
    pub(super) starts: u64,
    /// Which of them opened the region.
    pub(super) owner: u64,
    pub(super) around: Around,
    pub(super) findings: Vec<Finding>,
    pub(super) contacts: Vec<Contact>,
    pub(super) changed: bool,
    /// Why the page cannot be rewritten further.
    pub(super) error: Option<Error>,
    pub(super) gave_up: Option<Error>,
    /// A `<meta>` says ISO-2022-JP, which the parser can't read.
    pub(super) iso_2022_jp: bool,
    /// A `<meta>` named a charset, and no other counts.
    pub(super) charset_named: bool,
    /// Our script is in the page, or does not belong into it.
    pub(super) scripted: bool,
    pub(super) inserting: Inserting,
}

/// What the next chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A start tag that is looked at.
    Start(Start),
    /// An end tag that goes.
    Dropped,
    /// An end tag that was never in the page.
    Made,
}

/// What the parser knows of a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) is_html: bool,
    /// Its number; 0 if its end will not be told.
    pub(super) number: u64,
}

/// What lies around the present place, as far as the parser can know.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) templates: u32,
    /// The open `svg` and `math` elements (`true`), and those in them that hold HTML (`false`).
    pub(super) foreign: Vec<bool>,
    /// In `select`, or after `frameset`, browsers may ignore the tags of text elements, and so see markup in them.
    pub(super) select: bool,
    pub(super) frameset: bool,
}

impl Around {
    /// Whether tags are SVG's or MathML's here, unless they lead out.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign.last().is_some_and(|foreign| *foreign)
    }

    /// Whether a browser may see markup where the parser sees text.
    pub(super) fn is_doubtful(&self) -> bool {
        self.select
            || self.frameset
            || self.foreign.windows(2).any(|two| two == [true, true])
            // Asked of HTML only: a stray end tag has led the parser out of SVG or MathML, and maybe nobody else.
            || self.is_foreign()
    }
}

/// What happens to the bytes that come by.
pub(super) enum Region {
    Pass,
    Drop,
    Script(Script),
    /// Text that some browser reads as HTML.
    Inner(Box<Document>),
}

impl Page {
    pub(super) fn new(settings: Arc<Settings>, place: Place, encoding: &'static Encoding) -> Self {
        Self {
            scripted: settings.insert.head.is_none() || place.depth > 0,
            inserting: Inserting::new(&settings.insert, place.depth),
            place,
            encoding,
            out: Vec::new(),
            next: None,
            region: Region::Pass,
            starts: 0,
            owner: 0,
            around: Around::default(),
            findings: Vec::new(),
            contacts: Vec::new(),
            changed: false,
            error: None,
            gave_up: None,
            iso_2022_jp: false,
            charset_named: false,
            settings,
        }
    }

    pub(super) fn take(&mut self, chunk: &[u8]) {
        if chunk.is_empty() || self.error.is_some() {
            return;
        }
        self.insert_link();
        match self.next.take() {
            Some(Next::Start(start)) => {
                let kind = elements::kind(&chunk[1.min(chunk.len())..name_end(chunk)]);
                let is_body = kind.is_some_and(|kind| self.insert_at(kind, start, chunk));
                match kind.map(|kind| self.start(kind, start, chunk)) {
                    None => self.out.extend_from_slice(chunk),
                    Some(Ok(())) => {}
                    Some(Err(error)) => {
                        self.fail(error);
                        if self.error.is_none() {
                            self.out.extend_from_slice(chunk);
                        }
                    }
                }
                if is_body {
                    self.insert_banner();
                }
                return;
            }
            Some(Next::Dropped | Next::Made) => return,
            None => {}
        }
        match &mut self.region {
            Region::Pass => self.pass(chunk),
            Region::Drop => {}
            Region::Script(script) => {
                let finding = script.push(chunk, &self.settings, self.encoding, &mut self.out);
                self.found(finding);
            }
            Region::Inner(document) => {
                let result = document.write(chunk, &mut self.out);
                if let Err(error) = result {
                    self.error.get_or_insert(error);
                }
            }
        }
    }

    /// Ends the region; what was held is judged.
    pub(super) fn close(&mut self) {
        match std::mem::replace(&mut self.region, Region::Pass) {
            Region::Pass | Region::Drop => {}
            Region::Script(mut script) => {
                let finding = script.end(&self.settings, self.encoding, &mut self.out);
                self.found(finding);
            }
            Region::Inner(mut document) => {
                let result = document.end(&mut self.out);
                if let Err(error) = result {
                    self.error.get_or_insert(error);
                }
                self.absorb(&mut document);
            }
        }
    }

    /// The document is given up: what was held leaves unjudged, ahead of what the parser still has.
    pub(super) fn release(&mut self) {
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

    pub(super) fn absorb(&mut self, inner: &mut Document) {
        for finding in inner.findings() {
            self.found(Some(finding));
        }
        self.absorb_contacts(inner);
        self.changed |= inner.changed();
        self.gave_up = self.gave_up.take().or_else(|| inner.gave_up());
    }

    pub(super) fn found(&mut self, finding: Option<Finding>) {
        let Some(finding) = finding else { return };
        self.changed = true;
        if self.findings.len() < self.settings.limits.findings && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Either the page ends here, or what could not be read passes as it is.
    fn fail(&mut self, error: Error) {
        match self.settings.on_error {
            OnError::Abort => self.error.get_or_insert(error),
            OnError::Pass => self.gave_up.get_or_insert(error),
        };
    }

    /// An end tag at which the element ends that opened this region: its own, or that of an element around it.
    pub(super) fn end(&mut self, number: u64, own: bool) {
        self.inserting.leave(number);
        if self.owner != number || matches!(self.region, Region::Pass) {
            return;
        }
        let drop_tag = own && matches!(self.region, Region::Drop);
        self.close();
        if drop_tag {
            self.next = Some(Next::Dropped);
        }
    }
}
