//! The script that tells us of a choice which the site's consent tool keeps where no server sees it.

use super::escape::quote;

/// The script, served from `{prefix}bridge.js`; it posts to `{prefix}choice` beside it.
pub const SCRIPT: &str = include_str!("assets/bridge.js");

/// The path of the script below the prefix.
pub const PATH: &str = "bridge.js";

/// The tag that loads it for this tool, with a nonce where the page's policy wants one. `async`: nothing waits for it.
pub fn tag(prefix: &str, tool: &str, nonce: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" nonce={}", quote(nonce))).unwrap_or_default();
    format!("<script async=\"\" src={} data-tool={}{nonce}></script>", quote(&format!("{prefix}{PATH}")), quote(tool))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_names_script_tool_and_nonce() {
        assert_eq!(
            tag("/_consent/", "osano", None),
            r#"<script async="" src="/_consent/bridge.js" data-tool="osano"></script>"#
        );
        assert!(tag("/c/", "termly", Some("a\"b")).ends_with(r#" data-tool="termly" nonce="a&quot;b"></script>"#));
    }

    #[test]
    fn script_is_small() {
        assert!(SCRIPT.len() < 5 * 1024, "{}", SCRIPT.len());
    }
}
