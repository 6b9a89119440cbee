//! Whom a page makes the browser contact, whatever the policy says of it: for those who take stock of a site.

use url::Url;

use super::attributes::name_end;
use super::document::Document;
use super::page::Page;

/// One address that an element makes the browser fetch, refresh to or ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The tag's name in lower case; a stranger's text, but one that the rewriter knows.
    pub element: Box<str>,
    /// Resolved against the page's base; path and query may hold personal data.
    pub url: Url,
}

impl Page {
    /// Keeps what a tag contacts, each once, up to the limit.
    pub(super) fn contacted(&mut self, tag: &[u8], urls: Vec<Url>) {
        if urls.is_empty() {
            return;
        }
        let name = tag.get(1..name_end(tag)).unwrap_or_default();
        let element: Box<str> = String::from_utf8_lossy(name).to_ascii_lowercase().into();
        for url in urls {
            self.keep_contact(Contact { element: element.clone(), url });
        }
    }

    pub(super) fn absorb_contacts(&mut self, inner: &mut Document) {
        for contact in inner.contacts() {
            self.keep_contact(contact);
        }
    }

    fn keep_contact(&mut self, contact: Contact) {
        if self.contacts.len() < self.settings.limits.contacts && !self.contacts.contains(&contact) {
            self.contacts.push(contact);
        }
    }
}
