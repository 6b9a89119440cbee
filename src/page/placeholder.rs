//! What stands in for a blocked frame: a box of its size that says what is missing and lets the visitor allow it.
//!
//! It is a frame itself, with its page in `srcdoc`. So it keeps whatever size the site's style sheets give its frames,
//! on narrow screens too, and the site's other styles do not reach into it; `frame-src` does not forbid it; its form
//! works inside a form of the site, where the parser would ignore one; wherever a frame may stand, it may; and a script of
//! the site that sets its `src` loads nothing.
//! What it must ask the page's `Content-Security-Policy` for is our style sheet, without which it is plain but whole,
//! and the form, without which a link leads to the preferences.
//! ASCII only: right in every charset. Every attribute is quoted and every tag closed: right in XHTML too.

use std::borrow::Cow;

use super::escape::{quote, text};
use super::texts::Texts;

/// The frame that is missing.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// In the language of the page.
    pub texts: &'a Texts,
    /// The tag of that language, where the browser asks for another: what is sent from here names it.
    pub named: Option<&'a str>,
    /// The name of the service that it would have loaded.
    pub service: &'a str,
    /// What the button grants; `None` where no grant brings the frame back.
    pub grant: Option<Grant<'a>>,
    /// Where our pages are: an absolute URL, for `<base href>` holds in `srcdoc` too.
    pub prefix: &'a str,
    /// Path and query of the page, to come back to.
    pub return_to: &'a str,
    /// Whether the page's policy lets a form be sent to us.
    pub form: bool,
    /// Whether it lets our style sheet be linked.
    pub style: bool,
}

/// What is granted so that a frame may load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant<'a> {
    /// The service alone, by its key in the policy.
    Service(&'a str),
    /// The whole category, by key and label: of a service that the policy does not name nobody can be asked.
    Category(&'a str, &'a str),
}

/// Attributes of the site's frame that the box keeps: they say how large it is, and where.
pub const KEPT: [&str; 7] = ["id", "class", "style", "width", "height", "align", "frameborder"];

/// The box as HTML; `attribute` reads those of the site's frame. Empty for a frame that nobody was meant to see (Tag
/// Manager's `height="0"`): a button in a box of no size would only trap the keyboard.
pub fn frame<'v>(frame: &Frame<'_>, attribute: impl Fn(&str) -> Option<Cow<'v, str>>) -> String {
    if is_hidden(&attribute) {
        return String::new();
    }
    let mut html = String::from("<iframe xmlns=\"http://www.w3.org/1999/xhtml\" data-consentry-placeholder=\"\"");
    let mut write = |name: &str, value: &str| {
        html.push(' ');
        html.push_str(name);
        html.push('=');
        html.push_str(&quote(value));
    };
    write("title", &title(frame));
    for name in KEPT {
        if let Some(value) = attribute(name) {
            write(name, &value);
        }
    }
    write("srcdoc", &document(frame));
    html.push_str("></iframe>");
    html
}

/// Whether a frame takes no room on the screen.
pub fn is_hidden<'v>(attribute: &impl Fn(&str) -> Option<Cow<'v, str>>) -> bool {
    let tiny = |name| attribute(name).is_some_and(|value| matches!(length(&value), Some("0" | "1" | "0%")));
    let style: String = attribute("style").unwrap_or_default().split_whitespace().collect();
    let style = style.to_ascii_lowercase();
    tiny("width")
        || tiny("height")
        || attribute("hidden").is_some()
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}

/// The name of the box.
fn title(frame: &Frame<'_>) -> String {
    frame.texts.put(&frame.texts.placeholder_title, "service", frame.service)
}

/// The page in the box. `target`: what is decided here concerns the page around it.
pub fn document(frame: &Frame<'_>) -> String {
    let Frame { texts, named, service, prefix, return_to, .. } = *frame;
    let mut html = format!(
        "<!DOCTYPE html><html lang={} dir={}><head><meta name=\"color-scheme\" content=\"light dark\">\
         <meta name=\"referrer\" content=\"same-origin\">",
        quote(&texts.language),
        quote(texts.dir()),
    );
    if frame.style {
        html.push_str(&format!("<link rel=\"stylesheet\" href={}>", quote(&format!("{prefix}style.css"))));
    }
    html.push_str(&format!("<title>{}</title></head>", text(&title(frame))));
    html.push_str("<body class=\"placeholder\"><main align=\"center\"><font face=\"sans-serif\">");
    let name = format!("<strong>{}</strong>", text(service));
    // Where no grant brings it back, nobody need look for one.
    let why = if frame.grant.is_some() { &texts.placeholder_text } else { &texts.placeholder_nobody };
    html.push_str(&format!("<p>{}</p>", texts.put(&text(why), "service", &name)));
    if let Some(grant) = frame.grant.filter(|_| frame.form) {
        let (field, key, label) = match grant {
            Grant::Service(key) => ("service", key, texts.put(&texts.allow, "service", service)),
            Grant::Category(key, label) => ("category", key, texts.put(&texts.allow_category, "category", label)),
        };
        html.push_str(&format!(
            "<form method=\"post\" action={} target=\"_parent\">\
             <input type=\"hidden\" name=\"return_to\" value={}>{}<input type=\"hidden\" name=\"{field}\" value={}>\
             <button class=\"allow\" name=\"decision\" value=\"grant\">{}</button></form>",
            quote(&format!("{prefix}choice")),
            quote(return_to),
            super::language_field(named),
            quote(key),
            text(&label),
        ));
    }
    let settings = quote(&super::settings(prefix, return_to, named));
    html.push_str(&format!(
        "<p><a href={settings} target=\"_parent\">{}</a></p></font></main></body></html>",
        text(&texts.cookie_settings)
    ));
    html
}

