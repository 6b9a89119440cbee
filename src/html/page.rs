//! The bytes of one document as they come back from the parser: what passes, what is dropped, held or read apart.

use std::sync::Arc;

use encoding_rs::Encoding;
use url::Url;

use super::attributes::{self, Edit};
use super::document::Document;
use super::script::Script;
use super::{Error, Settings};
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
}

impl Place {
    /// The page itself.
    pub(super) fn top(settings: &Settings) -> Self {
        Self { base: settings.url.clone(), base_is_final: false, depth: 0 }
    }
}

/// What handlers and sink share.
pub(super) struct Page {
    pub(super) settings: Arc<Settings>,
    pub(super) place: Place,
    pub(super) encoding: &'static Encoding,
    pub(super) out: Vec<u8>,
    /// What happens to the tag that comes next, and where it leads. Set by handlers, for the next chunk only.
    pub(super) next: Option<(Tag, Region)>,
    pub(super) region: Region,
    pub(super) findings: Vec<Finding>,
    pub(super) changed: bool,
    /// Of a document inside, which the sink can't return.
    pub(super) error: Option<Error>,
    pub(super) gave_up: Option<Error>,
}

/// What happens to one tag.
pub(super) enum Tag {
    Keep,
    Drop,
    Edit(Vec<Edit>),
    Replace(String),
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

    pub(super) fn take(&mut self, chunk: &[u8]) {
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

    /// An end tag at which the region ends: the element's own, or that of an element around it.
    pub(super) fn end(&mut self, own: bool) {
        let drop_tag = own && matches!(self.region, Region::Drop);
        self.close();
        if drop_tag {
            self.next = Some((Tag::Drop, Region::Pass));
        }
    }
}
