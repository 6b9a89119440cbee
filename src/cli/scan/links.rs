//! Where a page leads: the addresses of its links, as a visitor could follow them.

use std::cell::RefCell;

use lol_html::{RewriteStrSettings, element, rewrite_str};
use url::Url;

/// Kinds of files that are no pages; asked for, they would only cost a request.
const NO_PAGES: [&str; 28] = [
    "7z", "avi", "css", "csv", "doc", "docx", "gif", "gz", "ico", "jpeg", "jpg", "js", "json", "mov", "mp3", "mp4",
    "pdf", "png", "ppt", "svg", "tar", "txt", "webm", "webp", "woff2", "xls", "xlsx", "zip",
];

/// The links of a page in its order. Not those that a page asks not to follow, nor those that end a session or
/// change something by their name: a scan must not.
pub(super) fn links(page: &[u8], url: &Url) -> Vec<Url> {
    let base = RefCell::new(url.clone());
    let links = RefCell::new(Vec::new());
    let read = |value: String| htmlize::unescape_attribute(value.trim()).into_owned();
    let on_base = element!("base[href]", |element| {
        if let Some(found) = element.get_attribute("href").and_then(|href| url.join(&read(href)).ok()) {
            base.replace(found);
        }
        Ok(())
    });
    let on_link = element!("a[href], area[href]", |element| {
        let rel = element.get_attribute("rel").unwrap_or_default();
        if !rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("nofollow"))
            && let Some(href) = element.get_attribute("href")
        {
            links.borrow_mut().push(read(href));
        }
        Ok(())
    });
    let settings = RewriteStrSettings::new()
        .append_element_content_handler(on_base)
        .append_element_content_handler(on_link)
        .with_strict(false);
    // A page that cannot be read to its end has the links that were found until there.
    let _ = rewrite_str(&String::from_utf8_lossy(page), settings);
    let base = base.into_inner();
    links.into_inner().iter().filter_map(|href| base.join(href).ok()).filter(is_harmless_page).collect()
}

fn is_harmless_page(url: &Url) -> bool {
    const ENDS: [&str; 6] = ["logout", "log-out", "signout", "sign-out", "logoff", "delete"];
    let path = url.path().to_ascii_lowercase();
    let file = path.rsplit('/').next().unwrap_or_default();
    let is_file = file.rsplit_once('.').is_some_and(|(_, ending)| NO_PAGES.contains(&ending));
    !is_file && !ENDS.iter().any(|word| path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_browsers_read_them() {
        let page = "<base href=/shop/><a href=tea?a=1&amp;b=2#x>T</a><A HREF=' /cart '>C</A><area href=//cdn.example/x>\
                    <a href=/go rel='x NoFollow'>n</a><a href=/a.PDF>p</a><a href=/account/Logout>l</a><a>no</a>\
                    <a href='https://['>bad</a><p title='<a href=/not>'>\u{e9}";
        let url = Url::parse("https://shop.example/a/b").unwrap();
        let found: Vec<String> = links(page.as_bytes(), &url).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["https://shop.example/shop/tea?a=1&b=2#x", "https://shop.example/cart", "https://cdn.example/x"]
        );
    }
}
