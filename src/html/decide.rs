//! What is done with a start tag, and with what follows it.

use std::sync::Arc;

use lol_html::AsciiCompatibleEncoding;

use super::attributes::{self, Attribute, Source};
use super::data_url::Content;
use super::document::Document;
use super::elements::{self, Kind, Outcome};
use super::judge::{self, Blocked, Judged, Needs};
use super::page::{Page, Place, Start};
use super::region::Region;
use super::script;
use super::style::Sheet;
use super::{Error, Gating, links, roles};
use crate::policy::Finding;

impl Page {
    /// Does what is to be done with a start tag, and settles what becomes of what follows it.
    pub(super) fn start(&mut self, start: Start, tag: &[u8]) -> Result<(), Error> {
        let kind = start.kind;
        if !self.scripted && start.is_html && !self.around.is_foreign() {
            return self.start_with_script(start, tag);
        }
        let kept = match kind {
            Kind::NoScript if start.is_html || self.holds_elements() => Region::Inner(Box::new(self.inner(false)?)),
            Kind::Text | Kind::Style => self.text_region(start)?,
            Kind::NoScript | Kind::Head => Region::Pass,
            Kind::Template | Kind::Select | Kind::Frameset | Kind::Foreign | Kind::Integration => {
                self.enter(start);
                Region::Pass
            }
            _ => return self.judge_tag(start, tag),
        };
        if self.settings.policy.parts().styles {
            // Nothing else of theirs is looked at.
            self.judge_tag(Start { kind: Kind::Other, number: 0, ..start }, tag)?;
        } else {
            self.out.extend_from_slice(tag);
        }
        self.open(start, kept);
        Ok(())
    }

    /// Our script comes first: behind `<head>`, or before whatever shows that there is none.
    fn start_with_script(&mut self, start: Start, tag: &[u8]) -> Result<(), Error> {
        self.scripted = true;
        self.changed = true;
        let script = self.settings.insert.head.clone().unwrap_or_default();
        if start.kind == Kind::Head {
            self.out.extend_from_slice(tag);
        }
        self.out.extend_from_slice(script.as_bytes());
        if start.kind == Kind::Head { Ok(()) } else { self.start(start, tag) }
    }

    /// What becomes of text: where browsers may see markup in it, it is read as that too.
    fn text_region(&self, start: Start) -> Result<Region, Error> {
        let sheet = (start.kind == Kind::Style && self.settings.policy.parts().styles)
            .then(|| Region::Sheet(Sheet::new(self.encoding, !start.is_html)));
        if !self.holds_elements() && (!start.is_html || !self.around.is_doubtful()) {
            return Ok(sheet.unwrap_or(Region::Pass));
        }
        self.doubted(sheet)
    }

    /// Whether what the parser takes for text holds elements: no element of XML has text alone.
    fn holds_elements(&self) -> bool {
        self.place.xml
    }

    /// Text that is judged as such first, and then read as markup.
    fn doubted(&self, text: Option<Region>) -> Result<Region, Error> {
        let inner = Box::new(self.inner(false)?);
        Ok(match text {
            Some(text) => Region::Both(Box::new(text), inner),
            None => Region::Inner(inner),
        })
    }

    fn judge_tag(&mut self, start: Start, tag: &[u8]) -> Result<(), Error> {
        let source = Source { bytes: tag, encoding: self.encoding, xml: self.place.xml };
        let styles = self.settings.policy.parts().styles;
        let attributes = attributes::read(source, |name| roles::wanted(start.kind, name, styles));
        self.judge(start, tag, &attributes)
    }

