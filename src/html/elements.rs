//! Which elements make a browser contact somebody, by which of their attributes, and what goes when that is blocked.

use super::attributes::{Attribute, Edit, name_end};
use super::judge::Blocked;
use super::roles::{Role, role};
use super::{links, lists, style};

/// The elements that the rewriter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Script,
    /// One that nobody runs: no name says that, but its type.
    Inert,
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
    /// Whatever simply loads its URLs. `image` is SVG's, and in HTML another way to write `img`.
    Loader,
    /// The same, with content; and what AMP has for it.
    Media,
    /// Holds text, unless the browser ignores the tag.
    Text,
    /// The same, and the text is CSS.
    Style,
    Template,
    Select,
    Frameset,
    /// `svg` and `math`.
    Foreign,
    /// Holds HTML, in `svg` or `math`.
    Integration,
    /// Matters by its `style` alone.
    Other,
}

/// What the parser must tell of an element besides its start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: it ends with its tag, or its content is left alone.
    Leaf,
    /// Its end.
    Branch,
    /// Its end, but only where its tag might be ignored, or end with itself in XML.
    Text,
}

/// Elements that [`kind`] knows nothing of, most frequent first: the parser need not stop at them. Every other element
/// is looked up by its name, so a list of what to leave out cannot miss anything, and is tried in fewer steps than one of
/// what to find.
pub(super) const PASSED_OVER: [&str; 34] = [
    "div", "span", "li", "p", "path", "br", "ul", "option", "i", "b", "h3", "strong", "button", "h2", "em", "section",
    "article", "g", "rect", "label", "header", "time", "small", "figure", "dd", "dt", "h4", "nav", "footer", "h1",
    "ol", "u", "hr", "sup",
];

/// What kind the element of this tag name is.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    let mut lower = [0; 14];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    kind_of(lower)
}

/// What kind the element of this name is, which is in lower case.
pub(super) fn kind_of(name: &[u8]) -> Option<Kind> {
    Some(match name {
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
        b"img" | b"image" | b"feimage" | b"source" | b"embed" | b"track" | b"use" => Kind::Loader,
        b"object" | b"video" | b"audio" | b"applet" | b"portal" | b"fencedframe" => Kind::Media,
        b"amp-img" | b"amp-pixel" | b"amp-iframe" | b"amp-ad" | b"amp-analytics" | b"amp-video" => Kind::Media,
        b"title" | b"textarea" | b"xmp" | b"noembed" | b"noframes" | b"plaintext" => Kind::Text,
        b"style" => Kind::Style,
        b"template" => Kind::Template,
        b"select" => Kind::Select,
        b"frameset" => Kind::Frameset,
        b"svg" | b"math" => Kind::Foreign,
        b"foreignobject" | b"desc" | b"annotation-xml" | b"mi" | b"mo" | b"mn" | b"ms" | b"mtext" => Kind::Integration,
        _ => return None,
    })
}

impl Kind {
    pub(super) fn form(self) -> Form {
        match self {
            Self::Script | Self::NoScript | Self::Frame | Self::Media => Form::Branch,
            Self::Template | Self::Select | Self::Foreign | Self::Integration => Form::Branch,
            Self::FramesetFrame | Self::Link | Self::Meta | Self::Base | Self::Input | Self::Anchor => Form::Leaf,
            Self::Backed | Self::Loader | Self::Frameset | Self::Head | Self::Inert | Self::Other => Form::Leaf,
            Self::Text | Self::Style => Form::Text,
        }
    }
}

/// Whether a tag that may go leads browsers out of `svg` or `math`.
pub(super) fn leads_out(tag: &[u8]) -> bool {
    let name = tag.get(1..name_end(tag)).unwrap_or_default();
    ["img", "embed", "meta"].iter().any(|out| name.eq_ignore_ascii_case(out.as_bytes()))
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

/// Judges an element by its attributes; by its `style` only if `styles` says so. `aside`: what goes of an element that
/// stays is kept where no browser looks.
pub(super) fn judge(
    kind: Kind,
    attributes: &[Attribute<'_>],
    aside: bool,
    styles: bool,
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
    if !concerned && !styles {
        return Outcome::Stay(edits, reasons);
    }
    let remove = |attribute: &Attribute<'_>| if aside { attribute.set_aside("") } else { attribute.remove() };
    let (mut has_url, mut lost_candidates) = (false, false);
    for attribute in attributes {
        let Some(role) = role(kind, attribute.name) else { continue };
        if !concerned && role != Role::Style {
            continue;
        }
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
            Role::Style if !styles => {}
            Role::Style => edits.extend(style_edit(attributes, is_blocked)),
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

/// An edit that takes what is blocked out of the element's `style`.
pub(super) fn style_edit(attributes: &[Attribute<'_>], blocked: impl FnMut(&str) -> bool) -> Option<Edit> {
    let style = find(attributes, "style")?;
    style::filter(&style.value(), blocked).map(|left| style.replace(&left))
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
            None | Some(Role::Style) => {}
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
    let loads = |a: &&Attribute<'_>| role(kind, a.name).is_some_and(|role| role != Role::Style);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_matters_is_passed_over() {
        assert_eq!(PASSED_OVER.iter().find(|name| kind(name.as_bytes()).is_some()), None);
    }
}
