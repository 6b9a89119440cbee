//! What stands in the place of a frame that is refused.

use super::attributes::{self, Attribute};
use super::judge::Blocked;
use super::page::Page;
use super::{Settings, elements, style};
use crate::page::{category, escape, placeholder, way_back};

impl Page {
    pub(super) fn placeholder(&self, reason: &Blocked, attributes: &[Attribute<'_>]) -> String {
        self.framed(reason, |frame| {
            placeholder::frame(frame, |name| {
                let value = elements::find(attributes, name)?.value();
                let reads = name == "style" && self.settings.policy.parts().styles;
                let left = reads.then(|| style::filter(&value, |url| self.blocked(url).is_some())).flatten();
                Some(left.map_or(value, Into::into))
            })
        })
    }

    /// Edits by which a frame that stays shows its placeholder until it is freed.
    pub(super) fn waiting(&self, reason: &Blocked, tag: &[u8], attributes: &[Attribute<'_>]) -> Vec<attributes::Edit> {
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
            texts: self.texts(),
            named: self.named(),
            service: reason.label(&self.settings),
            grant: reason.remedy(&self.settings, |found| category::label(found, self.texts(), self.language())),
            prefix: ours.as_str(),
            return_to: way_back(&page[url::Position::BeforePath..url::Position::AfterQuery]),
            form: self.settings.asks && self.place.csp.allows_form(page, &place("choice")),
            style: self.place.csp.allows_style(page, &place("style.css")),
        })
    }
}
