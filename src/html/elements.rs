//! Which elements make a browser contact somebody, by which of their attributes, and what goes when that is blocked.

use super::attributes::{Attribute, Edit, name_end};
use super::judge::Blocked;
use super::{links, lists};
use crate::page::placeholder;

/// The elements that the rewriter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Script,
    NoScript,
    Frame,
    /// A frame of a frameset: the others would move if it went.
    FramesetFrame,
    Link,
    Meta,
    Base,
    Head,
    Input,
    Anchor,
    /// Has a picture behind it.
    Backed,
    /// Whatever simply loads its URLs.
    Loader,
    /// Holds text, unless the browser ignores the tag.
    Text,
    Template,
    Select,
    Frameset,
    /// `svg` and `math`.
    Foreign,
    /// Holds HTML, in `svg` or `math`.
    Integration,
}

/// Elements that end with their tag, or whose content is left alone. `image` is SVG's, and in HTML another way to write
/// `img`.
pub(super) const LEAVES: &str = "link,meta,base,head,input,a,area,body,table,thead,tbody,tfoot,tr,td,th,frame,img,image,\
                                 feimage,source,embed,track,frameset";

/// Elements whose end matters too.
pub(super) const BRANCHES: &str = "script,noscript,iframe,object,video,audio,select,template,svg,math,\
                                   foreignobject,desc,annotation-xml,mi,mo,mn,ms,mtext";

/// Elements that matter only where their tag might be ignored, or end with itself in XML.
pub(super) const TEXTS: &str = "title,textarea,style,xmp,noembed,noframes,plaintext";

/// What kind the element of this tag name is.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    let mut lower = [0; 14];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"script" => Kind::Script,
        b"noscript" => Kind::NoScript,
        b"iframe" => Kind::Frame,
        b"frame" => Kind::FramesetFrame,
        b"link" => Kind::Link,
        b"meta" => Kind::Meta,
        b"base" => Kind::Base,
        b"head" => Kind::Head,
        b"input" => Kind::Input,
        b"a" | b"area" => Kind::Anchor,
        b"body" | b"table" | b"thead" | b"tbody" | b"tfoot" | b"tr" | b"td" | b"th" => Kind::Backed,
        b"img" | b"image" | b"feimage" | b"source" | b"embed" | b"object" | b"video" | b"audio" | b"track" => {
            Kind::Loader
        }
        b"title" | b"textarea" | b"style" | b"xmp" | b"noembed" | b"noframes" | b"plaintext" => Kind::Text,
        b"template" => Kind::Template,
        b"select" => Kind::Select,
        b"frameset" => Kind::Frameset,
        b"svg" | b"math" => Kind::Foreign,
        b"foreignobject" | b"desc" | b"annotation-xml" | b"mi" | b"mo" | b"mn" | b"ms" | b"mtext" => Kind::Integration,
        _ => return None,
    })
}

/// Whether a tag that may go leads browsers out of `svg` or `math`.
pub(super) fn leads_out(tag: &[u8]) -> bool {
    let name = tag.get(1..name_end(tag)).unwrap_or_default();
    ["img", "embed", "meta"].iter().any(|out| name.eq_ignore_ascii_case(out.as_bytes()))
}

/// What an attribute means to an element, and so what goes when it is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// One URL, or a lazy loader's twin of it: the element goes.
    Url,
    /// The URL of a refresh: the element goes.
    Refresh,
    /// One URL that is not what the element is for: the attribute goes.
    Extra,
    /// Image candidates: those that are blocked go; the element, if none is left and it has no other URL.
    Candidates,
    /// URLs that are only told of something: those that are blocked go.
    Pings,
}

/// The attributes that mean something to some element.
const KNOWN: [&str; 30] = [
    "src",
    "href",
    "type",
    "rel",
    "srcset",
    "data-src",
    "data-srcset",
    "content",
    "http-equiv",
    "ping",
    "attributionsrc",
    "background",
    "charset",
    "data",
    "xlink:href",
    "data-lazy-src",
    "data-original",
    "poster",
    "imagesrcset",
    "data-lazy-srcset",
    "srcdoc",
    "width",
    "height",
    "style",
    "class",
    "id",
    "align",
    "frameborder",
    "hidden",
    "sandbox",
];

/// The attribute of this name, if the rewriter needs to see it.
pub(super) fn wanted(kind: Kind, name: &str) -> Option<&'static str> {
    let name = KNOWN.into_iter().find(|known| *known == name)?;
    let more = match kind {
        Kind::Script | Kind::Input => name == "type",
        Kind::Link => name == "rel",
        Kind::Meta => matches!(name, "http-equiv" | "charset"),
        Kind::Base => name == "href",
        Kind::Frame => matches!(name, "srcdoc" | "hidden" | "sandbox") || placeholder::KEPT.contains(&name),
        _ => false,
    };
    (more || role(kind, name).is_some()).then_some(name)
}