    fn judge(&mut self, start: Start, tag: &[u8], attributes: &[Attribute<'_>]) -> Result<(), Error> {
        let kind = if script::is_inert(start.kind, attributes) { Kind::Inert } else { start.kind };
        match kind {
            Kind::Base => self.base(attributes, start.is_html),
            Kind::Meta => {
                self.charset(attributes);
                self.policy(attributes);
            }
            Kind::Input => self.around.select = false,
            _ => {}
        }
        let neutral = self.settings.gating != Gating::Remove;
        let styles = self.settings.policy.parts().styles;
        let (mut contacted, mut within, mut failed) = (Vec::new(), Vec::new(), None);
        let outcome = elements::judge(kind, attributes, neutral, styles, |url| {
            let Some(url) = judge::address(&self.place.base, url) else {
                return self.data(kind, tag, url, &mut within).unwrap_or_else(|error| {
                    failed = Some(error);
                    None
                });
            };
            if self.settings.limits.contacts > 0 {
                contacted.push(url.clone());
            }
            match judge::tag(&self.settings, url) {
                Judged::Blocked(blocked) => return Some(blocked),
                Judged::Foreign(finding) => self.passes(finding),
                Judged::Own => {}
            }
            None
        });
        if let Some(error) = failed {
            return Err(error);
        }
        self.contacted(tag, contacted);
        within.iter().for_each(|finding| self.found(Some(finding.clone())));
        let (mut edits, region) = match outcome {
            Outcome::Go(reason) if neutral => {
                let needs = self.needs(kind, attributes, &within);
                let mut edits = elements::neutralise(kind, tag, attributes, Some(&needs));
                if kind == Kind::Frame {
                    edits.extend(self.waiting(&reason, tag, attributes));
                }
                self.found(Some(reason.finding));
                if styles {
                    edits.extend(elements::style_edit(attributes, |url| self.blocked(url).is_some()));
                }
                (edits, Region::Pass)
            }
            Outcome::Go(reason) => {
                if kind == Kind::Frame {
                    let placeholder = self.placeholder(&reason, attributes);
                    self.out.extend_from_slice(placeholder.as_bytes());
                } else if start.is_html && !self.place.xml && self.around.is_foreign() && elements::leads_out(tag) {
                    // Its tag may have led browsers out of SVG; without one they would read on as if in it.
                    self.out.extend_from_slice(&tag[..attributes::name_end(tag)]);
                    self.out.push(b'>');
                }
                self.found(Some(reason.finding));
                self.open(start, Region::Drop);
                return Ok(());
            }
            Outcome::Stay(mut edits, reasons) => {
                if neutral && !reasons.is_empty() {
                    edits.push(attributes::Edit::insert(tag, &self.needs(kind, attributes, &within)));
                }
                for reason in reasons {
                    self.found(Some(reason.finding));
                }
                (edits, Region::Pass)
            }
        };
        if let Some(srcdoc) = elements::find(attributes, "srcdoc") {
            edits.extend(self.srcdoc(srcdoc)?);
        }
        let holds_elements = self.holds_elements() && !neutral;
        if start.kind == Kind::Script && (self.around.frameset || holds_elements) {
            // Behind a frameset that browsers ignore it runs; in one that they heed it is markup.
            let region = self.doubted(self.script(start, attributes).map(Region::Script))?;
            attributes::apply(tag, &mut edits, &mut self.out);
            self.open(start, region);
            return Ok(());
        }
        if kind == Kind::Script
            && let Some(script) = self.script(start, attributes)
        {
            let mut kept = Vec::with_capacity(tag.len());
            attributes::apply(tag, &mut edits, &mut kept);
            let script = if neutral {
                let mut inert = Vec::new();
                attributes::apply(tag, &mut elements::neutralise(kind, tag, attributes, None), &mut inert);
                script.with_tag(kept, inert)
            } else {
                self.out.append(&mut kept);
                script
            };
            self.open(start, Region::Script(script));
            return Ok(());
        }
        attributes::apply(tag, &mut edits, &mut self.out);
        let region = if kind == Kind::Frame && self.holds_elements() { self.doubted(None)? } else { region };
        self.open(start, region);
        Ok(())
    }

    /// What follows the tag, up to its end, is treated so. What has no end has nothing in it.
    fn open(&mut self, start: Start, region: Region) {
        if start.number > 0 && !matches!(region, Region::Pass) {
            self.owner = start.number;
            self.in_foreign = !start.is_html;
            self.region = region;
        } else if let Region::Script(mut script) = region {
            script.release(&mut self.out);
        }
    }

    /// The first `<meta>` that names a charset counts. The parser does it all but this one.
    fn charset(&mut self, attributes: &[Attribute<'_>]) {
        let value = |name| elements::find(attributes, name).map(Attribute::value);
        let named = value("charset").or_else(|| {
            let is = value("http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("content-type"));
            if is { value("content") } else { None }
        });
        let Some(named) = named else { return };
        let label = links::charset(&named).unwrap_or(&named);
        let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes()) else { return };
        if !std::mem::replace(&mut self.charset_named, true) {
            self.iso_2022_jp = encoding == encoding_rs::ISO_2022_JP;
        }
    }

    /// A `<meta>` may narrow what the page lets us do.
    fn policy(&mut self, attributes: &[Attribute<'_>]) {
        let value = |name| elements::find(attributes, name).map(Attribute::value);
        if value("http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("content-security-policy"))
            && let Some(content) = value("content")
        {
            self.place.csp = self.place.csp.with_meta(&content);
        }
    }

    pub(super) fn blocked(&self, url: &str) -> Option<Blocked> {
        judge::url(&self.settings, &self.place.base, url)
    }

    /// What our script must see granted before it frees the element.
    fn needs(&self, kind: Kind, attributes: &[Attribute<'_>], within: &[Finding]) -> String {
        let mut needs = Needs::new(&self.settings);
        for url in elements::urls(kind, attributes) {
            match judge::address(&self.place.base, &url) {
                Some(url) => needs.url(&url),
                None if kind == Kind::Script => {
                    Content::read(&url).into_iter().for_each(|content| needs.snippet(&content.text));
                }
                None => {}
            }
        }
        within.iter().for_each(|finding| _ = needs.add(finding.owner));
        needs.attribute()
    }

    fn base(&mut self, attributes: &[Attribute<'_>], is_html: bool) {
        if self.place.base_is_final || !is_html || self.around.templates > 0 {
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
    pub(super) fn inner(&self, own: bool) -> Result<Document, Error> {
        let depth = self.place.depth + 1;
        if depth > self.settings.limits.depth {
            return Err(Error::Depth);
        }
        let place = Place {
            depth,
            filtered: false,
            base_is_final: !own && self.place.base_is_final,
            xml: !own && self.place.xml,
            ..self.place.clone()
        };
        let encoding = if own { Some(encoding_rs::UTF_8) } else { Some(self.encoding) };
        let charset = encoding.and_then(AsciiCompatibleEncoding::new);
        Ok(Document::new(Arc::clone(&self.settings), place, charset))
    }

    /// Rewrites a `srcdoc`; an edit only if it changed.
    fn srcdoc(&mut self, srcdoc: &Attribute<'_>) -> Result<Option<attributes::Edit>, Error> {
        let mut inner = self.inner(true)?;
        let mut out = Vec::new();
        inner.write(srcdoc.value().as_bytes(), &mut out)?;
        inner.end(&mut out)?;
        self.absorb(&mut inner);
        Ok(inner.changed().then(|| srcdoc.replace(&String::from_utf8_lossy(&out))))
    }
}
