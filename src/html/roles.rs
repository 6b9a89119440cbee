//! What each attribute means to each element: which of them a browser acts on, or a lazy loader.

use super::elements::Kind;
use crate::page::placeholder;

/// What an attribute means to an element, and so what goes when it is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
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
    /// CSS: the URLs in it that are blocked go.
    Style,
}

/// The attributes that mean something to some element.
const KNOWN: [&str; 37] = [
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
    "codebase",
    "archive",
    "classid",
    "data-litespeed-src",
    "data-rocket-src",
    "data-cfsrc",
    "data-pagespeed-lazy-src",
    "id",
    "align",
    "frameborder",
    "hidden",
    "sandbox",
];

/// Where lazy loaders keep an element's URL until it is seen.
const TWINS: [&str; 7] = [
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-litespeed-src",
    "data-rocket-src",
    "data-cfsrc",
    "data-pagespeed-lazy-src",
];

/// The attribute of this name, if the rewriter needs to see it.
pub(super) fn wanted(kind: Kind, name: &str, styles: bool) -> Option<&'static str> {
    let name = KNOWN.into_iter().find(|known| *known == name)?;
    let more = match kind {
        Kind::Script | Kind::Input => name == "type",
        Kind::Link => name == "rel",
        Kind::Meta => matches!(name, "http-equiv" | "charset"),
        Kind::Base => name == "href",
        Kind::Frame => matches!(name, "srcdoc" | "hidden" | "sandbox") || placeholder::KEPT.contains(&name),
        _ => false,
    };
    (more || (styles && name == "style") || role(kind, name).is_some()).then_some(name)
}

/// What this attribute means to elements of this kind.
pub(super) fn role(kind: Kind, name: &str) -> Option<Role> {
    match (kind, name) {
        (_, "style") => Some(Role::Style),
        (Kind::NoScript | Kind::Base | Kind::Head | Kind::Text | Kind::Style | Kind::Template | Kind::Select, _) => {
            None
        }
        (Kind::Frameset | Kind::Foreign | Kind::Integration | Kind::Other, _) => None,
        (Kind::Anchor, "ping" | "attributionsrc") => Some(Role::Pings),
        (Kind::Anchor, _) => None,
        (Kind::Backed, "background") => Some(Role::Extra),
        (Kind::Backed, _) => None,
        (Kind::Meta, "content") => Some(Role::Refresh),
        (Kind::Meta, _) => None,
        (Kind::FramesetFrame, "src") => Some(Role::Extra),
        // Of SVG's script and image too: the parser's idea of what is SVG need not be the browser's.
        (Kind::Script | Kind::Link | Kind::Loader | Kind::Media, "href" | "xlink:href") => Some(Role::Url),
        (Kind::Media, "data") => Some(Role::Url),
        // No browser of today, but those that run plugins.
        (Kind::Media, "codebase" | "classid") => Some(Role::Extra),
        (Kind::Media, "archive") => Some(Role::Pings),
        (_, "src") => Some(Role::Url),
        (_, twin) if TWINS.contains(&twin) => Some(Role::Url),
        (_, "poster") => Some(Role::Extra),
        (_, "srcset" | "imagesrcset" | "data-srcset" | "data-lazy-srcset") => Some(Role::Candidates),
        (_, "attributionsrc") => Some(Role::Pings),
        _ => None,
    }
}
