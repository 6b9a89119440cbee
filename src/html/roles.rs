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

/// The attributes of names so long that mean something to some element.
fn known(length: usize) -> &'static [&'static str] {
    match length {
        2 => &["id"],
        3 => &["src", "rel"],
        4 => &["href", "type", "ping", "data"],
        5 => &["width", "style", "class", "align"],
        6 => &["srcset", "poster", "srcdoc", "height", "hidden", "config"],
        7 => &["content", "charset", "archive", "classid", "sandbox"],
        8 => &["data-src", "codebase"],
        9 => &["nitro-src"],
        10 => &["http-equiv", "background", "xlink:href", "data-cfsrc"],
        11 => &["data-srcset", "imagesrcset", "frameborder"],
        13 => &["data-lazy-src", "data-original"],
        14 => &["attributionsrc", "nitro-lazy-src", "data-phast-src"],
        15 => &["data-rocket-src"],
        16 => &["data-lazy-srcset"],
        17 => &["data-wpmeteor-src", "nitro-lazy-srcset"],
        18 => &["data-litespeed-src", "data-wpmeteor-type"],
        20 => &["data-consentry-needs"],
        23 => &["data-pagespeed-lazy-src"],
        _ => &[],
    }
}

/// Where lazy loaders keep an element's URL until it is seen.
const TWINS: [&str; 11] = [
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-litespeed-src",
    "data-rocket-src",
    "data-cfsrc",
    "data-pagespeed-lazy-src",
    "data-wpmeteor-src",
    "nitro-src",
    "nitro-lazy-src",
    "data-phast-src",
];

/// With one of these a script of a type that nobody runs is run all the same: by a delaying plug-in, or by our own script.
pub(super) const REVIVING: [&str; 3] = ["data-wpmeteor-type", "data-wpmeteor-src", "data-consentry-needs"];

/// The attribute of this name, if the rewriter needs to see it.
pub(super) fn wanted(kind: Kind, name: &str, styles: bool) -> Option<&'static str> {
    let name = known(name.len()).iter().copied().find(|known| *known == name)?;
    let more = match kind {
        Kind::Script => name == "type" || REVIVING.contains(&name),
        Kind::Input => name == "type",
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
        // Browsers tell of themselves when they meet it, whatever the script's type is.
        (Kind::Inert, "attributionsrc") => Some(Role::Pings),
        (Kind::Inert, _) => None,
        (Kind::Anchor, "ping" | "attributionsrc") => Some(Role::Pings),
        (Kind::Anchor, _) => None,
        (Kind::Backed, "background") => Some(Role::Extra),
        (Kind::Backed, _) => None,
        (Kind::Meta, "content") => Some(Role::Refresh),
        (Kind::Meta, _) => None,
        (Kind::FramesetFrame, "src") => Some(Role::Extra),
        // Of SVG's script and image too: the parser's idea of what is SVG need not be the browser's.
        (Kind::Script | Kind::Link | Kind::Loader | Kind::Media, "href" | "xlink:href") => Some(Role::Url),
        // Of AMP's analytics.
        (Kind::Media, "config") => Some(Role::Url),
        (Kind::Media, "data") => Some(Role::Url),
        // No browser of today, but those that run plugins.
        (Kind::Media, "codebase" | "classid") => Some(Role::Extra),
        (Kind::Media, "archive") => Some(Role::Pings),
        (_, "src") => Some(Role::Url),
        (_, twin) if TWINS.contains(&twin) => Some(Role::Url),
        (_, "poster") => Some(Role::Extra),
        (_, "srcset" | "imagesrcset" | "data-srcset" | "data-lazy-srcset" | "nitro-lazy-srcset") => {
            Some(Role::Candidates)
        }
        (_, "attributionsrc") => Some(Role::Pings),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_their_length_says() {
        let lengths = (0..=30).flat_map(|length| known(length).iter().map(move |name| (name.len(), length)));
        assert!(lengths.clone().all(|(length, place)| length == place));
        assert_eq!(lengths.count(), 45);
        assert!(
            TWINS.into_iter().chain(REVIVING).chain(placeholder::KEPT).all(|name| known(name.len()).contains(&name))
        );
    }
}
