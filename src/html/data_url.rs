//! `data:` URLs (Fetch §6): scripts and frames of one are as good as inline, and optimising plug-ins make them of inline
//! snippets. They contact nobody by themselves; what they hold may.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, UTF_8};

use super::attributes::name_end;
use super::elements::Kind;
use super::judge::{self, Blocked};
use super::media_type::{self, MediaType};
use super::page::Page;
use super::{Error, charset};
use crate::policy::Finding;

/// Browsers mind neither missing padding nor what is left of the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What such a URL holds.
#[derive(Debug)]
pub(super) struct Content {
    media_type: String,
    pub(super) text: String,
}

impl Content {
    /// Reads it; `None` if it is no such URL, or one that browsers cannot read.
    pub(super) fn read(url: &str) -> Option<Self> {
        let is_dropped = |c: char| matches!(c, '\t' | '\n' | '\r');
        let url = url.trim_matches(|c: char| c <= ' ');
        let mut letters = url.chars().filter(|c| !is_dropped(*c));
        "data:".chars().all(|wanted| letters.next().is_some_and(|c| c.eq_ignore_ascii_case(&wanted))).then_some(())?;
        let rest: String = letters.take_while(|c| *c != '#').collect();
        let (media_type, body) = rest.split_once(',')?;
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(body).collect();
        let (media_type, bytes) = match media_type.trim().rsplit_once(';') {
            Some((media_type, last)) if last.trim().eq_ignore_ascii_case("base64") => {
                let letters: Vec<u8> = bytes.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
                (media_type, BASE64.decode(letters).ok()?)
            }
            _ => (media_type, bytes),
        };
        let encoding = charset_of(media_type).unwrap_or(UTF_8);
        Some(Self { media_type: media_type.to_owned(), text: encoding.decode(&bytes).0.into_owned() })
    }

    /// Whether frames show it as a document that may load something.
    fn is_document(&self) -> bool {
        let is_xml =
            |found: MediaType<'_>| ["image/svg+xml", "text/xml", "application/xml"].iter().any(|xml| found.is(xml));
        media_type::types(self.media_type.as_bytes()).any(|found| found.is_page() || is_xml(found))
    }
}

fn charset_of(media_type: &str) -> Option<&'static Encoding> {
    let mut types = media_type::types(media_type.as_bytes());
    charset::of_content_type(media_type.as_bytes()).or_else(|| Encoding::for_label(types.next()?.parameter("charset")?))
}

impl Page {
    /// Why an element of this kind may not have what a `data:` URL holds; all that is refused in it is added to `found`.
    pub(super) fn data(
        &self,
        kind: Kind,
        tag: &[u8],
        url: &str,
        found: &mut Vec<Finding>,
    ) -> Result<Option<Blocked>, Error> {
        // Images are many and long.
        let is_embed = tag.get(1..name_end(tag)).unwrap_or_default().eq_ignore_ascii_case(b"embed");
        let is_frame = matches!(kind, Kind::Frame | Kind::FramesetFrame | Kind::Media) || is_embed;
        if kind != Kind::Script && !is_frame {
            return Ok(None);
        }
        let Some(content) = Content::read(url) else { return Ok(None) };
        let refused = if kind == Kind::Script {
            judge::snippet(&self.settings, &content.text)
        } else if content.is_document() {
            let mut inner = self.inner(true)?;
            let mut out = Vec::new();
            inner.write(content.text.as_bytes(), &mut out)?;
            inner.end(&mut out)?;
            let refused = inner.findings();
            found.extend(refused.iter().cloned());
            refused.into_iter().next()
        } else {
            None
        };
        Ok(refused.map(|finding| Blocked::within(finding, &self.settings.url)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_read_as_browsers_read_it() {
        for (url, text) in [
            ("data:,a%20b+c", Some("a b+c")),
            (" DA\tTA:text/javascript,a(%27x%27)#b ", Some("a('x')")),
            ("data:text/javascript;base64,YSgp", Some("a()")),
            ("data:text/javascript;charset=utf-8; BASE64 ,YSgp%0A Yg", Some("a()b")),
            ("data:;base64,YQ==", Some("a")),
            ("data:;base64,YQ", Some("a")),
            ("data:;base64,Y", None),
            ("data:;base64,Y!", None),
            ("data:text/html;charset=latin1,%e9", Some("\u{e9}")),
            ("data:text/plain;charset=latin1,%e9", Some("\u{e9}")),
            ("data:,\u{e9}%c3%a9", Some("\u{e9}\u{e9}")),
            ("data:x", None),
            ("dat:,x", None),
            ("", None),
        ] {
            assert_eq!(Content::read(url).map(|content| content.text).as_deref(), text, "{url}");
        }
    }
}
