//! The script that frees what `gating: client` and `neutralise` left inert, once the visitor may have it.

use super::escape::quote;

/// The script, served from `{prefix}free.js`; it asks `{prefix}choice` beside it.
pub const SCRIPT: &str = include_str!("assets/free.js");

/// The path of the script below the prefix.
pub const PATH: &str = "free.js";

/// The tag that loads it, with a nonce where the page's policy wants one. `async`: nothing of the page waits for it.
pub fn tag(prefix: &str, nonce: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" nonce={}", quote(nonce))).unwrap_or_default();
    format!("<script async=\"\" src={}{nonce}></script>", quote(&format!("{prefix}{PATH}")))
}

/// The same for a page that has what the visitor may have: the script waits until a choice changes that.
pub fn later(prefix: &str, nonce: Option<&str>) -> String {
    tag(prefix, nonce).replacen("<script", "<script data-later=\"\"", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_the_script_and_the_nonce() {
        assert_eq!(tag("/_consent/", None), r#"<script async="" src="/_consent/free.js"></script>"#);
        let tag = tag("/c/", Some("a+/=\"><b"));
        assert_eq!(tag, r#"<script async="" src="/c/free.js" nonce="a+/=&quot;&gt;&lt;b"></script>"#);
    }

    #[test]
    fn script_is_small() {
        assert!(SCRIPT.len() < 5 * 1024, "{}", SCRIPT.len());
    }
}