fn role(kind: Kind, name: &str) -> Option<Role> {
    match (kind, name) {
        (
            Kind::NoScript
            | Kind::Base
            | Kind::Head
            | Kind::Text
            | Kind::Template
            | Kind::Select
            | Kind::Frameset
            | Kind::Foreign,
            _,
        ) => None,
        (Kind::Anchor, "ping" | "attributionsrc") => Some(Role::Pings),
        (Kind::Anchor, _) => None,
        (Kind::Backed, "background") => Some(Role::Extra),
        (Kind::Backed, _) => None,
        (Kind::Meta, "content") => Some(Role::Refresh),
        (Kind::Meta, _) => None,
        (Kind::FramesetFrame, "src") => Some(Role::Extra),
        // Of SVG's script and image too: the parser's idea of what is SVG need not be the browser's.
        (Kind::Script | Kind::Link | Kind::Loader, "href" | "xlink:href") => Some(Role::Url),
        (Kind::Loader, "data") => Some(Role::Url),
        (_, "src" | "data-src" | "data-lazy-src" | "data-original") => Some(Role::Url),
        (_, "poster") => Some(Role::Extra),
        (_, "srcset" | "imagesrcset" | "data-srcset" | "data-lazy-srcset") => Some(Role::Candidates),
        (_, "attributionsrc") => Some(Role::Pings),
        _ => None,
    }
}

/// Finds an attribute among those read.
pub(super) fn find<'a, 't>(attributes: &'a [Attribute<'t>], name: &str) -> Option<&'a Attribute<'t>> {
    attributes.iter().find(|a| a.name == name)
}

/// What becomes of an element.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It stays, with these edits and for these reasons; both are empty if it stays as it is.
    Stay(Vec<Edit>, Vec<Blocked>),
    /// It goes.
    Go(Blocked),
}

/// Judges an element by its attributes. `aside`: what goes of an element that stays is kept where no browser looks.
pub(super) fn judge(
    kind: Kind,
    attributes: &[Attribute<'_>],
    aside: bool,
    mut blocked: impl FnMut(&str) -> Option<Blocked>,
) -> Outcome {
    let is = |name: &str, value: &str| find(attributes, name).is_some_and(|a| a.value().eq_ignore_ascii_case(value));
    let concerned = match kind {
        Kind::Input => is("type", "image"),
        Kind::Link => find(attributes, "rel").is_some_and(|rel| links::fetches(&rel.value())),
        Kind::Meta => is("http-equiv", "refresh"),
        _ => true,
    };
    let (mut edits, mut reasons) = (Vec::new(), Vec::new());
    if !concerned {
        return Outcome::Stay(edits, reasons);
    }
    let remove = |attribute: &Attribute<'_>| if aside { attribute.set_aside("") } else { attribute.remove() };
    let (mut has_url, mut lost_candidates) = (false, false);
    for attribute in attributes {
        let Some(role) = role(kind, attribute.name) else { continue };
        let value = attribute.value();
        let mut is_blocked = |url: &str| {
            let found = blocked(url);
            let is = found.is_some();
            reasons.extend(found);
            is
        };
        match role {
            Role::Url if is_blocked(&value) => return gone(reasons),
            Role::Url => has_url |= !value.trim().is_empty(),
            Role::Refresh if links::refresh(&value).is_some_and(&mut is_blocked) => return gone(reasons),
            Role::Refresh => {}
            Role::Extra if is_blocked(&value) => edits.push(remove(attribute)),
            Role::Extra => {}
            Role::Candidates | Role::Pings => {
                let rest = match role {
                    Role::Pings => lists::filter_words(&value, is_blocked),
                    _ => lists::filter_candidates(&value, is_blocked),
                };
                match rest {
                    lists::Rest::All => has_url |= role == Role::Candidates,
                    lists::Rest::Some(left) => {
                        has_url |= role == Role::Candidates;
                        if aside {
                            edits.extend(attribute.replace_aside(&left));
                        } else {
                            edits.push(attribute.replace(&left));
                        }
                    }
                    lists::Rest::Nothing => {
                        lost_candidates |= role == Role::Candidates;
                        edits.push(remove(attribute));
                    }
                }
            }
        }
    }
    if lost_candidates && !has_url { gone(reasons) } else { Outcome::Stay(edits, reasons) }
}

/// The last is the one that decided.
fn gone(mut reasons: Vec<Blocked>) -> Outcome {
    match reasons.pop() {
        Some(reason) => Outcome::Go(reason),
        None => Outcome::Stay(Vec::new(), reasons),
    }
}

/// Every URL that the element would contact.
pub(super) fn urls(kind: Kind, attributes: &[Attribute<'_>]) -> Vec<String> {
    let mut urls = Vec::new();
    for attribute in attributes {
        let value = attribute.value();
        match role(kind, attribute.name) {
            None => {}
            Some(Role::Url | Role::Extra) => urls.push(value.into_owned()),
            Some(Role::Refresh) => urls.extend(links::refresh(&value).map(str::to_owned)),
            Some(Role::Candidates) => urls.extend(lists::candidates(&value).iter().map(|found| found.url.to_owned())),
            Some(Role::Pings) => urls.extend(value.split_ascii_whitespace().map(str::to_owned)),
        }
    }
    urls
}

/// Edits after which the element is inert: what it would load stands where no browser looks, what it would run is of a
/// type that none does. `needs` is written into it for our script: what must be granted before it is freed.
pub(super) fn neutralise(kind: Kind, tag: &[u8], attributes: &[Attribute<'_>], needs: Option<&str>) -> Vec<Edit> {
    let loads = |a: &&Attribute<'_>| role(kind, a.name).is_some();
    let mut edits: Vec<_> = attributes.iter().filter(loads).map(|a| a.set_aside("")).collect();
    edits.extend(needs.map(|needs| Edit::insert(tag, needs)));
    if kind == Kind::Script {
        const INERT: &str = "type=\"text/plain\"";
        edits.push(match find(attributes, "type") {
            Some(kind) => kind.set_aside(&format!("{INERT} ")),
            None => Edit::insert(tag, INERT),
        });
    }
    edits
}
