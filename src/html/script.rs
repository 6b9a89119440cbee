//! Inline scripts: held while they are read, judged, and let go or emptied.

use encoding_rs::Encoding;
use url::Url;

use super::attributes::{Attribute, name_end};
use super::elements::{self, Kind};
use super::judge::{self, Needs};
use super::page::{Page, Start};
use super::payload::{Part, Payload};
use super::roles;
use super::script_type::Type;
use super::{Settings, xml};
use crate::policy::Finding;

/// The text of an inline script that is being read.
#[derive(Debug)]
pub(super) struct Script {
    text: Vec<u8>,
    state: State,
    /// Its start tag, as it is and inert, where it waits for the verdict.
    tag: Option<(Vec<u8>, Vec<u8>)>,
    /// Speculation rules, whose URLs are resolved against this.
    rules: Option<Url>,
    payload: Payload,
    /// Its text is markup.
    xml: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of it has left.
    Held,
    /// Too long to be held whole: its judged beginning has left.
    Long,
    /// Inert: passes.
    Inert,
    /// Blocked: the rest is dropped.
    Blocked,
}

impl Script {
    /// A script whose start tag has left, and which may hold a framework's payload.
    pub(super) fn new(payload: Payload) -> Self {
        Self { text: Vec::new(), state: State::Held, tag: None, rules: None, payload, xml: false }
    }

    /// Speculation rules on a page with this base.
    pub(super) fn rules(base: Url) -> Self {
        Self { rules: Some(base), ..Self::new(Payload::none()) }
    }

    /// It leaves with the second of these start tags, text and all, if it is blocked; else with the first. One that is
    /// too long to be held is emptied all the same.
    pub(super) fn with_tag(self, tag: Vec<u8>, inert: Vec<u8>) -> Self {
        Self { tag: Some((tag, inert)), ..self }
    }

    /// Takes more of the text. What is longer than `Limits::inline_script` is judged in windows of that length which
    /// overlap by half, so that a signature of up to half of it is seen wherever it lies; each window's judged half
    /// leaves. A signature found late empties the rest, and a script that ends in the middle does not run.
    /// Windows count bytes of the script, never chunks: the outcome is the same for every cut.
    pub(super) fn push(
        &mut self,
        mut chunk: &[u8],
        settings: &Settings,
        encoding: &'static Encoding,
        out: &mut Vec<u8>,
    ) -> Option<Finding> {
        let window = settings.limits.inline_script.max(2);
        while !chunk.is_empty() {
            match self.state {
                State::Blocked => return None,
                State::Inert => {
                    out.extend_from_slice(chunk);
                    return None;
                }
                State::Held | State::Long => {}
            }
            if self.text.len() == window {
                let (finding, judged) = self.judge(false, settings, encoding, out);
                if finding.is_some() {
                    if self.state == State::Inert {
                        out.extend_from_slice(chunk);
                    }
                    return finding;
                }
                self.tag_leaves(out);
                out.extend(self.text.drain(..judged));
                self.state = State::Long;
                continue;
            }
            let (now, later) = chunk.split_at(chunk.len().min(window - self.text.len()));
            self.text.extend_from_slice(now);
            chunk = later;
        }
        None
    }

    /// The script ends here.
    pub(super) fn end(
        &mut self,
        settings: &Settings,
        encoding: &'static Encoding,
        out: &mut Vec<u8>,
    ) -> Option<Finding> {
        if let State::Held | State::Long = self.state
            && let (Some(finding), _) = self.judge(true, settings, encoding, out)
        {
            return Some(finding);
        }
        self.tag_leaves(out);
        out.append(&mut self.text);
        None
    }

