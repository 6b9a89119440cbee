//! What we add to a page: a script first in `<head>`, markup where the body begins, and a link in its footer.
//!
//! The body begins behind `<body>` or, in pages that leave that out, before whatever makes browsers open one
//! (HTML §13.2.6.4.4 to §13.2.6.4.6). [`At`] finds that in the bytes that the parser hands back.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use lol_html::Selector;
use lol_html::html_content::EndTag;
use lol_html::send::{Element, ElementContentHandlers};

use super::elements::Kind;
use super::front::At;
use super::page::{Page, Start};
use super::region::Region;
use crate::filter::Csp;

/// Markup of ours: ASCII, every tag closed, every attribute quoted, and so right in any charset and in XHTML.
#[derive(Debug, Clone, Default)]
pub struct Insertions {
    /// First in `<head>`.
    pub head: Option<Arc<str>>,
    /// Where the body begins. Pages with a frameset have no such place.
    pub body: Option<Banner>,
    /// Before the end tag of an element.
    pub link: Option<Link>,
}

/// Writes markup for one thing or another, in the language of the tag.
type Write<T> = dyn Fn(&T, &str) -> String + Send + Sync;

/// Markup that depends on what the page lets us do in it, and on the tag of the language to speak.
#[derive(Clone)]
pub struct Banner(pub Arc<Write<Csp>>);

impl std::fmt::Debug for Banner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Banner")
    }
}

/// A link, and where it stands.
#[derive(Clone)]
pub struct Link {
    /// It is the last thing in the first element that this finds.
    pub within: Anchor,
    /// How it looks in one place or the other, in the language of this tag.
    pub markup: Arc<Write<Spot>>,
    /// Whether it may also stand behind the last byte, where a page has no `</body>`.
    pub at_end: bool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("within", &self.within).finish_non_exhaustive()
    }
}

/// Where a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// In the element that was looked for.
    Within,
    /// At the end of a page that has none.
    End,
}

/// A CSS selector, checked.
#[derive(Debug, Clone)]
pub struct Anchor {
    selector: Selector,
    /// The one element that it can find, where it is nothing but that name, in lower case.
    name: Option<Box<str>>,
}

impl Anchor {
    /// Reads a selector; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let selector = text.parse().map_err(|error: lol_html::errors::SelectorError| error.to_string())?;
        let text = text.trim();
        let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Ok(Self { selector, name: is_name.then(|| text.to_ascii_lowercase().into()) })
    }

    /// The name of the elements that it finds, in lower case, if that is all that it asks for.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// How far the insertions of a document have come.
#[derive(Debug)]
pub(super) struct Inserting {
    front: Front,
    link: LinkState,
    /// Open `dialog` elements: what stands in them is mostly not shown.
    dialogs: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    Wanted,
    /// The next chunk is the end tag before which it stands.
    Due,
    /// The same, at the end of the body.
    Last,
    Done,
}

/// Looks for the place where the body begins.
#[derive(Debug)]
enum Front {
    Searching { at: At, inside: Option<u64> },
    Done,
}

impl Inserting {
    pub(super) fn new(wanted: &Insertions, depth: u8) -> Self {
        let top = depth == 0;
        let front =
            if top && wanted.body.is_some() { Front::Searching { at: At::Text, inside: None } } else { Front::Done };
        Self { front, link: if top && wanted.link.is_some() { LinkState::Wanted } else { LinkState::Done }, dialogs: 0 }
    }

    /// Whether the ends of text elements matter: what is in those of the head is not the body.
    pub(super) fn is_searching(&self) -> bool {
        matches!(self.front, Front::Searching { .. })
    }

    /// An element of this number ends.
    pub(super) fn leave(&mut self, number: u64) {
        if let Front::Searching { inside, .. } = &mut self.front
            && *inside == Some(number)
        {
            *inside = None;
        }
    }
}

impl Page {
    /// What stands before the chunk that comes next, an end tag or not. To be asked for each chunk.
    pub(super) fn insert_link(&mut self) {
        let (spot, link) = match (self.inserting.link, &self.settings.insert.link) {
            (LinkState::Due, Some(link)) => (Spot::Within, link),
            (LinkState::Last, Some(link)) => (Spot::End, link),
            _ => return,
        };
        let markup = (link.markup)(&spot, self.language());
        self.inserting.link = LinkState::Done;
        self.out.extend_from_slice(markup.as_bytes());
        self.changed = true;
    }

