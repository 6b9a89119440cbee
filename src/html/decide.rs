//! What is done with a start tag, and with what follows it.

use std::sync::Arc;

use lol_html::AsciiCompatibleEncoding;
use url::Url;

use super::attributes::{self, Attribute, Source};
use super::document::Document;
use super::elements::{self, Kind, Outcome};
use super::judge::{self, Blocked, Needs};
use super::page::{Page, Place, Region, Start};
use super::script::{self, Script};
use super::{Error, Gating, Settings, links};
use crate::page::{escape, placeholder};

impl Page {
    /// Does what is to be done with a start tag, and settles what becomes of what follows it.
    pub(super) fn start(&mut self, kind: Kind, start: Start, tag: &[u8]) -> Result<(), Error> {
        if !self.scripted && start.is_html && !self.around.is_foreign() {
            return self.start_with_script(kind, start, tag);
        }
        let kept = match kind {
            Kind::NoScript if start.is_html => Region::Inner(Box::new(self.inner(false)?)),
            Kind::Text if start.is_html && self.around.is_doubtful() => Region::Inner(Box::new(self.inner(false)?)),
            Kind::NoScript | Kind::Text | Kind::Head => Region::Pass,
            Kind::Template | Kind::Select | Kind::Frameset | Kind::Foreign | Kind::Integration => {
                self.enter(kind, start);
                Region::Pass
            }
            _ => {
                let source = Source { bytes: tag, encoding: self.encoding };
                let attributes = attributes::read(source, |name| elements::wanted(kind, name));
                return self.judge(kind, start, tag, &attributes);
            }
        };
        self.out.extend_from_slice(tag);
        self.open(start, kept);
        Ok(())
    }

    /// Our script comes first: behind `<head>`, or before whatever shows that there is none.
    fn start_with_script(&mut self, kind: Kind, start: Start, tag: &[u8]) -> Result<(), Error> {
        self.scripted = true;
        self.changed = true;
        let script = self.settings.insert.head.clone().unwrap_or_default();
        if kind == Kind::Head {
            self.out.extend_from_slice(tag);
        }
        self.out.extend_from_slice(script.as_bytes());
        if kind == Kind::Head { Ok(()) } else { self.start(kind, start, tag) }
    }

