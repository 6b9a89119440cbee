//! What happens to the bytes between a tag and its end: they pass, go, are judged as script or sheet, or read as HTML.

use super::document::Document;
use super::page::{Next, Page};
use super::script::Script;
use super::style::Sheet;
use super::{Error, judge};

/// What happens to the bytes that come by.
pub(super) enum Region {
    Pass,
    Drop,
    Script(Script),
    Sheet(Sheet),
    /// Text that some browser reads as HTML.
    Inner(Box<Document>),
    /// Text that some browser reads as such, and another as HTML.
    Both(Box<Self>, Box<Document>),
}

impl Page {
    /// Whether the region is a script of SVG: tags in it are tags.
    pub(super) fn holds_markup(&self) -> bool {
        self.in_foreign && matches!(self.region, Region::Script(_))
    }

    /// Bytes of the region.
    pub(super) fn feed(&mut self, region: &mut Region, chunk: &[u8], out: &mut Vec<u8>) {
        match region {
            Region::Pass => out.extend_from_slice(chunk),
            Region::Drop => {}
            Region::Script(script) => {
                let finding = script.push(chunk, &self.settings, self.encoding, out);
                self.found(finding);
            }
            Region::Sheet(sheet) => {
                let most = self.settings.limits.memory;
                self.read_sheet(|blocked| sheet.push(chunk, most, blocked, out));
                if sheet.holds() > most {
                    self.fail(Error::Memory);
                    sheet.release(out);
                }
            }
            Region::Inner(document) => {
                let result = document.write(chunk, out);
                if let Err(error) = result {
                    self.error.get_or_insert(error);
                }
            }
            Region::Both(text, document) => {
                let mut left = Vec::new();
                self.feed(text, chunk, &mut left);
                let result = document.write(&left, out);
                if let Err(error) = result {
                    self.error.get_or_insert(error);
                }
            }
        }
    }

    /// Ends the region; what was held is judged.
    pub(super) fn close(&mut self) {
        let region = std::mem::replace(&mut self.region, Region::Pass);
        let mut out = std::mem::take(&mut self.out);
        self.finish(region, &mut out);
        self.out = out;
    }

    fn finish(&mut self, region: Region, out: &mut Vec<u8>) {
        match region {
            Region::Pass | Region::Drop => {}
            Region::Script(mut script) => {
                let finding = script.end(&self.settings, self.encoding, out);
                self.found(finding);
            }
            Region::Sheet(mut sheet) => self.read_sheet(|blocked| sheet.end(blocked, out)),
            Region::Inner(document) => self.finish_inner(document, &[], out),
            Region::Both(text, document) => {
                let mut left = Vec::new();
                self.finish(*text, &mut left);
                self.finish_inner(document, &left, out);
            }
        }
    }

    fn finish_inner(&mut self, mut document: Box<Document>, last: &[u8], out: &mut Vec<u8>) {
        let result = document.write(last, out).and_then(|()| document.end(out));
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
        self.absorb(&mut document);
    }

    fn read_sheet(&mut self, read: impl FnOnce(&mut dyn FnMut(&str) -> bool)) {
        let mut found = Vec::new();
        read(&mut |url| {
            let blocked = judge::url(&self.settings, &self.place.base, url);
            let is = blocked.is_some();
            found.extend(blocked.map(|blocked| blocked.finding));
            is
        });
        found.into_iter().for_each(|finding| self.found(Some(finding)));
    }

    /// The document is given up: what was held leaves unjudged, ahead of what the parser still has.
    pub(super) fn release(&mut self) {
        self.next = None;
        let region = std::mem::replace(&mut self.region, Region::Pass);
        let mut out = std::mem::take(&mut self.out);
        self.release_region(region, &mut out);
        self.out = out;
    }

    fn release_region(&mut self, region: Region, out: &mut Vec<u8>) {
        match region {
            Region::Pass | Region::Drop => {}
            Region::Script(mut script) => script.release(out),
            Region::Sheet(mut sheet) => sheet.release(out),
            // Its last, unfinished tag leaves with its end.
            Region::Inner(mut document) => {
                let _ = document.end(out);
                self.absorb(&mut document);
            }
            Region::Both(text, mut document) => {
                let mut left = Vec::new();
                self.release_region(*text, &mut left);
                let _ = document.write(&left, out).and_then(|()| document.end(out));
                self.absorb(&mut document);
            }
        }
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