    /// A start tag that is looked at: what stands before it, and whether something stands behind it.
    pub(super) fn insert_at(&mut self, start: Start, tag: &[u8]) -> bool {
        let Front::Searching { inside, at } = &mut self.inserting.front else { return false };
        // What cannot be told apart from the head's markup is none.
        *at = At::Text;
        if inside.is_some() {
            return false;
        }
        let name = tag[1..super::attributes::name_end(tag)].to_ascii_lowercase();
        // What we add has no prefix, and means nothing where the page's own elements have one.
        if self.place.xml && name.contains(&b':') {
            return false;
        }
        match start.kind {
            Kind::Head | Kind::Meta | Kind::Link | Kind::Base => false,
            Kind::Script | Kind::NoScript | Kind::Template => {
                *inside = (start.number > 0).then_some(start.number);
                false
            }
            Kind::Text | Kind::Style if matches!(&*name, b"title" | b"style" | b"noframes") => {
                *inside = (start.number > 0).then_some(start.number);
                false
            }
            Kind::Frameset => {
                self.inserting.front = Front::Done;
                false
            }
            _ if name == b"body" => true,
            _ if name == b"html" => false,
            _ => {
                self.insert_banner();
                false
            }
        }
    }

    /// Here the body begins.
    pub(super) fn insert_banner(&mut self) {
        self.inserting.front = Front::Done;
        let Some(banner) = &self.settings.insert.body else { return };
        let markup = (banner.0)(&self.place.csp, self.language());
        if !std::mem::replace(&mut self.scripted, true) {
            let head = self.settings.insert.head.as_deref().unwrap_or_default();
            self.out.extend_from_slice(head.as_bytes());
        }
        self.out.extend_from_slice(markup.as_bytes());
        self.changed = true;
    }

    /// Passes bytes between elements, and inserts where the body begins in them.
    pub(super) fn pass(&mut self, chunk: &[u8]) {
        let at = match &mut self.inserting.front {
            // XML has no tags that go without saying.
            Front::Searching { at, inside: None } if !self.place.xml => match at.find(chunk) {
                Some(at) => at,
                None => return self.out.extend_from_slice(chunk),
            },
            _ => return self.out.extend_from_slice(chunk),
        };
        self.out.extend_from_slice(&chunk[..at]);
        self.insert_banner();
        self.out.extend_from_slice(&chunk[at..]);
    }

    /// The document is complete: what has not found its place stands last, where that is a place.
    pub(super) fn insert_last(&mut self) {
        if self.place.xml || self.around.frameset {
            return;
        }
        if matches!(self.inserting.front, Front::Searching { inside: None, at: At::Text }) {
            self.insert_banner();
        }
        if self.ending.in_content && self.appends() {
            self.inserting.link = LinkState::Last;
            self.insert_link();
        }
    }

    /// Whether the link may stand behind the last byte, if that is a place for markup.
    pub(super) fn appends(&self) -> bool {
        self.settings.insert.link.as_ref().is_some_and(|link| link.at_end) && self.takes_link() && !self.place.xml
    }

    fn takes_link(&self) -> bool {
        self.inserting.link == LinkState::Wanted
            && matches!(self.region, Region::Pass)
            && self.around.templates == 0
            && self.inserting.dialogs == 0
            && !self.around.is_doubtful()
    }
}

/// Finds where the link stands: the parser asks these at each tag. None where none is wanted.
pub(super) fn handlers(shared: &Arc<Mutex<Page>>) -> Vec<(Cow<'static, Selector>, ElementContentHandlers<'static>)> {
    let wanted = {
        let page = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let link = page.settings.insert.link.as_ref();
        link.filter(|_| page.inserting.link == LinkState::Wanted).map(|link| link.within.selector.clone())
    };
    let Some(within) = wanted else { return Vec::new() };
    let [body, dialog] = ["body", "dialog"].map(|name| name.parse::<Selector>().expect("a name is a selector"));
    let dialogs = Arc::clone(shared);
    let around = move |element: &mut Element<'_, '_>| {
        let count = |page: &Mutex<Page>, more: bool| {
            let dialogs = &mut page.lock().unwrap_or_else(PoisonError::into_inner).inserting.dialogs;
            *dialogs = if more { *dialogs + 1 } else { dialogs.saturating_sub(1) };
        };
        if element.can_have_content() {
            count(&dialogs, true);
            let dialogs = Arc::clone(&dialogs);
            element.on_end_tag(Box::new(move |_: &mut EndTag<'_>| {
                count(&dialogs, false);
                Ok(())
            }))?;
        }
        Ok(())
    };
    let dialog = (Cow::Owned(dialog), ElementContentHandlers::default().element(around));
    [(within, LinkState::Due), (body, LinkState::Last)]
        .into_iter()
        .map(|(selector, then)| {
            let shared = Arc::clone(shared);
            let found = move |element: &mut Element<'_, '_>| {
                let page = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if page.takes_link() && element.can_have_content() {
                    drop(page);
                    let shared = Arc::clone(&shared);
                    element.on_end_tag(Box::new(move |_: &mut EndTag<'_>| {
                        let mut page = shared.lock().unwrap_or_else(PoisonError::into_inner);
                        if page.takes_link() {
                            page.inserting.link = then;
                        }
                        Ok(())
                    }))?;
                }
                Ok(())
            };
            (Cow::Owned(selector), ElementContentHandlers::default().element(found))
        })
        .chain([dialog])
        .collect()
}
