//! What stands in for a blocked frame: a box of its size that says what is missing and leads to the preferences.
//!
//! An SVG element, for two reasons: it takes width and height as a frame does, so that the box has its size and colours
//! under the strictest `Content-Security-Policy`; and its content can't close a `<p>` around it as a `<div>` would.
//! ASCII only: right in every charset. With both `xmlns`, it is right in XHTML too.

use super::escape::{quote, text};

/// The frame that is missing.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The name of the service that it would have loaded.
    pub service: &'a str,
    /// Where the visitor can change their mind: a path of the same site.
    pub preferences: &'a str,
    /// The frame's own attributes, as the page has them.
    pub width: Option<&'a str>,
    /// As `width`.
    pub height: Option<&'a str>,
    /// The page's own inline style of the frame, if any: it often says the size.
    pub style: Option<&'a str>,
    /// Names by which the page's style sheets give the size.
    pub class: Option<&'a str>,
}

/// The box as HTML; empty for a frame that nobody was meant to see (Tag Manager's `height="0"`): a link in a box of no
/// size would only trap the keyboard.
pub fn frame(frame: &Frame<'_>) -> String {
    if frame.is_hidden() {
        return String::new();
    }
    let mut html = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\"");
    let mut attribute = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            html.push(' ');
            html.push_str(name);
            html.push('=');
            html.push_str(&quote(value));
        }
    };
    attribute("data-consentry-placeholder", Some(""));
    attribute("role", Some("group"));
    attribute("aria-label", Some(&format!("{}: not loaded", frame.service)));
    // What a frame without a size has.
    attribute("width", Some(frame.width.and_then(length).unwrap_or("300")));
    attribute("height", Some(frame.height.and_then(length).unwrap_or("150")));
    attribute("class", frame.class);
    attribute("style", frame.style);
    html.push_str(
        "><rect width=\"100%\" height=\"100%\" fill=\"#f4f4f4\" stroke=\"#767676\"></rect>\
         <foreignObject x=\"3%\" width=\"94%\" height=\"100%\" overflow=\"auto\" color=\"#1a1a1a\" \
         font-family=\"sans-serif\" font-size=\"16\">\
         <div xmlns=\"http://www.w3.org/1999/xhtml\" align=\"center\"><p>",
    );
    html.push_str(&text(frame.service));
    html.push_str(" is not loaded, because you have not allowed it.</p><p><a href=");
    html.push_str(&quote(frame.preferences));
    html.push_str("><font color=\"#0b57d0\">Cookie settings</font></a></p></div></foreignObject></svg>");
    html
}

impl Frame<'_> {
    fn is_hidden(&self) -> bool {
        let tiny = |value: Option<&str>| matches!(value.and_then(length), Some("0" | "1" | "0%"));
        let style: String = self.style.unwrap_or_default().split_whitespace().collect();
        let style = style.to_ascii_lowercase();
        tiny(self.width) || tiny(self.height) || style.contains("display:none") || style.contains("visibility:hidden")
    }
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

    const FRAME: Frame<'_> =
        Frame { service: "YouTube", preferences: "/_consent/", width: None, height: None, style: None, class: None };

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
            ("\" onload=x", None),
            ("999999999", None),
        ] {
            assert_eq!(length(value), read, "{value}");
        }
    }

    #[test]
    fn box_names_the_service_and_leads_to_the_preferences() {
        let html = frame(&Frame { width: Some("560"), height: Some("315"), ..FRAME });
        assert!(html.contains(r#" width="560" height="315""#), "{html}");
        assert!(html.contains(r#"aria-label="YouTube: not loaded""#), "{html}");
        assert!(html.contains(r#"<a href="/_consent/">"#), "{html}");
        assert!(!html.contains("style="), "{html}");
    }

    #[test]
    fn frame_that_nobody_sees_gets_no_box() {
        for (width, height, style) in [
            (Some("0"), None, None),
            (None, Some("1px"), None),
            (Some("560"), Some("315"), Some("DISPLAY : none")),
            (None, None, Some("visibility:hidden")),
        ] {
            assert_eq!(frame(&Frame { width, height, style, ..FRAME }), "", "{width:?} {height:?} {style:?}");
        }
    }

    #[test]
    fn nothing_of_the_page_escapes_from_it() {
        let evil = "\"><script>&\u{e9}</script>";
        let html = frame(&Frame {
            service: evil,
            preferences: evil,
            width: Some(evil),
            height: Some(evil),
            style: Some(evil),
            class: Some(evil),
        });
        assert!(html.is_ascii() && !html.contains("<script"), "{html}");
    }
}
