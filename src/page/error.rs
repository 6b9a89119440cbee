//! The page for a request that we could not serve: what happened, in plain words, and what to do.
//!
//! It names no server but the one that the visitor asked for; reasons are in the operator's log.

use http::StatusCode;

/// The page for a status. With the site's `prefix` it is styled; without (no such site) it is plain but whole.
pub fn error(status: StatusCode, prefix: Option<&str>) -> String {
    let (title, text) = words(status);
    super::render(&Error { status: status.as_u16(), title, text, prefix: prefix.unwrap_or_default() })
}

#[derive(askama::Template)]
#[template(path = "error.html")]
struct Error<'a> {
    status: u16,
    title: &'static str,
    text: &'static str,
    prefix: &'a str,
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => {
            ("We could not read that", "Your browser or app sent something that is not valid. Go back and try again.")
        }
        403 => (
            "That was not accepted",
            "The request did not come from a page of this site, so nothing was changed. Open the page here and try again.",
        ),
        404 => ("There is no such page", "The address may be mistyped, or the page may have moved."),
        405 => ("Not in this way", "This address exists, but not for what your browser tried to do."),
        408 => ("That took too long", "Your request did not arrive in time. Check your connection and try again."),
        409 => (
            "That is decided elsewhere",
            "This site asks about cookies in a window of its own. Open its cookie settings and choose there.",
        ),
        413 => ("That was too much", "What you sent is larger than this page accepts. Nothing was saved."),
        415 => ("Not in this form", "This address does not accept data of that kind. Nothing was saved."),
        421 => (
            "There is no such site here",
            "This server does not serve the site that your browser asked for. Check the address.",
        ),
        431 => (
            "Your browser sent too many cookies",
            "Together they are larger than this site accepts. Delete the cookies of this site in your browser and try again.",
        ),
        502 => ("The site did not answer properly", "This is not your fault. Please try again in a moment."),
        503 => ("The site is busy", "It cannot serve you just now. Please try again in a moment."),
        504 => ("The site took too long to answer", "This is not your fault. Please try again in a moment."),
        _ if status.is_client_error() => {
            ("That did not work", "This site cannot serve the request. Go back and try again.")
        }
        _ => ("Something went wrong", "This is not your fault. Please try again in a moment."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_says_in_words_what_happened() {
        let mut titles = std::collections::BTreeSet::new();
        for status in [400, 403, 404, 405, 408, 409, 413, 415, 421, 431, 500, 502, 503, 504] {
            let page = error(StatusCode::from_u16(status).unwrap(), Some("/_consent/"));
            let (title, text) = words(StatusCode::from_u16(status).unwrap());
            assert!(page.contains(&format!("<h1>{title}</h1>")) && page.contains(text), "{page}");
            assert!(page.contains(&format!("Error {status}")), "{page}");
            assert!(page.contains("href=\"/_consent/style.css\""), "{page}");
            titles.insert(title);
        }
        assert_eq!(titles.len(), 13);
    }

    #[test]
    fn page_without_a_site_links_to_nothing() {
        let page = error(StatusCode::MISDIRECTED_REQUEST, None);
        assert!(!page.contains("<link") && !page.contains("href"), "{page}");
    }
}