    /// What was held, unjudged: only for a page that is given up.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        self.tag_leaves(out);
        out.append(&mut self.text);
    }

    fn tag_leaves(&mut self, out: &mut Vec<u8>) {
        if let Some((tag, _)) = self.tag.take() {
            out.extend_from_slice(&tag);
        }
    }

    /// Judges what is code in the text that is held, and tells how much of that may leave: if it is not `whole`, part
    /// of the code stays, for a signature may begin in it.
    fn judge(
        &mut self,
        whole: bool,
        settings: &Settings,
        encoding: &'static Encoding,
        out: &mut Vec<u8>,
    ) -> (Option<Finding>, usize) {
        let (code, judged) = self.code(whole);
        let (text, _) = encoding.decode_without_bom_handling(code.as_ref().unwrap_or(&self.text));
        let text = if self.xml { xml::text(&text).into() } else { text };
        let finding = match &self.rules {
            Some(base) => judge::rules(settings, base, &text),
            None => judge::snippet(settings, &text),
        };
        if finding.is_some() {
            match self.tag.take() {
                Some((_, inert)) => {
                    self.state = State::Inert;
                    let mut needs = Needs::new(settings);
                    needs.snippet(&text);
                    let (name, rest) = inert.split_at(name_end(&inert));
                    out.extend_from_slice(name);
                    out.push(b' ');
                    out.extend_from_slice(needs.attribute().as_bytes());
                    out.extend_from_slice(rest);
                    out.append(&mut self.text);
                }
                None => {
                    self.state = State::Blocked;
                    self.text.clear();
                }
            }
        }
        (finding, judged)
    }

    /// The code in the text, `None` if that is all of it, and up to where it is done with.
    fn code(&mut self, whole: bool) -> (Option<Vec<u8>>, usize) {
        let half = if whole { self.text.len() } else { self.text.len() / 2 };
        let (mut code, mut at) = (Vec::new(), 0);
        while at < self.text.len() {
            let rest = &self.text[at..];
            match self.payload.next(rest, whole) {
                Part::Code(length) if length == rest.len() && at == 0 => return (None, half),
                Part::Code(length) => {
                    code.extend_from_slice(&rest[..length]);
                    code.push(b' ');
                    if length == rest.len() {
                        return (Some(code), at.max(half));
                    }
                    at += length;
                }
                Part::Data(length) => {
                    at += length;
                    if !whole && self.payload.is_data() {
                        break;
                    }
                }
            }
        }
        (Some(code), at)
    }
}

impl Page {
    /// Where quotes and brackets are what the bytes of a script say, a payload can be told from code.
    fn payload(&self) -> Payload {
        let is_plain = self.encoding == encoding_rs::UTF_8 || self.encoding.is_single_byte();
        if is_plain && !self.place.xml { Payload::new() } else { Payload::none() }
    }

    /// The script whose text is to be judged, if it is one that a browser may read.
    pub(super) fn script(&self, start: Start, attributes: &[Attribute<'_>]) -> Option<Script> {
        // Browsers that have another idea of what is SVG's than the parser run the text: there `src` is nothing to them.
        let is_external = start.is_html
            && !self.place.xml
            && !self.around.is_doubtful()
            && elements::find(attributes, "src").is_some();
        if is_external {
            return None;
        }
        let script = match script_type(attributes) {
            Type::Code => Script::new(self.payload()),
            Type::Rules => Script::rules(self.place.base.clone()),
            Type::Data => return None,
        };
        Some(Script { xml: self.place.xml, ..script })
    }
}

/// Whether it is a script that nobody runs, whatever its address and text are.
pub(super) fn is_inert(kind: Kind, attributes: &[Attribute<'_>]) -> bool {
    kind == Kind::Script && script_type(attributes) == Type::Data
}

fn script_type(attributes: &[Attribute<'_>]) -> Type {
    let kind = elements::find(attributes, "type").map(Attribute::value);
    match Type::of(kind.as_deref().unwrap_or_default()) {
        Type::Data if roles::REVIVING.iter().any(|name| elements::find(attributes, name).is_some()) => Type::Code,
        found => found,
    }
}
