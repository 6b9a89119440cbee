//! The bytes of one document as they come back from the parser: what passes, what is dropped, held or read apart.

use std::cell::RefCell;
use std::sync::Arc;

use encoding_rs::Encoding;
use url::Url;

use super::around::Around;
use super::document::Document;
use super::elements::Kind;
use super::ending::Ending;
use super::insert::Inserting;
use super::prefilter::Progress;
use super::region::Region;
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
    /// Whether browsers read it as XML.
    pub(super) xml: bool,
    /// Whether markup that cannot matter may be read past the parser.
    pub(super) filtered: bool,
    /// The language that the page says it is in, of those that we can speak.
    pub(super) language: Option<Arc<str>>,
}

impl Place {
    /// The page itself.
    pub(super) fn top(settings: &Settings, filtered: bool) -> Self {
        Self {
            base: settings.url.clone(),
            base_is_final: false,
            depth: 0,
            csp: settings.csp.clone(),
            xml: settings.xml,
            filtered,
            language: None,
        }
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
    /// What the parser hands back unread, from a tag on after which it would read wrong.
    pub(super) rest: Option<Vec<u8>>,
    /// Numbers the start tags whose end is told, so that an end tag ends the region that its own start tag opened.
    pub(super) starts: u64,
    /// Which of them opened the region.
    pub(super) owner: u64,
    /// Whether that one is SVG's or MathML's.
    pub(super) in_foreign: bool,
    pub(super) around: Around,
    pub(super) findings: Vec<Finding>,
    /// Other sites' tags that passed; told of while attributes are being read.
    pub(super) passed: RefCell<Vec<Finding>>,
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
    pub(super) progress: Progress,
    pub(super) ending: Ending,
}

/// What the next chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A start tag that is looked at.
    Start(Start),
    /// An end tag that goes.
    Dropped,
}

/// What the parser knows of a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) kind: Kind,
    pub(super) is_html: bool,
    /// Its number; 0 if its end will not be told.
    pub(super) number: u64,
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
            rest: None,
            starts: 0,
            owner: 0,
            in_foreign: false,
            around: Around::default(),
            findings: Vec::new(),
            passed: RefCell::default(),
            contacts: Vec::new(),
            changed: false,
            error: None,
            gave_up: None,
            iso_2022_jp: false,
            charset_named: false,
            progress: Progress::default(),
            ending: Ending::default(),
            settings,
        }
    }

    /// Whether the parser must see everything: something is looked for between the tags, or before the first of them.
    pub(super) fn needs_all(&self) -> bool {
        self.inserting.is_searching() || !self.scripted
    }

    /// Whether what follows is HTML content, and nothing of it is held, dropped or read otherwise.
    pub(super) fn is_in_content(&self) -> bool {
        matches!(self.region, Region::Pass) && self.around.is_clear() && self.next.is_none()
    }

    pub(super) fn take(&mut self, chunk: &[u8]) {
        if chunk.is_empty() || self.error.is_some() || self.progress.telling {
            return;
        }
        if let Some(rest) = &mut self.rest {
            rest.extend_from_slice(chunk);
            return;
        }
        self.progress.take(chunk.len());
        self.ending.take(chunk.len());
        self.insert_link();
        match self.next.take() {
            Some(Next::Start(start)) => {
                if matches!(self.region, Region::Pass) {
                    self.start_or_fail(start, chunk);
                } else {
                    // What is left of the tag is text of the region.
                    let mut region = std::mem::replace(&mut self.region, Region::Pass);
                    let mut out = std::mem::take(&mut self.out);
                    self.start_or_fail(start, chunk);
                    let tag = std::mem::take(&mut self.out);
                    self.feed(&mut region, &tag, &mut out);
                    (self.region, self.out) = (region, out);
                }
                return;
            }
            Some(Next::Dropped) => return,
            None => {}
        }
        if let Region::Pass = self.region {
            self.pass(chunk);
            return;
        }
        let mut region = std::mem::replace(&mut self.region, Region::Pass);
        let mut out = std::mem::take(&mut self.out);
        self.feed(&mut region, chunk, &mut out);
        (self.region, self.out) = (region, out);
    }

    /// A fresh parser begins behind this tag of an empty `svg` or `math`, and knows of no open element.
    pub(super) fn begin_anew(&mut self, tag: &[u8]) {
        self.around.templates = 0;
        self.ending.take(tag.len());
        self.start_or_fail(Start { kind: Kind::Foreign, is_html: false, number: 0 }, tag);
    }

    pub(super) fn start_or_fail(&mut self, start: Start, tag: &[u8]) {
        let is_body = self.insert_at(start, tag);
        if let Err(error) = self.start(start, tag) {
            self.fail(error);
            if self.error.is_none() {
                self.out.extend_from_slice(tag);
            }
        }
        if is_body {
            self.insert_banner();
        }
    }

    pub(super) fn absorb(&mut self, inner: &mut Document) {
        for finding in inner.findings() {
            self.found(Some(finding));
        }
        inner.passed().into_iter().for_each(|finding| self.passes(finding));
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

    /// It stays in the page, and is somebody else's.
    pub(super) fn passes(&self, finding: Finding) {
        let mut passed = self.passed.borrow_mut();
        if passed.len() < self.settings.limits.findings && !passed.contains(&finding) {
            passed.push(finding);
        }
    }

    /// Either the page ends here, or what could not be read passes as it is.
    pub(super) fn fail(&mut self, error: Error) {
        match self.settings.on_error {
            OnError::Abort => self.error.get_or_insert(error),
            OnError::Pass => self.gave_up.get_or_insert(error),
        };
    }
}
