//! What is done with a start tag, and with what follows it.

use std::sync::Arc;

use lol_html::AsciiCompatibleEncoding;

use super::Error;
use super::attributes::{Attribute, Edit};
use super::document::Document;
use super::elements::{self, Kind, Outcome};
use super::judge::{self, Blocked};
use super::page::{Page, Place, Region, Tag};
use super::script::{self, Script};
use crate::page::placeholder;

impl Page {
    /// Decides on a start tag. `Some` is what to do with it and what follows.
    pub(super) fn start(
        &mut self,
        kind: Kind,
        is_html: bool,
        attributes: &[Attribute],
    ) -> Result<Option<(Tag, Region)>, Error> {
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
            Outcome::Go(reason) => {
                let tag = match kind {
                    Kind::Frame => Tag::Replace(self.placeholder(&reason, attributes)),
                    _ => Tag::Drop,
                };
                self.found(Some(reason.finding));
                Ok(Some((tag, Region::Drop)))
            }
            Outcome::Stay(mut edits, reasons) => {
                for reason in reasons {
                    self.found(Some(reason.finding));
                }
                if let Some(srcdoc) = elements::find(attributes, "srcdoc") {
                    edits.extend(self.srcdoc(srcdoc)?);
                    edits.sort_by_key(Edit::place);
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

    fn blocked(&self, url: &str) -> Option<Blocked> {
        let url = url.trim_start_matches(|c: char| c <= ' ');
        // Nobody is contacted, and they are long.
        if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
            return None;
        }
        judge::tag(&self.settings, self.place.base.join(url).ok()?)
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

    fn placeholder(&self, reason: &Blocked, attributes: &[Attribute]) -> String {
        let value = |name| elements::find(attributes, name).map(Attribute::value);
        placeholder::frame(&placeholder::Frame {
            service: reason.label(&self.settings),
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