    fn judge(&mut self, kind: Kind, start: Start, tag: &[u8], attributes: &[Attribute<'_>]) -> Result<(), Error> {
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
        let mut contacted = Vec::new();
        let outcome = elements::judge(kind, attributes, neutral, |url| {
            let url = self.resolve(url)?;
            if self.settings.limits.contacts > 0 {
                contacted.push(url.clone());
            }
            judge::tag(&self.settings, url)
        });
        self.contacted(tag, contacted);
        let (mut edits, region) = match outcome {
            Outcome::Go(reason) if neutral => {
                let needs = self.needs(kind, attributes);
                let mut edits = elements::neutralise(kind, tag, attributes, Some(&needs));
                if kind == Kind::Frame {
                    edits.extend(self.waiting(&reason, tag, attributes));
                }
                self.found(Some(reason.finding));
                (edits, Region::Pass)
            }
            Outcome::Go(reason) => {
                if kind == Kind::Frame {
                    let placeholder = self.placeholder(&reason, attributes);
                    self.out.extend_from_slice(placeholder.as_bytes());
                } else if start.is_html && self.around.is_foreign() && elements::leads_out(tag) {
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
                    edits.push(attributes::Edit::insert(tag, &self.needs(kind, attributes)));
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
        if kind == Kind::Script && self.around.frameset {
            let inner = self.inner(false)?;
            self.out.extend_from_slice(tag);
            self.open(start, Region::Inner(Box::new(inner)));
            return Ok(());
        }
        if kind == Kind::Script && is_inline(attributes) {
            let script = if neutral {
                let mut inert = Vec::new();
                attributes::apply(tag, &mut elements::neutralise(kind, tag, attributes, None), &mut inert);
                Script::with_tag(tag.to_vec(), inert)
            } else {
                self.out.extend_from_slice(tag);
                Script::new()
            };
            self.open(start, Region::Script(script));
            return Ok(());
        }
        attributes::apply(tag, &mut edits, &mut self.out);
        self.open(start, region);
        Ok(())
    }

    /// What follows the tag, up to its end, is treated so. What has no end has nothing in it.
    fn open(&mut self, start: Start, region: Region) {
        if start.number > 0 && !matches!(region, Region::Pass) {
            self.owner = start.number;
            self.region = region;
        } else if let Region::Script(mut script) = region {
            script.release(&mut self.out);
        }
    }

    fn enter(&mut self, kind: Kind, start: Start) {
        let counts = start.number > 0;
        match kind {
            Kind::Template if counts => self.around.templates += 1,
            Kind::Foreign if counts => self.around.foreign.push(true),
            Kind::Integration if counts && self.around.is_foreign() => self.around.foreign.push(false),
            // A second start tag ends the first element.
            Kind::Select => self.around.select = !self.around.select,
            Kind::Frameset => self.around.frameset = true,
            _ => {}
        }
    }

    /// An element ends that this was called for at its start.
    pub(super) fn leave(&mut self, name: &str) {
        match elements::kind(name.as_bytes()) {
            Some(Kind::Template) => self.around.templates = self.around.templates.saturating_sub(1),
            Some(Kind::Foreign) => {
                self.around.foreign.pop();
            }
            Some(Kind::Integration) if !self.around.is_foreign() => {
                self.around.foreign.pop();
            }
            Some(Kind::Select) => self.around.select = false,
            _ => {}
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

    /// Whom a URL of this document contacts; `None` if nobody.
    fn resolve(&self, url: &str) -> Option<Url> {
        let url = url.trim_start_matches(|c: char| c <= ' ');
        // Nobody is contacted, and they are long.
        if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
            return None;
        }
        self.place.base.join(url).ok()
    }

    /// What our script must see granted before it frees the element.
    fn needs(&self, kind: Kind, attributes: &[Attribute<'_>]) -> String {
        let mut needs = Needs::new(&self.settings);
        elements::urls(kind, attributes).iter().filter_map(|url| self.resolve(url)).for_each(|url| needs.url(&url));
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
    fn srcdoc(&mut self, srcdoc: &Attribute<'_>) -> Result<Option<attributes::Edit>, Error> {
        let mut inner = self.inner(true)?;
        let mut out = Vec::new();
        inner.write(srcdoc.value().as_bytes(), &mut out)?;
        inner.end(&mut out)?;
        self.absorb(&mut inner);
        Ok(inner.changed().then(|| srcdoc.replace(&String::from_utf8_lossy(&out))))
    }

    fn placeholder(&self, reason: &Blocked, attributes: &[Attribute<'_>]) -> String {
        self.framed(reason, |frame| {
            placeholder::frame(frame, |name| elements::find(attributes, name).map(Attribute::value))
        })
    }

    /// Edits by which a frame that stays shows its placeholder until it is freed.
    fn waiting(&self, reason: &Blocked, tag: &[u8], attributes: &[Attribute<'_>]) -> Vec<attributes::Edit> {
        let find = |name: &str| elements::find(attributes, name);
        if placeholder::is_hidden(&|name: &str| find(name).map(Attribute::value)) || find("sandbox").is_some() {
            return Vec::new();
        }
        let document = escape::quote(&self.framed(reason, placeholder::document));
        let shown = attributes::Edit::insert(tag, &format!("data-consentry-placeholder=\"\" srcdoc={document}"));
        find("srcdoc").map(|own| own.set_aside("")).into_iter().chain([shown]).collect()
    }

    fn framed<T>(&self, reason: &Blocked, make: impl FnOnce(&placeholder::Frame<'_>) -> T) -> T {
        let Settings { url: page, preferences, .. } = &*self.settings;
        let ours = page.join(preferences).unwrap_or_else(|_| page.clone());
        let place = |path| ours.join(path).unwrap_or_else(|_| ours.clone());
        make(&placeholder::Frame {
            service: reason.label(&self.settings),
            grant: reason.remedy(&self.settings),
            prefix: ours.as_str(),
            return_to: &page[url::Position::BeforePath..url::Position::AfterQuery],
            form: self.place.csp.allows_form(page, &place("choice")),
            style: self.place.csp.allows_style(page, &place("style.css")),
        })
    }
}

/// Whether the script's text is what a browser would run.
fn is_inline(attributes: &[Attribute<'_>]) -> bool {
    !["src", "href", "xlink:href"].iter().any(|name| elements::find(attributes, name).is_some())
        && !elements::find(attributes, "type").is_some_and(|kind| script::is_data(&kind.value()))
}
