//! The page for a request that we could not serve: what happened, in plain words, and what to do.
//!
//! It names no server but the one that the visitor asked for; reasons are in the operator's log.

use http::StatusCode;

use super::texts::Texts;

/// The page for a status. With the site's `prefix` it is styled; without (no such site) it is plain but whole.
pub fn error(status: StatusCode, prefix: Option<&str>, texts: &Texts) -> String {
    let (title, text) = words(status, texts);
    super::render(&Error { status: status.as_u16(), title, text, prefix: prefix.unwrap_or_default(), texts })
}

#[derive(askama::Template)]
#[template(path = "error.html")]
struct Error<'a> {
    status: u16,
    title: &'a str,
    text: &'a str,
    prefix: &'a str,
    texts: &'a Texts,
}

fn words(status: StatusCode, texts: &Texts) -> (&str, &str) {
    let (title, text) = match status.as_u16() {
        400 => (&texts.error_400_title, &texts.error_400_text),
        403 => (&texts.error_403_title, &texts.error_403_text),
        404 => (&texts.error_404_title, &texts.error_404_text),
        405 => (&texts.error_405_title, &texts.error_405_text),
        408 => (&texts.error_408_title, &texts.error_408_text),
        409 => (&texts.error_409_title, &texts.error_409_text),
        413 => (&texts.error_413_title, &texts.error_413_text),
        415 => (&texts.error_415_title, &texts.error_415_text),
        421 => (&texts.error_421_title, &texts.error_421_text),
        429 => (&texts.error_429_title, &texts.error_429_text),
        431 => (&texts.error_431_title, &texts.error_431_text),
        502 => (&texts.error_502_title, &texts.error_502_text),
        503 => (&texts.error_503_title, &texts.error_503_text),
        504 => (&texts.error_504_title, &texts.error_504_text),
        _ if status.is_client_error() => (&texts.error_client_title, &texts.error_client_text),
        _ => (&texts.error_server_title, &texts.error_server_text),
    };
    (title, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_says_in_words_what_happened() {
        let mut titles = std::collections::BTreeSet::new();
        for status in [400, 403, 404, 405, 408, 409, 413, 415, 421, 429, 431, 500, 502, 503, 504] {
            let page = error(StatusCode::from_u16(status).unwrap(), Some("/_consent/"), Texts::of("en"));
            let (title, text) = words(StatusCode::from_u16(status).unwrap(), Texts::of("en"));
            assert!(page.contains(&format!("<h1>{title}</h1>")) && page.contains(text), "{page}");
            assert!(page.contains(&format!("Error {status}")), "{page}");
            assert!(page.contains("href=\"/_consent/style.css\""), "{page}");
            titles.insert(title);
        }
        assert_eq!(titles.len(), 15);
    }

    #[test]
    fn page_without_a_site_links_to_nothing() {
        let page = error(StatusCode::MISDIRECTED_REQUEST, None, Texts::of("en"));
        assert!(!page.contains("<link") && !page.contains("href"), "{page}");
    }
}
