//! Which elements make a browser contact somebody, by which of their attributes, and what goes when that is blocked.

use super::attributes::{Attribute, Edit};
use super::judge::Blocked;
use super::{links, lists};

/// The elements that the rewriter looks at, one parser selector each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Script,
    NoScript,
    Frame,
    /// A frame of a frameset: the others would move if it went.
    FramesetFrame,
    Link,
    Refresh,
    Base,
    Input,
    Anchor,
    Body,
    /// Whatever simply loads its URLs.
    Loader,
}

/// Tag names and their kinds. `image` is SVG's, and in HTML another way to write `img`.
pub(super) const KINDS: [(&str, Kind); 20] = [
    ("script", Kind::Script),
    ("noscript", Kind::NoScript),
    ("iframe", Kind::Frame),
    ("frame", Kind::FramesetFrame),
    ("link", Kind::Link),
    ("meta", Kind::Refresh),
    ("base", Kind::Base),
    ("input", Kind::Input),
    ("a", Kind::Anchor),
    ("area", Kind::Anchor),
    ("body", Kind::Body),
    ("img", Kind::Loader),
    ("image", Kind::Loader),
    ("feimage", Kind::Loader),
    ("source", Kind::Loader),
    ("embed", Kind::Loader),
    ("object", Kind::Loader),
    ("video", Kind::Loader),
    ("audio", Kind::Loader),
    ("track", Kind::Loader),
];

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

/// Attributes without one of which an element of this kind is not worth reading. There are many links in a page, and
/// hardly any of them pings.
pub(super) fn telltale(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::Anchor => Some(&["ping", "attributionsrc"]),
        Kind::Body => Some(&["background"]),
        Kind::Refresh => Some(&["http-equiv"]),
        _ => None,
    }
}

/// Whether the rewriter needs to see the attribute at all.
pub(super) fn wanted(kind: Kind, name: &str) -> bool {
    role(kind, name).is_some()
        || match kind {
            Kind::Script | Kind::Input => name == "type",
            Kind::Link => name == "rel",
            Kind::Refresh => name == "http-equiv",
            Kind::Base => name == "href",
            Kind::Frame => matches!(name, "srcdoc" | "width" | "height" | "style" | "class"),
            _ => false,
        }
}

fn role(kind: Kind, name: &str) -> Option<Role> {
    match (kind, name) {
        (Kind::NoScript | Kind::Base, _) => None,
        (Kind::Anchor, "ping" | "attributionsrc") => Some(Role::Pings),
        (Kind::Anchor, _) => None,
        (Kind::Body, "background") => Some(Role::Extra),
        (Kind::Body, _) => None,
        (Kind::Refresh, "content") => Some(Role::Refresh),
        (Kind::Refresh, _) => None,
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
pub(super) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
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

/// Judges an element by its attributes.
pub(super) fn judge(kind: Kind, attributes: &[Attribute], mut blocked: impl FnMut(&str) -> Option<Blocked>) -> Outcome {
    let is = |name: &str, value: &str| find(attributes, name).is_some_and(|a| a.value().eq_ignore_ascii_case(value));
    let concerned = match kind {
        Kind::Input => is("type", "image"),
        Kind::Link => find(attributes, "rel").is_some_and(|rel| links::fetches(&rel.value())),
        Kind::Refresh => is("http-equiv", "refresh"),
        _ => true,
    };
    let (mut edits, mut reasons) = (Vec::new(), Vec::new());
    if !concerned {
        return Outcome::Stay(edits, reasons);
    }
    let (mut has_url, mut lost_candidates) = (false, false);
    for attribute in attributes {
        let Some(role) = role(kind, &attribute.name) else { continue };
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
            Role::Extra if is_blocked(&value) => edits.push(attribute.remove()),
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
                        edits.push(attribute.replace(&left));
                    }
                    lists::Rest::Nothing => {
                        lost_candidates |= role == Role::Candidates;
                        edits.push(attribute.remove());
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
