//! The page that sends a browser to the URL it asked for once more, this time from the same site.
//!
//! A `SameSite=Strict` cookie does not come along when a visitor follows a link from elsewhere; it does when
//! the navigation starts here. The page never holds more than the URL: nothing to read, nothing to keep.

use super::path::same_url;
use super::texts::Texts;

/// The page for `target`, the request's path and query. Under 1 KiB beside the URL, which it names twice.
pub fn bounce(target: &str, texts: &Texts) -> String {
    super::render(&Bounce { url: &same_url(target), texts })
}

#[derive(askama::Template)]
#[template(path = "bounce.html")]
struct Bounce<'a> {
    url: &'a str,
    texts: &'a Texts,
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    /// The value of the first attribute that starts with `before`, its character references decoded.
    fn attribute(page: &str, before: &str) -> String {
        let (_, rest) = page.split_once(before).unwrap();
        let (raw, _) = rest.split_once('"').unwrap();
        assert!(!raw.contains(['<', '>']), "{raw}");
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
            .iter()
            .fold(raw.to_owned(), |text, (reference, sign)| text.replace(reference, sign))
    }

    #[test]
    fn both_ways_lead_to_the_same_url_of_the_same_site() {
        let site = Url::parse("https://shop.example/").unwrap();
        for (target, expected) in [
            ("/", "/"),
            ("/cart?id=1&sort=up", "/cart?id=1&sort=up"),
            ("/a;url=https://evil.example/", "/a;url=https://evil.example/"),
            ("/it's", "/it's"),
            ("/q?a=';url='/b", "/q?a=%27;url=%27/b"),
            ("/q?a=\"><script>alert(1)</script>", "/q?a=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
            ("/\" onclick=\"x", "/%22%20onclick=%22x"),
            ("//evil.example/x", "//evil.example/x"),
            ("///evil.example", "///evil.example"),
            ("/\\evil.example", "/%5Cevil.example"),
            ("/&amp;x=&quot;", "/&amp;x=&quot;"),
            ("/ü?ö", "/%C3%BC?%C3%B6"),
            ("*", "/"),
        ] {
            let page = bounce(target, Texts::of("ar"));
            for url in [attribute(&page, "content=\"0;url="), attribute(&page, "<a href=\"")] {
                // A refresh that starts with a quote would end at the next one (HTML, "shared declarative refresh").
                assert!(url.starts_with('/'), "{url}");
                let url = site.join(&url).unwrap();
                assert_eq!(url.host_str(), Some("shop.example"), "{target}");
                assert_eq!(&url[url::Position::BeforePath..], expected, "{target}");
            }
        }
    }

    #[test]
    fn page_is_small() {
        assert!(bounce("/", Texts::of("de")).len() < 1024);
        let long = format!("/{}", "a".repeat(500));
        assert!(bounce(&long, Texts::of("en")).len() - 2 * long.len() < 1024);
    }
}
