//! The guard: a script first in each page, which holds the page's own scripts to what the proxy holds the page to.
//!
//! Script and tables are the same for all visitors of a policy, so that browsers keep them; what this visitor may use
//! stands in the tag.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::banner::script::granted;
use super::escape::quote;
use crate::consent;
use crate::fnv;
use crate::policy::Policy;

/// The path of the script below the prefix.
pub const PATH: &str = "guard.js";

/// The path of what it tells.
pub const REPORT: &str = "guard";

/// The script without its tables, as it is served: without comments and line breaks.
fn program() -> String {
    let lines = include_str!("assets/guard.js").lines().map(str::trim);
    lines.filter(|line| !line.starts_with("//")).collect()
}

/// The script for the sites of a policy.
pub struct Guard {
    /// What changes when the script or its tables do.
    version: u64,
    /// Both are made when somebody first asks, and never again.
    text: OnceLock<Bytes>,
    zipped: OnceLock<Bytes>,
}

impl Guard {
    /// The one of this policy.
    pub fn new(policy: &Policy) -> Self {
        let version = fnv::add(fnv::START, program().bytes().chain(policy.fingerprint().to_le_bytes()));
        Self { version, text: OnceLock::new(), zipped: OnceLock::new() }
    }

    /// Its address below the prefix, with a mark by which a cached one is known to be this one.
    pub fn path(&self) -> String {
        format!("{PATH}?{}", self.mark())
    }

    /// The mark alone.
    pub fn mark(&self) -> String {
        format!("{:016x}", self.version)
    }

    /// The script with the tables of its policy.
    pub fn text(&self, policy: &Policy) -> Bytes {
        let made = || {
            let mut tables = json!(policy.tables());
            tables["required"] = Value::from(granted(policy, &consent::required(policy)));
            // In a script of its own nothing ends it early, and JSON is JavaScript.
            format!("{}({tables});\n", program()).into()
        };
        self.text.get_or_init(made).clone()
    }

    /// The same, compressed with gzip.
    pub fn zipped(&self, policy: &Policy) -> Bytes {
        self.zipped.get_or_init(|| zip(&self.text(policy)).into()).clone()
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("version", &self.version).finish_non_exhaustive()
    }
}

fn zip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.expect("writing into memory does not fail")
}

/// How the guard stands in a page.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// Its address.
    pub src: &'a str,
    /// Where the page's policy wants one.
    pub nonce: Option<&'a str>,
    /// What the visitor may use; `None` where the page is the same for everybody, and the guard has to ask.
    pub granted: Option<&'a str>,
    /// Services that may load although they may keep nothing, as further words of a grant.
    pub loads: &'a str,
    /// Whether it may fetch, and so tell what it stops and ask what holds.
    pub fetch: bool,
    /// Whether it only tells.
    pub observe: bool,
}

impl Tag<'_> {
    /// The tag as HTML. The parser waits for it: it comes before all other scripts.
    pub fn render(&self) -> String {
        let mut html = format!("<script src={}", quote(self.src));
        for (name, value) in [
            ("nonce", self.nonce),
            ("data-granted", self.granted),
            ("data-loads", Some(self.loads).filter(|loads| !loads.is_empty())),
        ] {
            if let Some(value) = value {
                html.push_str(&format!(" {name}={}", quote(value)));
            }
        }
        html.push_str(if self.fetch { " data-report=\"\"" } else { "" });
        html.push_str(if self.observe { " data-observe=\"\"" } else { "" });
        html.push_str("></script>");
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_is_under_four_kibibytes_compressed() {
        let size = zip(program().as_bytes()).len();
        assert!(size < 4096, "{size}");
    }

    #[test]
    fn tag_says_what_holds() {
        let tag =
            Tag { src: "/_consent/guard.js?1", nonce: None, granted: None, loads: "", fetch: false, observe: false };
        assert_eq!(tag.render(), r#"<script src="/_consent/guard.js?1"></script>"#);
        let tag =
            Tag { nonce: Some("a\"b"), granted: Some("necessary +a"), loads: "+b", fetch: true, observe: true, ..tag };
        assert_eq!(
            tag.render(),
            "<script src=\"/_consent/guard.js?1\" nonce=\"a&quot;b\" data-granted=\"necessary +a\" data-loads=\"+b\" data-report=\"\" data-observe=\"\"></script>"
        );
    }
}