/// A width or height as browsers read it: digits, and `%` if that follows at once.
fn length(value: &str) -> Option<&str> {
    let value = value.trim_ascii_start();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let fraction = match value[digits..].strip_prefix('.') {
        Some(rest) => rest.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let end = if fraction > 0 { digits + 1 + fraction } else { digits };
    let end = if value[end..].starts_with('%') { end + 1 } else { end };
    (1..=8).contains(&digits).then_some(&value[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn youtube() -> Frame<'static> {
        Frame {
            texts: Texts::of("en"),
            named: None,
            service: "YouTube",
            grant: Some(Grant::Service("youtube")),
            prefix: "https://shop.example/_consent/",
            return_to: "/tea?a=1&b=2",
            form: true,
            style: true,
        }
    }

    #[test]
    fn speaks_the_language_of_the_visitor() {
        let html = document(&Frame { texts: Texts::of("ar"), ..youtube() });
        assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">") && html.is_ascii(), "{html}");
        let html = boxed(&Frame { texts: Texts::of("de"), ..youtube() }, &[("width", "560")]);
        assert!(html.contains("YouTube erlauben") && html.contains("lang=&quot;de"), "{html}");
    }

    fn boxed(frame_: &Frame<'_>, attributes: &[(&str, &str)]) -> String {
        let find = |name: &str| attributes.iter().find(|(known, _)| *known == name);
        frame(frame_, |name| find(name).map(|(_, value)| Cow::Owned((*value).to_owned())))
    }

    #[test]
    fn lengths_are_read_as_browsers_do() {
        for (value, read) in [
            ("560", Some("560")),
            (" 560px", Some("560")),
            ("100%", Some("100%")),
            ("12.5%", Some("12.5%")),
            ("12.", Some("12")),
            ("", None),
            ("auto", None),
            ("999999999", None),
        ] {
            assert_eq!(length(value), read, "{value}");
        }
    }

    #[test]
    fn box_has_the_size_of_the_frame_and_names_the_service() {
        let html = boxed(&youtube(), &[("width", "560"), ("height", "315"), ("class", "film"), ("allow", "camera")]);
        assert!(html.contains(r#" title="YouTube: not loaded" class="film" width="560" height="315""#), "{html}");
        assert!(!html.contains("allow=") && !html.contains("style="), "{html}");
    }

    #[test]
    fn button_grants_this_service_and_comes_back() {
        let html = document(&youtube());
        assert!(html.contains("not allowed it") && !html.contains("does not provide"), "{html}");
        let nobodys = document(&Frame { grant: None, ..youtube() });
        assert!(nobodys.contains("does not provide for it"), "{nobodys}");
        for part in [
            "<form method=\"post\" action=\"https://shop.example/_consent/choice\" target=\"_parent\">",
            "name=\"return_to\" value=\"/tea?a=1&amp;b=2\"",
            "name=\"service\" value=\"youtube\"",
            "<button class=\"allow\" name=\"decision\" value=\"grant\">Allow YouTube</button>",
            "<a href=\"https://shop.example/_consent/?return_to=%2Ftea%3Fa%3D1%26b%3D2\" target=\"_parent\">",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let category = document(&Frame { grant: Some(Grant::Category("fun", "Fun")), ..youtube() });
        assert!(category.contains("name=\"category\" value=\"fun\"") && category.contains("Allow all of &#8220;Fun"));
        for without in [Frame { form: false, ..youtube() }, Frame { grant: None, ..youtube() }] {
            let html = document(&without);
            assert!(
                !html.contains("<form") && !html.contains("<button") && html.contains("/_consent/?return"),
                "{html}"
            );
        }
        assert!(!document(&Frame { style: false, ..youtube() }).contains("stylesheet"));
    }

    #[test]
    fn frame_that_nobody_sees_gets_no_box() {
        for attributes in [
            &[("width", "0")][..],
            &[("height", "1px")],
            &[("width", "560"), ("height", "315"), ("style", "DISPLAY : none")],
            &[("style", "visibility:hidden")],
            &[("hidden", "")],
        ] {
            assert_eq!(boxed(&youtube(), attributes), "", "{attributes:?}");
        }
    }

    #[test]
    fn nothing_of_the_page_escapes_from_it() {
        let evil = "\"><script>&\u{e9}</script>";
        for grant in [Grant::Service(evil), Grant::Category(evil, evil)] {
            let frame = Frame { service: evil, grant: Some(grant), prefix: evil, return_to: evil, ..youtube() };
            let html = boxed(&frame, &KEPT.map(|name| (name, evil)));
            assert!(html.is_ascii() && !html.contains("<script"), "{html}");
            assert!(!document(&frame).contains("<script"), "{html}");
        }
    }
}
